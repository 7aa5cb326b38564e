"""Advisories and answers as STIX 2.1, there and back."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import stix2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from vaern.archive import seen, stix
from vaern.errors import UsageError
from vaern.model.advisory import Advisory, Indicator, IndicatorType

VALUES = {
    IndicatorType.IPV4: "198.51.100.77", IndicatorType.IPV6: "2001:db8::77", IndicatorType.DOMAIN: "evil.example",
    IndicatorType.URL: "https://evil.example/it's", IndicatorType.EMAIL: "a@evil.example",
    IndicatorType.SHA256: "ab" * 32,
}  # fmt: skip


def advisory(*indicators: Indicator, **changed: Any) -> Advisory:
    known: dict[str, Any] = {
        "version": 1, "id": "SOC-2026-0042", "sender": "Fælles SOC", "sent": "2026-11-24T08:00:00Z",
        "kind": "warning", "title": "Phishing", "text": "Bloker adressen.",
    }  # fmt: skip
    return Advisory.model_validate(known | {"indicators": indicators} | changed)


AT = "2026-11-24T09:00:00Z"
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
"""Of STIX 2.1, chapter 2.8."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = {"created", "modified", "published", "valid_from", "first_seen", "last_seen"}
EVERY = advisory(*(Indicator(type=kind, value=value) for kind, value in VALUES.items()))


@pytest.mark.parametrize("one", [EVERY, advisory(EVERY.indicators[0], kind="request")])
def test_an_advisory_comes_back_as_it_was(one: Advisory) -> None:
    values, unread = stix.read(stix.bundle(one, [], "Favrskov", AT))
    assert unread == []
    assert Advisory.model_validate_json(json.dumps(values)) == one


def test_the_same_advisory_is_the_same_bundle() -> None:
    assert stix.bundle(EVERY, [], "Favrskov", AT) == stix.bundle(EVERY, [], "Favrskov", AT)


def as_archived(time: datetime, offset: int, digits: int, zulu: bool) -> str:
    """A time as relays, taps and collectors of several versions have written it."""
    zone = timezone(timedelta(minutes=offset))
    text = time.astimezone(zone).isoformat(timespec="seconds")
    fraction = f".{time.microsecond:06}123"[: digits + 1] if digits else ""
    return text[:19] + fraction + ("Z" if zulu and offset == 0 else text[19:])


ARCHIVED = st.builds(
    as_archived,
    st.integers(31_622_400_000_000, 4_102_300_000_000_000).map(lambda since: EPOCH + timedelta(microseconds=since)),
    st.sampled_from([0, 0, 60, -330]),
    st.integers(0, 9),
    st.booleans(),
)


@settings(max_examples=100, deadline=None)
@given(st.lists(ARCHIVED | st.sampled_from(["", "2026-11-24", "2026-02-30 00:00:00Z", "x"]), min_size=1, max_size=6))
@example(["2026-11-24T12:00:00+00:00"])
@example(["2026-11-24T12:00:00.5Z", "2026-11-24T12:00:00Z", "2026-11-24T12:00:00.123456789+00:00"])
@example(["2026-11-24T12:30:00+01:00", "2026-11-24T12:00:00Z"])
def test_whatever_times_the_archive_has_a_sighting_has_those_of_stix(times: list[str]) -> None:
    one = EVERY.indicators[0]
    events = [{"received": time, "source": "firewall1", "message": one.value} for time in times]
    found = seen.judge(one, events, complete=True, access="")
    made = json.loads(stix.bundle(EVERY, [found], "Favrskov", AT))["objects"]
    for each in made:
        assert all(TIMESTAMP.fullmatch(each[name]) for name in TIMES & each.keys()), each
    (sighting,) = (each for each in made if each["type"] == "sighting")
    said = sorted(datetime.fromisoformat(time) for time in times if "T" in time)
    assert sighting["count"] == len(times)
    assert [sighting.get(name) and datetime.fromisoformat(sighting[name]) for name in ("first_seen", "last_seen")] == (
        [said[0], said[-1]] if said else [None, None]
    )


