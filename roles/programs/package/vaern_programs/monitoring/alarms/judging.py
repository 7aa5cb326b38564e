"""What is not as declared, by the latest events and the reports of hosts. Pure; times are Unix seconds.

Silence counts from the last event, and never from before an event could have arrived: counting begins when a source is
first declared, again when archive or broker were away, and again when its relay comes back. What cannot be judged is
`unknown`: no alarm is raised and none is cleared. An alarm about silence that is open ends with an event, and only so.
Each municipality is judged by itself: where that fails, it is an alarm of that municipality, and the others are judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from vaern_programs.monitoring.alarms.counting import MISSING_SECONDS, conditions_of_ledger
from vaern_programs.monitoring.alarms.heartbeats import FOUND, conditions_of, from_event, is_of_host
from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.monitoring.alarms.memory import Memory, names_of
from vaern_programs.monitoring.alarms.sightings import conditions_of_archive, latest_events
from vaern_programs.monitoring.alarms.sources import Heard, SourceAlarms, Taken, Words, is_about_source
from vaern_programs.shared.health import Health
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import DroppedSenders, UnknownSenders
from vaern_programs.shared.times import unix_or

MILLISECOND = 0.001
"""How exactly the beginning of an alarm is written down."""
OF_HOST = frozenset({*FOUND, "late", "reports"})
"""Alarms that a heartbeat raises and clears."""


@dataclass
class Judgement:
    """What is wrong now, and of whom nothing is known."""

    conditions: dict[Key, Condition] = field(default_factory=dict)
    unknown: set[Key] = field(default_factory=set)
    faults: dict[str, str] = field(default_factory=dict)
    """Code to why that municipality could not be judged."""
    words: dict[str, Words] = field(default_factory=dict)
    """Code to how each check of each of its sources went."""
    unknown_senders: dict[str, dict[str, UnknownSenders]] = field(default_factory=dict)
    """Code to who sends to each relay and is not declared, by the relay's name; only of those that say so."""
    dropped_by_firewall: dict[str, dict[str, DroppedSenders]] = field(default_factory=dict)
    """The same, of whom the relay's firewall drops."""


class Look:
    """What there is to judge by at one look."""

    def __init__(
        self,
        archive: Mapping[str, Any],
        settings: Mapping[str, Any],
        opened: Mapping[Key, float],
        now: float,
        ledger: Mapping[str, Health] | None = None,
        started: float = 0.0,
        sources: SourceAlarms | None = None,
        observed: Mapping[str, Taken | None] | None = None,
    ) -> None:
        """State what was found.

        `archive` is the archiver's report of each municipality, by code; `settings` has `tenants` and `alarms`;
        `opened` are the open alarms with the time each began; `ledger` says how each count went (None: not looked at),
        and `started` since when it is looked at; `sources` remembers what is usual of each source (None: single sources
        are not judged), and `observed` has what the archiver tells of them, by code.
        """
        self.archive, self.settings, self.opened = archive, settings, opened
        self.now, self.ledger, self.started = now, ledger, started
        self.sources, self.observed = sources, observed or {}


def judge(memory: Memory, look: Look) -> Judgement:
    """Judge every municipality, and bring the memory up to date."""
    whole = Judgement()
    for tenant in look.settings["tenants"]:
        code = tenant["code"]
        try:
            part = _Municipality(memory, tenant, look).judge()
        except Exception as error:  # noqa: BLE001 whatever it is, the other municipalities are judged
            part = Judgement(
                {Key(code, "unjudged", code): Condition(look.now)},
                {key for key in look.opened if key.municipality == code},
                {code: f"{type(error).__name__}: {error}"},
            )
        whole.conditions |= part.conditions
        whole.unknown |= part.unknown
        whole.faults |= part.faults
        whole.words |= part.words
        whole.unknown_senders |= part.unknown_senders
        whole.dropped_by_firewall |= part.dropped_by_firewall
    memory.forget(look.settings["tenants"])
    return whole


