"""Advisories and answers as STIX 2.1, by the library of OASIS; docs/warnings.md has the table."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from vaern.archive.seen import Seen
from vaern.archive.stix_reading import PATHS, REQUEST, Sent
from vaern.model.advisory import Advisory, Indicator

NAMESPACE = uuid.UUID("6f0f3c0e-8f4c-5d4b-9a55-3b1f0a9d7c11")
"""Of our identifiers: the same advisory has the same ones each time."""
IDENTITIES_SINCE = "2026-01-01T00:00:00Z"
"""An organization is the same object in every bundle, so nothing of it may differ."""
INCOMPLETE = "Not all events were looked at"


def pattern_of(indicator: Indicator) -> str:
    """The pattern of an indicator."""
    value = indicator.value.replace("\\", "\\\\").replace("'", "\\'")
    return f"[{PATHS[indicator.type]} = '{value}']"


def bundle(
    advisory: Advisory,
    seen: Iterable[Seen],
    municipality: str,
    at: str,
    *,
    sent: Sent | None = None,
    notes: Mapping[str, str] | None = None,
) -> str:
    """An advisory and what was seen of it, as one bundle: report, indicators, identities, sightings and notes.

    Args:
        advisory: as it was read.
        seen: what was found of its indicators.
        municipality: its name.
        at: when the archive was looked through, as `seen` writes times. Each look has sightings of its own.
        sent: the objects of a bundle that it came as: they are given back as they came, and sightings are of them.
        notes: what else is said of the whole, such as what was not looked for: title and text.

    STIX 2.1 takes what has one `id` and one `modified` for the same object, made by one producer: so an identifier
    follows from all that its object says (chapters 2.9 and 3.6).
    """
    from stix2.v21 import Bundle

    own, found = _identity(municipality), list(seen)
    theirs, sent = ([], sent) if sent else _made(advisory)
    sightings = [_sighting(ref, one, own, at) for one in found if one.events for ref in sent.indicators[one.indicator]]
    said = [_note(title, text, [sent.report], own, at) for title, text in (notes or {}).items()]
    said += [
        _note(INCOMPLETE, _more(one), sent.indicators[one.indicator], own, at) for one in found if not one.complete
    ]
    # A municipality that warns itself is one identity; what is listed twice is one indicator.
    everything = {one["id"]: one for one in (*theirs, own, *sightings, *said)}
    for one in sent.objects:
        everything.pop(one["id"], None)
    known_by = [*(one["id"] for one in sent.objects), *everything]
    made = Bundle(id=_id("bundle", *known_by), objects=list(everything.values()))
    document = json.loads(made.serialize(pretty=True))
    document["objects"] = [*sent.objects, *document.get("objects", [])]
    return json.dumps(document, indent=4)


def _made(advisory: Advisory) -> tuple[list[Any], Sent]:
    """Sender, indicators and report of an advisory that came in our own format."""
    sender = _identity(advisory.sender)
    indicators = {one: _indicator(advisory, one, sender) for one in advisory.indicators}
    report = _report(advisory, list(indicators.values()), sender)
    ids = {one: (made["id"],) for one, made in indicators.items()}
    return [sender, *indicators.values(), report], Sent(report["id"], ids, ())


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


def _sighting(ref: str, one: Seen, own: Any, at: str) -> Any:
    """Where there are more events than were looked at, nobody knows the first: only the last is said."""
    from stix2.v21 import Sighting

    times = {"first_seen": one.first, "last_seen": one.last} if one.first else {}
    if not one.complete:
        times.pop("first_seen", None)
    # One indicator may stand for several values.
    what = f"{one.indicator.type} {one.indicator.value}"
    return Sighting(
        id=_id("sighting", ref, own["id"], at, what, str(one.events), *times, *times.values()),
        description=what,
        sighting_of_ref=ref,
        where_sighted_refs=[own["id"]],
        count=one.events,
        **times,
        created_by_ref=own["id"],
        created=at,
        modified=at,
    )


def _more(one: Seen) -> str:
    what = f"{one.indicator.type} {one.indicator.value}"
    if one.events:
        first = f"; the first may be older than {one.first}" if one.first else ""
        return f"{what}: in {one.events} events or more. Only the newest were looked at{first}."
    return f"{what}: not seen in the newest events that are like it. There are more, which were not looked at."


def _note(title: str, text: str, refs: Iterable[str], own: Any, at: str) -> Any:
    from stix2.v21 import Note

    about = list(dict.fromkeys(refs))
    return Note(
        id=_id("note", own["id"], at, title, text, *about),
        abstract=title,
        content=text,
        object_refs=about,
        created_by_ref=own["id"],
        created=at,
        modified=at,
    )


def _id(kind: str, *known_by: str) -> str:
    return f"{kind}--{uuid.uuid5(NAMESPACE, json.dumps([kind, *known_by]))}"
