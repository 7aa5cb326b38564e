"""A warning or request of a SOC: held against the municipality's archive, told to its people, and recorded."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from vaern.archive import seen as archived
from vaern.archive import stix
from vaern.archive.export import Request, search
from vaern.archive.seen import Seen
from vaern.model.advisory import Advisory, AdvisoryKind
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.runtime.paths import Project
from vaern.workflows.duties import Duty
from vaern.workflows.warning_received import Received
from vaern_programs.shared.times import unix


def held_against(
    project: Project, deployment: Deployment, municipality: Municipality, advisory: Advisory, now: datetime
) -> list[Seen]:
    """Look for each indicator in the archive, back to the days that are asked for. Raises as `search` does."""

    def ask(texts: tuple[str, ...]) -> tuple[list[dict[str, Any]], Any]:
        request = Request(
            asked_by=getpass.getuser(),
            case=advisory.id,
            texts=texts,
            since=now - timedelta(days=advisory.days),
            limit=archived.MOST_EVENTS,
        )
        return search(project, deployment, municipality, request)

    return list(map(partial(archived.look, search=ask), advisory.indicators))


def answer(one: Received, municipality: Municipality, seen: Iterable[Seen], now: datetime) -> dict[str, Any]:
    """The receipt and what was found, for the SOC and for the record."""
    found = list(seen)
    advisory = one.advisory
    return {
        "version": 1,
        "advisory": advisory.id,
        "sha256": one.sha256,
        "municipality": municipality.code,
        "received": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "since": (now - timedelta(days=advisory.days)).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seen": any(each.events for each in found),
        "indicators": [
            {
                "type": each.indicator.type.value,
                "value": each.indicator.value,
                "events": each.events,
                "complete": each.complete,
                "first": each.first,
                "last": each.last,
                "sources": list(each.sources),
                "access": each.access,
            }
            for each in found
        ],
        "not_looked_for": list(one.unread),
    }


def outcome(one: Received, found: dict[str, Any]) -> str:
    """What came of it, in words."""
    if one.is_blind:
        return "nothing looked for"
    return "seen" if found["seen"] else "not seen"


def in_stix(one: Received, seen: Iterable[Seen], municipality: Municipality, found: dict[str, Any]) -> str:
    """The same as `answer`, as a bundle of STIX: what it has no object for is said in notes."""
    notes = {}
    if one.is_blind or one.unread:
        notes["Not looked for"] = "\n".join((*["Nothing was looked for."] * one.is_blind, *one.unread))
    if found.get("reply"):
        notes["Reply"] = found["reply"]
    return stix.bundle(one.advisory, seen, municipality.name, found["received"], sent=one.sent, notes=notes)


def document(found: dict[str, Any]) -> str:
    """The answer as it is kept."""
    return json.dumps(found, ensure_ascii=False, indent=2) + "\n"


def told(one: Received, municipality: Municipality, found: dict[str, Any]) -> Duty:
    """What the municipality's people and operations are told."""
    advisory = one.advisory
    hits = [each for each in found["indicators"] if each["events"]]
    if one.is_blind:
        danish, english = " Intet er eftersøgt i arkivet.", " Nothing was looked for in the archive."
    elif not found["indicators"]:
        danish, english = "", ""
    elif hits:
        first = min((each["first"] for each in hits if each["first"]), default="?", key=unix)
        where = ", ".join(sorted({name for each in hits for name in each["sources"]}))
        danish = f" Set i arkivet siden {first} fra {where}."
        english = f" Seen in the archive since {first} from {where}."
    else:
        danish, english = " Ikke set i arkivet.", " Not seen in the archive."
    if left := len(found["not_looked_for"]):
        danish += f" Ikke ledt efter: {left}."
        english += f" Not looked for: {left}."
    word = "beder om" if advisory.kind is AdvisoryKind.REQUEST else "advarer"
    return Duty(
        municipality.code,
        "warning",
        advisory.id,
        found["received"],
        f"{advisory.sender} {word}: {advisory.title} ({advisory.id}).{danish}",
        f"{advisory.sender}: {advisory.title} ({advisory.id}).{english}",
    )


def now() -> datetime:
    """UTC, whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)