def test_what_was_seen_is_a_sighting_by_the_municipality() -> None:
    first, second = EVERY.indicators[:2]
    found = [
        seen.Seen(first, 3, True, "2026-11-20T08:00:00Z", "2026-11-24T07:00:00Z", ("firewall1",)),
        seen.Seen(second, 0, True),
    ]
    bundle = stix2.parse(stix.bundle(EVERY, found, "Favrskov", AT))
    (sighting,) = (one for one in bundle.objects if one.type == "sighting")
    of = next(one for one in bundle.objects if one.id == sighting.sighting_of_ref)
    where = next(one for one in bundle.objects if one.id == sighting.where_sighted_refs[0])
    assert (of.pattern, sighting["count"], where.name) == ("[ipv4-addr:value = '198.51.100.77']", 3, "Favrskov")


def test_patterns_joined_by_or_are_read_and_others_are_named() -> None:
    text = stix.bundle(advisory(EVERY.indicators[0], EVERY.indicators[2]), [], "Favrskov", AT)
    both = text.replace(
        "[ipv4-addr:value = '198.51.100.77']", "[ipv4-addr:value = '198.51.100.1' OR domain-name:value = 'a.example']"
    ).replace("[domain-name:value = 'evil.example']", "[process:name = 'x' AND process:pid = 5]")
    values, unread = stix.read(both)
    assert values["indicators"] == [
        {"type": "ipv4", "value": "198.51.100.1"},
        {"type": "domain", "value": "a.example"},
    ]
    assert unread == ["[process:name = 'x' AND process:pid = 5]"]


def test_what_is_not_the_same_has_not_the_same_identifier() -> None:
    """Two SOCs may number alike, one may correct what it has sent, and an archive may be looked through again."""

    def known(*made: str) -> list[set[str]]:
        return [{one["id"] for one in json.loads(text)["objects"]} for text in made]

    first = [seen.Seen(EVERY.indicators[0], 3, True, AT, AT)]
    changed = [{"sender": "National SOC"}, {"sent": "2026-11-25T08:00:00Z", "title": "Phishing igen"}]
    one, *others = known(
        stix.bundle(EVERY, first, "Favrskov", AT),
        *(stix.bundle(EVERY.model_copy(update=each), first, "Favrskov", AT) for each in changed),
        stix.bundle(EVERY, first, "Favrskov", "2026-11-25T09:00:00Z"),
    )
    assert [sorted({each.partition("--")[0] for each in one & other}) for other in others] == [
        ["identity"], ["identity"], ["identity", "indicator", "report"]
    ]  # fmt: skip


def test_nothing_is_twice_in_a_bundle() -> None:
    twice = advisory(EVERY.indicators[0], EVERY.indicators[0], sender="Favrskov")
    found = [seen.Seen(one, 1, True, AT, AT) for one in twice.indicators]
    made = [one["id"] for one in json.loads(stix.bundle(twice, found, "Favrskov", AT))["objects"]]
    assert len(made) == len(set(made)) == 4


def test_a_time_with_more_digits_than_the_library_reads_is_taken() -> None:
    text = stix.bundle(EVERY, [], "Favrskov", AT).replace("08:00:00Z", "08:00:00.123456789Z")
    values, _ = stix.read(text)
    assert values["sent"] == "2026-11-24T08:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        "{}",
        '{"type": "bundle"}',
        '{"type": "bundle", "id": "bundle--x", "objects": []}',
        '{"type": "bundle", "id": "bundle--1b9d0a5e-8d0a-4b0a-9d0a-5e8d0a4b0a9d", "objects": [{"type": "report"}]}',
        '{"type": "report"}',
    ],
)
def test_what_is_no_bundle_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(UsageError, match="with one report"):
        stix.read(text)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=3, max_size=40))
def test_any_value_survives_the_quotes_of_a_pattern(value: str) -> None:
    pattern = stix.pattern_of(Indicator.model_construct(type=IndicatorType.URL, value=value))
    assert stix._indicators([pattern]) == ([{"type": "url", "value": value}], [])
