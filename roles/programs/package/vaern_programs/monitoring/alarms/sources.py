"""Alarms about single sources of a municipality, by what the archiver has seen of their lines.

What was judged holds until the archiver tells something new: thousands of sources are not judged anew each second. What
nobody can know, as a relay is not heard or the archiver tells nothing, is unknown: no alarm is raised, and none ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.monitoring.alarms.source_checks import Finding, Word, checked, unknown
from vaern_programs.monitoring.alarms.volume import PERIOD, SECONDS, Told, Volume, Volumes
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.observed import Observed, ObservedSources, window_seconds

KINDS = ("unread", "field", "sender_clock", "withheld", "cut", "volume", "rate")
"""Alarms about a source, beside that it is silent."""
STALE_SECONDS = 60.0
"""What the archiver told longer ago than a window and this says nothing about now."""
Taken = tuple[ObservedSources, dict[str, Observed]]
Words = dict[str, dict[str, str]]
"""Source to check to how it went; a field is `field <name>`."""


@dataclass
class Judged:
    """What is wrong with the sources of one municipality, and what is not known of them."""

    conditions: dict[Key, Condition] = field(default_factory=dict)
    unknown: set[Key] = field(default_factory=set)
    words: Words = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """What is known of one municipality beside what the archiver has seen of its lines."""

    taken: Taken | None
    """What the archiver tells; None where it tells nothing, or is of an earlier version."""
    unheard: frozenset[str]
    """Sources behind a relay that is not heard, or of which a queue is waiting."""
    opened: frozenset[Key]
    """Its alarms about sources that are open."""
    now: float


def is_about_source(key: Key) -> bool:
    """Whether an alarm is one of these."""
    return key.kind in KINDS


class SourceAlarms:
    """The sources of all municipalities, each by itself."""

    def __init__(self, settings: Mapping[str, Any], folder: Path | None = None) -> None:
        """`settings` are the collector's; `folder` keeps the hours of each municipality, when it is given."""
        limits = settings.get("alarms", {})
        self.window = window_seconds(settings)
        self.hour = float(limits.get("volume_seconds", SECONDS))
        self.period = int(limits.get("volume_period", PERIOD))
        self.folder = folder
        self.volumes: dict[str, Volumes] = {}
        self.last: dict[str, tuple[tuple[Any, ...], Judged]] = {}

    def judge(self, tenant: Mapping[str, Any], heard: Heard) -> Judged:
        """The sources of one municipality now."""
        code, taken = tenant["code"], heard.taken
        if taken is not None and heard.now - taken[0]["time"] > self.window + STALE_SECONDS:
            taken = None
        same = (taken and taken[0]["time"], heard.unheard, heard.opened, tenant.get("sources"))
        last = self.last.get(code)
        if taken is not None and last is not None and last[0] == same:
            return last[1]
        volumes = self._volumes(tenant)
        told = Told(taken[0]["began"], {name: one["lines"] for name, one in taken[1].items()}) if taken else None
        if volumes.look(told, heard.now, heard.unheard):
            self._keep(code, volumes)
        observed = taken[1] if taken else {}
        judged = judged_of(tenant, observed, volumes.of, heard, self.window)
        self.last[code] = (same, judged)
        return judged

    def forget(self, codes: Collection[str]) -> None:
        """Keep only these municipalities."""
        for code in self.volumes.keys() - set(codes):
            del self.volumes[code]
        for code in self.last.keys() - set(codes):
            del self.last[code]

    def _volumes(self, tenant: Mapping[str, Any]) -> Volumes:
        code = tenant["code"]
        if code not in self.volumes:
            found = read_json(_kept_in(self.folder, code), None) if self.folder else None
            self.volumes[code] = Volumes.restored(found, self.hour, self.period)
        self.volumes[code].declare(source["name"] for source in tenant.get("sources", []))
        return self.volumes[code]

    def _keep(self, code: str, volumes: Volumes) -> None:
        if self.folder:
            replace(_kept_in(self.folder, code), json.dumps(volumes.stored()), durable=False)


def judged_of(
    tenant: Mapping[str, Any],
    observed: Mapping[str, Observed],
    volume_of: Callable[[str], Volume],
    heard: Heard,
    window: float,
) -> Judged:
    """All declared sources of one municipality. Pure."""
    judged = Judged()
    code = tenant["code"]
    for source in tenant.get("sources", []):
        name = source["name"]
        mine = {key for key in heard.opened if key.subject.partition(": ")[0] == name}
        about = {(key.kind, key.subject.partition(": ")[2]) for key in mine}
        one = observed.get(name)
        if one is None or name in heard.unheard:
            findings, kept = unknown(kind for kind in KINDS if kind != "field"), mine
        else:
            declared = source.get("events_per_second")
            is_read = source.get("minimum") is not None
            findings = checked(one, volume_of(name), about, is_read=is_read, declared_rate=declared, window=window)
            kept = set()
        judged.unknown |= kept | {key for key in mine if _word(findings, key) is Word.UNKNOWN}
        for found in findings:
            if found.condition is not None:
                judged.conditions[_key(code, name, found)] = found.condition
        judged.words[name] = {f"{one.kind} {one.about}".strip(): one.word.value for one in findings}
    return judged


def _kept_in(folder: Path, code: str) -> Path:
    """The hours of the municipality with that four-digit code."""
    return folder / f"volume-{code}.json"


def _word(findings: Collection[Finding], key: Key) -> Word | None:
    about = key.subject.partition(": ")[2]
    return next((one.word for one in findings if (one.kind, one.about) == (key.kind, about)), None)


def _key(code: str, name: str, found: Finding) -> Key:
    return Key(code, found.kind, f"{name}: {found.about}" if found.about else name)
