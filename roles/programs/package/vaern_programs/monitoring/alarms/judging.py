"""What is not as declared, from what was heard and what the hosts say of themselves. Pure; times are Unix seconds.

Silence is counted from the last event, and never from before it could have been heard: counting begins when a source is
first declared, again when archive or broker were away, and again when its relay comes back. Who cannot be judged now is
`unknown`: no alarm is raised and none is cleared. An alarm about silence that is open ends with an event, and only so.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from vaern_programs.monitoring.alarms.log import SHARED, Condition, Key

FOUND = frozenset({"clock", "certificate", "tunnel", "spool", "queue", "discards", "overflow", "datagrams"})
"""Kinds a heartbeat may tell of; anything else in it is left alone."""
MOST_FINDINGS = 100
NAME_LENGTH = 80
MILLISECOND = 0.001
"""How exactly the beginning of an alarm is written down."""


@dataclass
class Memory:
    """What is kept between looks and over a restart; keys are `<code> <name>`, or the code."""

    seen: dict[str, float] = field(default_factory=dict)
    """Last event of a source or host."""
    counting: dict[str, float] = field(default_factory=dict)
    """Since when its silence counts."""
    as_of: dict[str, float] = field(default_factory=dict)
    """Up to when a municipality's topic has been read."""


@dataclass
class Judgement:
    """What is wrong now, and of whom nothing is known."""

    conditions: dict[Key, Condition] = field(default_factory=dict)
    unknown: set[Key] = field(default_factory=set)


def judge(
    memory: Memory,
    heard: Mapping[str, Any],
    settings: Mapping[str, Any],
    opened: Mapping[Key, float],
    now: float,
) -> Judgement:
    """Judge every municipality, and bring the memory up to date.

    `heard` is what the archiver heard in each topic; `settings` has `tenants` and `alarms`; `opened` are the open
    alarms with the time each began.
    """
    judgement = Judgement()
    for tenant in settings["tenants"]:
        topic = heard_of(heard, tenant["code"])
        _Municipality(memory, judgement, tenant, topic, settings["alarms"], opened, now).judge()
    _forget(memory, settings["tenants"])
    return judgement


def heard_of(heard: Mapping[str, Any], code: str) -> dict[str, Any]:
    """What was heard in all topics of a municipality: a sector that a SOC reads by itself has one of its own."""
    own = f"logs.{code}"
    topics = [topic for name, topic in heard.items() if name == own or name.startswith(f"{own}.")]
    seen: dict[str, float] = {}
    told: dict[str, str] = {}
    for topic in topics:
        for name, at in topic.get("seen", {}).items():
            if float(at) >= seen.get(name, 0.0):
                seen[name] = float(at)
                told |= {name: topic["told"][name]} if name in topic.get("told", {}) else {}
    return {"as_of": min((float(topic.get("as_of", 0.0)) for topic in topics), default=0.0), "seen": seen, "told": told}


