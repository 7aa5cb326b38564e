"""Advisories and answers as STIX 2.1, by the library of OASIS; docs/warnings.md has the table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from typing import Any

from vaern.archive.seen import Seen
from vaern.archive.stix_reading import PATHS, REQUEST
from vaern.model.advisory import Advisory, Indicator

NAMESPACE = uuid.UUID("6f0f3c0e-8f4c-5d4b-9a55-3b1f0a9d7c11")
"""Of our identifiers: the same advisory has the same ones each time."""
IDENTITIES_SINCE = "2026-01-01T00:00:00Z"
"""An organization is the same object in every bundle, so nothing of it may differ."""


def pattern_of(indicator: Indicator) -> str:
    """The pattern of an indicator."""
    value = indicator.value.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{PATHS[indicator.type]} = '{value}']"


def bundle(advisory: Advisory, seen: Iterable[Seen], municipality: str, at: str) -> str:
    """An advisory and what was seen of it, as one bundle: report, indicators, identities and sightings.

    Args:
        advisory: as it was read.
        seen: what was found of its indicators.
        municipality: its name.
        at: when the archive was looked through, as `seen` writes times. Each look has sightings of its own.

    STIX 2.1 takes what has one `id` and one `modified` for the same object, made by one producer: so an identifier
    follows from all that its object says (chapters 2.9 and 3.6).
    """
    from stix2.v21 import Bundle

    sender, own = _identity(advisory.sender), _identity(municipality)
    indicators = {one: _indicator(advisory, one, sender) for one in advisory.indicators}
    sightings = [_sighting(indicators[one.indicator], one, own, at) for one in seen if one.events]
    report = _report(advisory, list(indicators.values()), sender)
    # A municipality that warns itself is one identity; what is listed twice is one indicator.
    everything = {one["id"]: one for one in (sender, own, *indicators.values(), report, *sightings)}
    made = Bundle(id=_id("bundle", report["id"], municipality, at), objects=list(everything.values()))
    return str(made.serialize(pretty=True))


def _identity(name: str) -> Any:
    from stix2.v21 import Identity

    times = {"created": IDENTITIES_SINCE, "modified": IDENTITIES_SINCE}
    return Identity(id=_id("identity", name), name=name, identity_class="organization", **times)


def _indicator(advisory: Advisory, one: Indicator, sender: Any) -> Any:
    from stix2.v21 import Indicator as StixIndicator

    return StixIndicator(
        id=_id("indicator", advisory.sender, advisory.id, advisory.sent, one.type, one.value),
        pattern=pattern_of(one),
        pattern_type="stix",
        valid_from=advisory.sent,
        created_by_ref=sender["id"],
        created=advisory.sent,
        modified=advisory.sent,
    )


def _report(advisory: Advisory, indicators: list[Any], sender: Any) -> Any:
    from stix2.v21 import Report

    refs = list(dict.fromkeys(one["id"] for one in indicators)) or [sender["id"]]
    told = (advisory.kind, advisory.title, advisory.text)
    return Report(
        id=_id("report", advisory.sender, advisory.id, advisory.sent, *told, *refs),
        name=advisory.title,
        description=advisory.text,
        published=advisory.sent,
        labels=[REQUEST] if advisory.kind == "request" else ["vaern-warning"],
        object_refs=refs,
        external_references=[{"source_name": "vaern", "external_id": advisory.id}],
        created_by_ref=sender["id"],
        created=advisory.sent,
        modified=advisory.sent,
    )


def _sighting(indicator: Any, one: Seen, own: Any, at: str) -> Any:
    from stix2.v21 import Sighting

    return Sighting(
        id=_id("sighting", indicator["id"], own["id"], at, str(one.events), one.first, one.last),
        sighting_of_ref=indicator["id"],
        where_sighted_refs=[own["id"]],
        count=one.events,
        **({"first_seen": one.first, "last_seen": one.last} if one.first else {}),
        created_by_ref=own["id"],
        created=at,
        modified=at,
    )


def _id(kind: str, *known_by: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, json.dumps([kind, *known_by]))}"
