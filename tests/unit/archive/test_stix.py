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

from vaern.archive import seen, stix, stix_reading
from vaern.errors import UsageError
from vaern.model.advisory import Advisory, AdvisoryKind, Indicator, IndicatorType, wanted
from vaern.model.vocabulary import UNPRINTED

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
NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
NOT_EQUAL = "[process:name = 'x' AND process:pid = 5]"
TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?Z")
"""Of STIX 2.1, chapter 2.8."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = {"created", "modified", "published", "valid_from", "first_seen", "last_seen"}
EVERY = advisory(*(Indicator(type=kind, value=value) for kind, value in VALUES.items()))


@pytest.mark.parametrize("one", [EVERY, advisory(EVERY.indicators[0], kind="request")])
def test_an_advisory_comes_back_as_it_was(one: Advisory) -> None:
    found = stix_reading.read(stix.bundle(one, [], "Favrskov", AT), NOW)
    assert found.unread == ()
    assert Advisory.model_validate_json(json.dumps(found.values)) == one


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


SOC = {
    "type": "bundle",
    "id": "bundle--5d0092c5-5f74-4287-9642-33f4c354e56d",
    "objects": [
        {
            "type": "identity", "spec_version": "2.1", "id": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff",
            "created": "2026-11-01T08:00:00.000Z", "modified": "2026-11-01T08:00:00.000Z", "name": "National SOC",
            "identity_class": "organization", "contact_information": "soc@national.example",
        },
        {
            "type": "indicator", "spec_version": "2.1", "id": "indicator--a932fcc6-e032-476c-826f-cb970a5a1ade",
            "created": "2026-11-20T08:00:00.123456789Z", "modified": "2026-11-20T08:00:00.123456789Z",
            "pattern": "[ipv4-addr:value = '198.51.100.77' OR domain-name:value = 'evil.example']",
            "pattern_type": "stix", "valid_from": "2026-11-20T08:00:00Z", "x_soc_score": 80,
        },
        {
            "type": "indicator", "spec_version": "2.1", "id": "indicator--b8322c9b-8031-4b4d-a3d2-4d5b0d0b3c6b",
            "created": "2026-11-20T08:00:00Z", "modified": "2026-11-20T08:00:00Z",
            "pattern": "[ipv4-addr:value = '198.51.100.77']", "pattern_type": "stix",
            "valid_from": "2026-11-20T08:00:00Z",
        },
        {
            "type": "report", "spec_version": "2.1", "id": "report--84e4d88f-44ea-4bcd-bbf3-b2c1c320bcb3",
            "created_by_ref": "identity--f431f809-377b-45e0-aa1c-6a4751cae5ff", "name": "Phishing",
            "created": "2026-11-20T08:00:00Z", "modified": "2026-11-20T08:00:00Z", "published": "2026-11-20T08:00:00Z",
            "object_refs": [
                "indicator--a932fcc6-e032-476c-826f-cb970a5a1ade", "indicator--b8322c9b-8031-4b4d-a3d2-4d5b0d0b3c6b",
            ],
        },
    ],
}  # fmt: skip
"""Made by somebody else, with identifiers, times and keys of their own."""


def answered(*looks: seen.Seen, notes: dict[str, str] | None = None) -> list[dict[str, Any]]:
    found = stix_reading.read(json.dumps(SOC), NOW)
    one = Advisory.model_validate_json(json.dumps(found.values))
    text = stix.bundle(one, looks, "Favrskov", AT, sent=found.sent, notes=notes)
    stix2.parse(re.sub("456789Z", "456Z", text), allow_custom=True)
    objects: list[dict[str, Any]] = json.loads(text)["objects"]
    return objects


def test_what_a_soc_sent_is_given_back_as_it_came_and_sightings_are_of_it() -> None:
    looks = [seen.Seen(one, 3, True, AT, AT) for one in EVERY.indicators if one.type in {"ipv4", "domain"}]
    made = answered(*looks)
    assert made[: len(SOC["objects"])] == SOC["objects"]
    own, *sightings = made[len(SOC["objects"]) :]
    assert own["name"] == "Favrskov"
    assert [(one["sighting_of_ref"][11:15], one["description"]) for one in sightings] == [
        ("a932", "ipv4 198.51.100.77"), ("b832", "ipv4 198.51.100.77"), ("a932", "domain evil.example"),
    ]  # fmt: skip
    assert {one["created_by_ref"] for one in sightings} == {own["id"]}
    assert len({one["id"] for one in made}) == len(made)


def test_what_was_not_looked_at_is_a_note_and_no_first_time_is_said() -> None:
    one = EVERY.indicators[0]
    more = seen.Seen(one, 1000, False, "2026-11-20T08:00:00Z", "2026-11-24T07:00:00Z")
    made = answered(more, seen.Seen(EVERY.indicators[2], 0, False), notes={"Not looked for": "indicator 3: x"})
    for sighting in (each for each in made if each["type"] == "sighting"):
        assert "first_seen" not in sighting
        assert sighting["last_seen"] == "2026-11-24T07:00:00Z"
    notes = {each["content"]: [ref[:15] for ref in each["object_refs"]] for each in made if each["type"] == "note"}
    assert notes == {
        "indicator 3: x": ["report--84e4d88"],
        "ipv4 198.51.100.77: in 1000 events or more. Only the newest were looked at; the first may be older than "
        "2026-11-20T08:00:00Z.": ["indicator--a932", "indicator--b832"],
        "domain evil.example: not seen in the newest events that are like it. There are more, which were not "
        "looked at.": ["indicator--a932"],
    }


def test_patterns_joined_by_or_are_read_and_others_are_named() -> None:
    text = stix.bundle(advisory(EVERY.indicators[0], EVERY.indicators[2]), [], "Favrskov", AT)
    both = text.replace(
        "[ipv4-addr:value = '198.51.100.77']", "[ipv4-addr:value = '198.51.100.1' OR domain-name:value = 'a.example']"
    ).replace("[domain-name:value = 'evil.example']", NOT_EQUAL)
    found = stix_reading.read(both, NOW)
    assert found.values["indicators"] == [
        {"type": "ipv4", "value": "198.51.100.1"},
        {"type": "domain", "value": "a.example"},
    ]
    assert found.places == ("indicator 1", "indicator 1")
    assert found.unread == (
        f"indicator 2: only equal addresses, names and SHA-256, joined by OR, are looked for: {NOT_EQUAL}",
    )


def changed(**values: Any) -> str:
    """A bundle with one good indicator, and one that says other things."""
    made = json.loads(stix.bundle(advisory(EVERY.indicators[0], EVERY.indicators[2]), [], "Favrskov", AT))
    (one,) = (each for each in made["objects"] if each.get("pattern") == "[domain-name:value = 'evil.example']")
    one.update(values)
    return json.dumps(made)


def of_report(**values: Any) -> str:
    made = json.loads(stix.bundle(EVERY, [], "Favrskov", AT))
    (one,) = (each for each in made["objects"] if each["type"] == "report")
    one.update(values)
    return json.dumps(made)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"pattern": "[ipv4-addr:value = '198.51.100.0/24']"}, "not an address such as 198.51.100.77"),
        ({"pattern": "[domain-name:value = 'blå.example']"}, "not a name such as evil.example"),
        ({"pattern": "[url:value = 'evil.example/a']"}, "not an address such as https://evil.example/a"),
        ({"pattern": f"[url:value = 'https://evil.example/{'a' * 400}']"}, "too short or too long"),
        ({"pattern": "[url:value = 'https://evil.example/\u200b']"}, "invisible"),
        ({"pattern": "[url:value = 'https://evil.example/\ud800']"}, "invisible"),
        ({"pattern": "[domain-name:value = 'x']"}, "too short"),
        ({"pattern": "[file:hashes.MD5 = 'd41d8cd98f00b204e9800998ecf8427e']"}, "only equal addresses"),
        ({"pattern": "rule x { condition: true }", "pattern_type": "yara"}, "only patterns of STIX"),
        ({"revoked": True}, "it is revoked"),
        ({"valid_until": "2026-11-24T08:30:00Z"}, "it was valid until 2026-11-24T08:30:00Z only"),
        ({"id": "indicator--1b9d0a5e-8d0a-4b0a-9d0a-5e8d0a4b0a9d"}, "the report does not name it"),
    ],
)
def test_what_cannot_be_looked_for_is_named_and_ends_nothing(values: dict[str, Any], reason: str) -> None:
    found = stix_reading.read(changed(**values), NOW)
    assert found.values["indicators"] == [{"type": "ipv4", "value": "198.51.100.77"}]
    assert found.unread[0].startswith("indicator 2: ")
    assert reason in found.unread[0]
    Advisory.model_validate_json(json.dumps(found.values))


def test_of_several_hashes_of_a_file_the_one_that_can_be_is_looked_for() -> None:
    """As platforms write a file: each hash they know, joined by OR. The archive may hold it by any of them."""
    hashes = [
        f"file:hashes.{name} = '{'a' * size}'" for name, size in (("MD5", 32), ("'SHA-1'", 40), ("'SHA-256'", 64))
    ]
    found = stix_reading.read(changed(pattern=f"[{' OR '.join(hashes)}]"), NOW)
    assert found.values["indicators"][1:] == [{"type": "sha256", "value": "a" * 64}]
    assert [one.split(": ")[1] for one in found.unread] == [
        "file:hashes.MD5 is not looked for", "file:hashes.'SHA-1' is not looked for",
    ]  # fmt: skip


def test_what_still_holds_is_looked_for() -> None:
    found = stix_reading.read(changed(valid_until="2026-11-25T08:00:00Z", revoked=False), NOW)
    assert (len(found.values["indicators"]), found.unread) == (2, ())


def test_of_a_revoked_report_nothing_is_looked_for() -> None:
    found = stix_reading.read(of_report(revoked=True), NOW)
    assert found.values["indicators"] == []
    assert [one.split(": ")[1] for one in found.unread] == ["it is revoked"] * len(VALUES)


def test_what_the_report_names_and_the_bundle_does_not_hold_is_named() -> None:
    ref = "indicator--1b9d0a5e-8d0a-4b0a-9d0a-5e8d0a4b0a9d"
    found = stix_reading.read(of_report(object_refs=[ref]), NOW)
    assert found.unread[-1] == f"{ref}: the report names it, and the bundle does not hold it"


def test_more_indicators_than_are_looked_for_are_named() -> None:
    values = [f"198.51.100.{number}" for number in range(52)]
    every = " OR ".join(f"ipv4-addr:value = '{value}'" for value in values)
    found = stix_reading.read(changed(pattern=f"[{every}]"), NOW)
    Advisory.model_validate_json(json.dumps(found.values))
    assert len(found.values["indicators"]) == 50
    assert [one.split(": ")[1] for one in found.unread] == ["only the first 50 are looked for"] * 3


@pytest.mark.parametrize(
    ("values", "key", "said"),
    [
        ({"description": ""}, "text", "Phishing"),
        ({"description": "a\n\u200bb\ud800"}, "text", "a b"),
        ({"name": "Phishing\r\nigen"}, "title", "Phishing igen"),
        ({"name": "a" * 300}, "title", "a" * 200),
        ({"external_references": [{"source_name": "vaern", "external_id": "SOC 42/26"}]}, "id", None),
        ({"created_by_ref": "identity--1b9d0a5e-8d0a-4b0a-9d0a-5e8d0a4b0a9d"}, "sender", "?"),
    ],
)
def test_what_stix_allows_in_a_report_is_taken(values: dict[str, Any], key: str, said: str | None) -> None:
    text = of_report(**values)
    found = stix_reading.read(text, NOW).values
    Advisory.model_validate_json(json.dumps(found))
    report = next(each["id"] for each in json.loads(text)["objects"] if each["type"] == "report")
    assert found[key] == (report.removeprefix("report--") if said is None else said)


CHANGES: list[dict[str, Any]] = [
    {}, {"title": "Phishing igen"}, {"text": "Bloker ikke."}, {"kind": AdvisoryKind.REQUEST}, {"days": 5},
    {"indicators": EVERY.indicators[:1]}, {"indicators": EVERY.indicators[:2]}, {"sender": "National SOC"},
    {"sent": "2026-11-25T08:00:00Z"}, {"id": "SOC-2"}, {"events": 7},
]  # fmt: skip


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


def test_an_identifier_and_its_time_are_one_object_only() -> None:
    """STIX 2.1, chapter 3.6: whoever has the one that came first would never see the other."""
    said: dict[tuple[str, str], Any] = {}
    for each in CHANGES:
        one = EVERY.model_copy(update={name: value for name, value in each.items() if name != "events"})
        found = [seen.Seen(one.indicators[0], each.get("events", 1), True, AT, AT)]
        for made in json.loads(stix.bundle(one, found, "Favrskov", AT))["objects"]:
            assert said.setdefault((made["id"], made["modified"]), made) == made


def test_nothing_is_twice_in_a_bundle() -> None:
    twice = advisory(EVERY.indicators[0], EVERY.indicators[0], sender="Favrskov")
    found = [seen.Seen(one, 1, True, AT, AT) for one in twice.indicators]
    made = [one["id"] for one in json.loads(stix.bundle(twice, found, "Favrskov", AT))["objects"]]
    assert len(made) == len(set(made)) == 4


def test_a_time_with_more_digits_than_the_library_reads_is_taken() -> None:
    text = stix.bundle(EVERY, [], "Favrskov", AT).replace("08:00:00Z", "08:00:00.123456789Z")
    assert stix_reading.read(text, NOW).values["sent"] == "2026-11-24T08:00:00Z"


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
        stix_reading.read(text, NOW)


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(blacklist_categories=("Cc", "Cs", "Zl", "Zp")), min_size=3, max_size=40))
def test_any_value_survives_the_quotes_of_a_pattern(value: str) -> None:
    one = Indicator.model_construct(type=IndicatorType.URL, value="https://" + value)
    (found,) = stix_reading.of_pattern(stix.pattern_of(one))
    if isinstance(found, Indicator):
        assert found.value == one.value
    else:
        assert wanted(one) or re.search(f"[{UNPRINTED}]", value)