class _Municipality:
    """One municipality at one look."""

    def __init__(self, memory: Memory, tenant: Mapping[str, Any], look: Look) -> None:
        self.memory, self.tenant, self.look = memory, tenant, look
        self.code, self.limits = tenant["code"], look.settings["alarms"]
        self.report = look.archive.get(self.code, {})
        self.latest = latest_events(self.report, list(names_of(tenant)))
        self.judgement = Judgement()

    def judge(self) -> Judgement:
        as_of = self._read_to()
        blind = self.look.now - as_of > self.limits["blind_seconds"]
        if blind:
            behind = round(self.look.now - as_of)
            self._wrong("archive", self.code, Condition(as_of, behind, self.limits["blind_seconds"]))
        away = set()
        for host in self.tenant.get("hosts", []):
            silent = self._silence("heartbeat", host["source"], host["name"], self.limits["heartbeat_seconds"], as_of)
            if silent:
                away.add(host["name"])
            self._heartbeat(host, known=not (silent or blind))
        for source in self.tenant.get("sources", []):
            key = Key(self.code, "silent", source["name"])
            if source["relay"] in away:
                self.memory.counting[f"{self.code} {source['name']}"] = as_of
                self.judgement.unknown.add(key)
            self._silence("silent", source["name"], source["name"], source["silent_after_minutes"] * 60, as_of)
        if self.look.sources is not None:
            self._sources(self.look.sources, away, blind=blind)
        self.judgement.conditions |= conditions_of_archive(self.report, self.code)
        if self.look.ledger is not None:
            health = self.look.ledger.get(self.code)
            conditions, unknown = conditions_of_ledger(
                self.code,
                health,
                self.look.started,
                self.look.now,
                self.look.opened,
                self.limits.get("missing_seconds", MISSING_SECONDS),
            )
            self.judgement.conditions |= conditions
            self.judgement.unknown |= unknown
        return self.judgement

    def _sources(self, sources: SourceAlarms, away: set[str], *, blind: bool) -> None:
        """What the lines of each source say; of those that are not heard, or arrive late, nothing is known."""
        late = {key.subject for key in self.judgement.conditions if key.kind == "late"}
        unheard = frozenset(
            source["name"]
            for source in self.tenant.get("sources", [])
            if blind or source["relay"] in away or source["relay"] in late
        )
        opened = frozenset(key for key in self.look.opened if key.municipality == self.code and is_about_source(key))
        taken = self.look.observed.get(self.code)
        judged = sources.judge(self.tenant, Heard(taken, unheard, opened, self.look.now))
        self.judgement.conditions |= judged.conditions
        self.judgement.unknown |= judged.unknown
        self.judgement.words[self.code] = judged.words

    def _read_to(self) -> float:
        """Up to when the topic has been read; after a time without reading, all silence counts from here."""
        before = self.memory.as_of.setdefault(self.code, self.look.now)
        as_of = max(before, self.latest.as_of)
        if as_of - before > self.limits["blind_seconds"]:
            for name in names_of(self.tenant):
                self.memory.counting[f"{self.code} {name}"] = as_of
        self.memory.as_of[self.code] = as_of
        return as_of

    def _silence(self, kind: str, name: str, subject: str, limit: float, as_of: float) -> bool:
        """Whether that source is silent for longer than its limit, by what has been read."""
        key, at = Key(self.code, kind, subject), f"{self.code} {name}"
        seen = max(self.memory.seen.get(at, 0.0), self.latest.times.get(name, 0.0))
        self.memory.seen[at] = seen
        since = max(seen, self.memory.counting.setdefault(at, self.look.now))
        if key in self.look.opened:
            silent = seen <= self.look.opened[key] + MILLISECOND
            since = self.look.opened[key]
        else:
            silent = key not in self.judgement.unknown and as_of - since > limit
        if silent:
            self._wrong(kind, subject, Condition(since, round(as_of - since), limit))
        return silent

    def _heartbeat(self, host: Mapping[str, str], *, known: bool) -> None:
        """What a host says of itself. While it is silent, or says what is no heartbeat, what it said before stays."""
        mine = {
            key
            for key in self.look.opened
            if key.municipality == self.code and key.kind in OF_HOST and is_of_host(key, host["name"])
        }
        event = self.latest.heartbeats.get(host["source"], "")
        if not known or not event:
            self.judgement.unknown |= mine
            return
        arrived = self.memory.seen.get(f"{self.code} {host['source']}", 0.0)
        try:
            report = from_event(event)
        except UnfitError:
            self.judgement.unknown |= mine
            self._wrong("reports", host["name"], Condition(arrived, 1))
            return
        if report.refused:
            self._wrong("reports", host["name"], Condition(arrived, report.refused))
        if report.unknown_senders is not None:
            self.judgement.unknown_senders.setdefault(self.code, {})[host["name"]] = report.unknown_senders
        if report.dropped is not None:
            self.judgement.dropped_by_firewall.setdefault(self.code, {})[host["name"]] = report.dropped
        self.judgement.conditions |= conditions_of(self.code, host["name"], report.findings)
        late = arrived - unix_or(report.time, arrived)
        if late > self.limits["heartbeat_seconds"]:
            self._wrong("late", host["name"], Condition(arrived - late, round(late), self.limits["heartbeat_seconds"]))

    def _wrong(self, kind: str, subject: str, condition: Condition) -> None:
        self.judgement.conditions[Key(self.code, kind, subject)] = condition