def heard_in(reports: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What was heard in every topic, from the archiver's reports by code."""
    return {name: topic for report in reports.values() for name, topic in report.get("topics", {}).items()}


def found_in_archive(reports: Mapping[str, Mapping[str, Any]]) -> dict[Key, Condition]:
    """What is wrong with the archive of each municipality, from the archiver's reports by code."""
    return {
        Key(code, one["kind"], code): Condition(moment(one["since"], 0.0), one["value"], one["limit"])
        for code, report in reports.items()
        for one in report.get("findings", [])
    }


def _forget(memory: Memory, tenants: Iterable[Mapping[str, Any]]) -> None:
    """What is no longer declared begins anew if it ever comes back."""
    declared = {SHARED, *(tenant["code"] for tenant in tenants)}
    for tenant in tenants:
        declared |= {f"{tenant['code']} {source['name']}" for source in tenant.get("sources", [])}
        declared |= {f"{tenant['code']} {host['source']}" for host in tenant.get("hosts", [])}
    for kept in (memory.seen, memory.counting, memory.as_of):
        for name in [name for name in kept if name not in declared]:
            del kept[name]


class _Municipality:
    """One municipality at one look."""

    def __init__(
        self,
        memory: Memory,
        judgement: Judgement,
        tenant: Mapping[str, Any],
        topic: Mapping[str, Any],
        limits: Mapping[str, float],
        opened: Mapping[Key, float],
        now: float,
    ) -> None:
        self.memory, self.judgement, self.tenant, self.topic = memory, judgement, tenant, topic
        self.code, self.limits, self.opened, self.now = tenant["code"], limits, opened, now

    def judge(self) -> None:
        as_of = self._read_to()
        blind = self.now - as_of > self.limits["blind_seconds"]
        if blind:
            self._wrong("archive", self.code, Condition(as_of, round(self.now - as_of), self.limits["blind_seconds"]))
        away = set()
        for host in self.tenant.get("hosts", []):
            silent = self._silence("heartbeat", host["source"], host["name"], self.limits["heartbeat_seconds"], as_of)
            if silent:
                away.add(host["name"])
            self._told_by(host, known=not (silent or blind))
        for source in self.tenant.get("sources", []):
            key = Key(self.code, "silent", source["name"])
            if source["relay"] in away:
                self.memory.counting[f"{self.code} {source['name']}"] = as_of
                self.judgement.unknown.add(key)
            self._silence("silent", source["name"], source["name"], source["silent_after_minutes"] * 60, as_of)

    def _read_to(self) -> float:
        """Up to when the topic has been read; after a time without reading, all silence counts from here."""
        before = self.memory.as_of.setdefault(self.code, self.now)
        as_of = max(before, float(self.topic.get("as_of", 0.0)))
        if as_of - before > self.limits["blind_seconds"]:
            for name in self._names():
                self.memory.counting[f"{self.code} {name}"] = as_of
        self.memory.as_of[self.code] = as_of
        return as_of

    def _names(self) -> Iterator[str]:
        yield from (source["name"] for source in self.tenant.get("sources", []))
        yield from (host["source"] for host in self.tenant.get("hosts", []))

    def _silence(self, kind: str, name: str, subject: str, limit: float, as_of: float) -> bool:
        """Whether that source is silent for longer than its limit, by what has been read."""
        key, at = Key(self.code, kind, subject), f"{self.code} {name}"
        seen = max(self.memory.seen.get(at, 0.0), float(self.topic.get("seen", {}).get(name, 0.0)))
        self.memory.seen[at] = seen
        since = max(seen, self.memory.counting.setdefault(at, self.now))
        if key in self.opened:
            silent = seen <= self.opened[key] + MILLISECOND
            since = self.opened[key]
        else:
            silent = key not in self.judgement.unknown and as_of - since > limit
        if silent:
            self._wrong(kind, subject, Condition(since, round(as_of - since), limit))
        return silent

    def _told_by(self, host: Mapping[str, str], *, known: bool) -> None:
        """What a host says of itself. While it is silent, what it said last stays."""
        heartbeat = parsed(self.topic.get("told", {}).get(host["source"], ""))
        mine = {
            key
            for key in self.opened
            if key.municipality == self.code and key.kind in {*FOUND, "late"} and of_host(key, host["name"])
        }
        if not known or heartbeat is None:
            self.judgement.unknown |= mine
            return
        self.judgement.conditions |= found(self.code, host["name"], heartbeat)
        arrived = self.memory.seen.get(f"{self.code} {host['source']}", 0.0)
        late = arrived - moment(heartbeat.get("time"), arrived)
        if late > self.limits["heartbeat_seconds"]:
            self._wrong("late", host["name"], Condition(arrived - late, round(late), self.limits["heartbeat_seconds"]))

    def _wrong(self, kind: str, subject: str, condition: Condition) -> None:
        self.judgement.conditions[Key(self.code, kind, subject)] = condition


def of_host(key: Key, host: str) -> bool:
    """Whether that host found it: it is about the host or something on it. Tunnels to it are the hub's to judge."""
    return key.subject.startswith(f"{host}: ") or (key.subject == host and key.kind != "tunnel")


def parsed(text: str) -> dict[str, Any] | None:
    """The heartbeat in an event; None for anything that is none, whoever sent it."""
    try:
        heartbeat = json.loads(json.loads(text)["message"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return heartbeat if isinstance(heartbeat, dict) and isinstance(heartbeat.get("findings"), list) else None


def found(code: str, host: str, heartbeat: Mapping[str, Any]) -> dict[Key, Condition]:
    """The findings of one host's heartbeat. The host named is the declared one, whatever the heartbeat says."""
    conditions = {}
    for finding in heartbeat["findings"][:MOST_FINDINGS]:
        if not isinstance(finding, dict) or finding.get("kind") not in FOUND:
            continue
        name = "".join(letter for letter in str(finding.get("subject", "")) if letter.isprintable())[:NAME_LENGTH]
        subject = f"{host}: {name}" if name else host
        value, limit = (_number(finding.get(which)) for which in ("value", "limit"))
        conditions[Key(code, finding["kind"], subject)] = Condition(
            moment(finding.get("since"), 0.0), value, limit or 0.0
        )
    return conditions


def own(
    host: str, heartbeat: Mapping[str, Any], peers: Mapping[str, str], codes: Collection[str]
) -> dict[Key, Condition]:
    """What the collector's own host says: tunnels are their municipalities', by the peer's name; the rest is shared."""
    conditions = {}
    for key, condition in found(SHARED, host, heartbeat).items():
        peer = key.subject.partition(": ")[2]
        code = peers.get(peer, SHARED) if key.kind == "tunnel" else SHARED
        conditions[Key(code, key.kind, peer) if code in codes else key] = condition
    return conditions


def moment(text: object, otherwise: float) -> float:
    """A time in RFC 3339 as Unix seconds."""
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except (ValueError, OverflowError):
        return otherwise


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
