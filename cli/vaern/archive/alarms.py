"""The alarms that are open, as the collector's alarm service has them now."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from vaern.errors import ProvisionError, UnreachableError
from vaern.model.deployment import Deployment
from vaern.model.naming import SHARED
from vaern.model.vocabulary import Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern_programs.shared.answers import ALARM_RECORD, JUDGED_SOURCES, OPEN_ALARMS
from vaern_programs.shared.reports import (
    DROPPED_SENDERS,
    UNKNOWN_SENDERS,
    DroppedSenders,
    Schema,
    UnfitError,
    UnknownSenders,
)
from vaern_stacks.azure.naming import Names

OPEN = "/run/vaern-alarms/open.json"
JUDGED = "/run/vaern-alarms/sources.json"
ON_AZURE = (
    "no alarm service runs on Azure; alert rules write to azure.owner when a municipality is silent or throttled, a "
    "hub is down or its disk fills (portal: Monitor, Alerts; resource group {group} and each municipality's); nobody "
    "watches single sources, clocks and certificates: see docs/azure.md"
)
ANSWER_BYTES = 8 << 20
"""Thousands of open alarms."""
STALE_SECONDS = 60
"""The alarm service writes its file every second."""


Shape = TypeVar("Shape")
Judged: TypeAlias = dict[str, dict[str, dict[str, str]]]
"""Four-digit code to source to check (`unread`, `field source.ip`) to right, wrong, unknown or not judged."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One open alarm. Times are UTC, RFC 3339; the texts say everything a reader needs."""

    municipality: str
    """Four-digit code, or `shared` for a shared host."""
    kind: str
    subject: str
    since: str
    raised: str
    danish: str
    english: str
    lines: tuple[str, ...] = ()
    """Lines of the source that show it, with every digit masked."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """The open alarms. `unknown` says why they could not be read; empty when they could."""

    open: tuple[Alarm, ...]
    unknown: str = ""
    judged: Judged = field(default_factory=dict)
    """By code how each source was judged; of a municipality that is not in it, nobody knows."""
    unknown_senders: Mapping[str, Mapping[str, UnknownSenders]] = field(default_factory=dict)
    """Code and relay to who sends there and is not declared; only of relays that say so."""
    dropped_by_firewall: Mapping[str, Mapping[str, DroppedSenders]] = field(default_factory=dict)
    """The same, of whom the firewall there drops."""

    def of(self, code: str) -> tuple[Alarm, ...]:
        """The alarms of the municipality with that four-digit code."""
        return tuple(alarm for alarm in self.open if alarm.municipality == code)

    def texts(self, code: str) -> list[tuple[str, str]]:
        """Danish and English text of each alarm for that municipality, those of the shared hosts first."""
        return [(alarm.danish, alarm.english) for alarm in (*self.shared, *self.of(code))]

    @property
    def shared(self) -> tuple[Alarm, ...]:
        """The alarms of the shared hosts, which concern every municipality."""
        return self.of(SHARED)


def read(project: Project, deployment: Deployment) -> Alarms:
    """Read the open alarms from the collector, over one ssh connection. Never raises: a failure is put in `unknown`."""
    if deployment.target is Target.AZURE:
        return Alarms((), ON_AZURE.format(group=Names.of(deployment).group(SHARED)))
    try:
        command = f"date +%s; cat {OPEN}; stat --printf '\\n%Y\\n' {OPEN}; cat {JUDGED}"
        answer = ssh.run(project, deployment.collector.name, command, limit=ANSWER_BYTES)
    except ProvisionError as error:
        return Alarms((), f"{error.what}; {error.fix}")
    except UnreachableError as error:
        return Alarms((), error.what)
    return parsed(answer.stdout)


def parsed(text: str) -> Alarms:
    """From the host's clock, the alarm service's file, when that was written, and how it judged, each on a line."""
    try:
        now, found, written, *judged = text.split("\n")[:4]
        said = OPEN_ALARMS.parse(found)
        records = said["alarms"]
        age = int(now) - int(written)
    except ValueError:
        return Alarms((), "the alarm service of the collector does not run")
    alarms = tuple(alarm for record in records if (alarm := _alarm(record)) is not None)
    if age > STALE_SECONDS:
        return Alarms(alarms, f"the alarm service of the collector stopped {age} s ago")
    by_code = _judged(judged[0] if judged else "")
    senders = _by_relay(UNKNOWN_SENDERS, said.get("unknown_senders", {}))
    dropped = _by_relay(DROPPED_SENDERS, said.get("dropped_by_firewall", {}))
    wrong = len(records) - len(alarms)
    return Alarms(
        alarms, f"{wrong} of the open alarms are not as they should be" if wrong else "", by_code, senders, dropped
    )


def _judged(text: str) -> Judged:
    """How each source was judged; nothing where an earlier version of the alarm service does not say it."""
    try:
        found = JUDGED_SOURCES.parse(text)["municipalities"]
    except UnfitError:
        return {}
    return {
        code: {source: {check: str(word) for check, word in words.items()} for source, words in those.items()}
        for code, those in found.items()
    }


def _by_relay(schema: Schema[Shape], told: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Shape]]:
    """Those of the relays that say what can be read; a relay that does not is one of whom nothing is known."""
    found: dict[str, dict[str, Shape]] = {code: {} for code in told}
    for code, relays in told.items():
        for relay, said in relays.items():
            with suppress(UnfitError):
                found[code][relay] = schema.take(said)
    return found


def _alarm(found: object) -> Alarm | None:
    try:
        record = ALARM_RECORD.take(found)
    except UnfitError:
        return None
    return Alarm(
        municipality=record["municipality"],
        kind=record["kind"],
        subject=record["subject"],
        since=record["since"],
        raised=record["time"],
        danish=record["text"]["da"],
        english=record["text"]["en"],
        lines=tuple(record.get("lines", ())),
    )
