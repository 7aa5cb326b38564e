"""What the archiver reports of one municipality: the latest event of each declared source, what is wrong. Pure.

Only names that are declared are looked at.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import ARCHIVE_FINDING, SIGHTING_TIME
from vaern_programs.shared.times import unix_or


@dataclass
class LatestEvents:
    """What has arrived of one municipality; times are Unix seconds."""

    as_of: float = 0.0
    """Up to when its topics have been read."""
    times: dict[str, float] = field(default_factory=dict)
    """Source to the time of its latest event."""
    heartbeats: dict[str, str] = field(default_factory=dict)
    """Host's source to its latest event, as JSON text."""


def latest_events(report: Any, sources: Iterable[str]) -> LatestEvents:
    """Those in all topics of a municipality: a sector that a SOC reads by itself has one of its own.

    `report` is the archiver's file of the municipality. Raises UnfitError when it has not the shape it should have.
    """
    topics = [_mapping(topic) for topic in _mapping(_mapping(report).get("topics", {})).values()]
    latest = LatestEvents(min((SIGHTING_TIME.take(topic.get("as_of", 0.0)) for topic in topics), default=0.0))
    for topic in topics:
        seen, events = _mapping(topic.get("seen", {})), _mapping(topic.get("told", {}))
        for name in sources:
            if name not in seen:
                continue
            at = SIGHTING_TIME.take(seen[name])
            if at >= latest.times.get(name, 0.0):
                latest.times[name] = at
                if isinstance(events.get(name), str):
                    latest.heartbeats[name] = events[name]
    return latest


def conditions_of_archive(report: Any, code: str) -> dict[Key, Condition]:
    """What is wrong with the archive of a municipality. Raises UnfitError as above."""
    findings = _mapping(report).get("findings", [])
    if not isinstance(findings, list):
        raise UnfitError("the archiver's report has no list of findings")
    found = map(ARCHIVE_FINDING.take, findings)
    return {
        Key(code, one["kind"], code): Condition(unix_or(one["since"], 0.0), one["value"], one["limit"]) for one in found
    }


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UnfitError("the archiver's report is not what it should be")
    return value
