"""Advisories and answers as STIX 2.1, there and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
import stix2
from hypothesis import given, settings
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


EVERY = advisory(*(Indicator(type=kind, value=value) for kind, value in VALUES.items()))


@pytest.mark.parametrize("one", [EVERY, advisory(EVERY.indicators[0], kind="request")])
def test_an_advisory_comes_back_as_it_was(one: Advisory) -> None:
    values, unread = stix.read(stix.bundle(one, [], "Favrskov"))
    assert unread == []
    assert Advisory.model_validate_json(json.dumps(values)) == one


def test_the_same_advisory_is_the_same_bundle() -> None:
    assert stix.bundle(EVERY, [], "Favrskov") == stix.bundle(EVERY, [], "Favrskov")


def test_what_was_seen_is_a_sighting_by_the_municipality() -> None:
    first, second = EVERY.indicators[:2]
    found = [
        seen.Seen(first, 3, True, "2026-11-20T08:00:00Z", "2026-11-24T07:00:00Z", ("firewall1",)),
        seen.Seen(second, 0, True),
    ]
    bundle = stix2.parse(stix.bundle(EVERY, found, "Favrskov"))
    (sighting,) = (one for one in bundle.objects if one.type == "sighting")
    of = next(one for one in bundle.objects if one.id == sighting.sighting_of_ref)
    where = next(one for one in bundle.objects if one.id == sighting.where_sighted_refs[0])
    assert (of.pattern, sighting["count"], where.name) == ("[ipv4-addr:value = '198.51.100.77']", 3, "Favrskov")


def test_patterns_joined_by_or_are_read_and_others_are_named() -> None:
    text = stix.bundle(advisory(EVERY.indicators[0], EVERY.indicators[2]), [], "Favrskov")
    both = text.replace(
        "[ipv4-addr:value = '198.51.100.77']", "[ipv4-addr:value = '198.51.100.1' OR domain-name:value = 'a.example']"
    ).replace("[domain-name:value = 'evil.example']", "[process:name = 'x' AND process:pid = 5]")
    values, unread = stix.read(both)
    assert values["indicators"] == [
        {"type": "ipv4", "value": "198.51.100.1"},
        {"type": "domain", "value": "a.example"},
    ]
    assert unread == ["[process:name = 'x' AND process:pid = 5]"]


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
