"""What hosts say of themselves in heartbeats, as conditions of alarms. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple, TypeVar, get_args

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.reports import (
    DROPPED_SENDERS,
    FINDING,
    HEARTBEAT,
    SHARED,
    UNKNOWN_SENDERS,
    DroppedSenders,
    Finding,
    FindingKind,
    UnknownSenders,
)
from vaern_programs.shared.schema import Schema
from vaern_programs.shared.times import unix_or

Shape = TypeVar("Shape")
FOUND = frozenset(get_args(FindingKind))
EVENT_BYTES = 4 * 65536
NAME_LENGTH = 80


class HostReport(NamedTuple):
    """A heartbeat that has been checked."""

    time: str
    """When the host made it, RFC 3339."""
    findings: list[Finding]
    refused: int
    """Parts that have not the shape of one, or are of a kind that is not known here."""
    unknown_senders: UnknownSenders | None = None
    """Who sends to a relay and is not declared; None where it does not say."""
    dropped: DroppedSenders | None = None
    """Whom its firewall drops; None where it does not say."""


def from_event(text: str) -> HostReport:
    """The heartbeat in an event, as JSON text. Raises UnfitError for anything that is none, whoever sent it."""
    event = loads(text, EVENT_BYTES)
    message = event.get("message") if isinstance(event, dict) else None
    if not isinstance(message, str):
        raise UnfitError("no event with a message")
    return from_line(message)


def from_line(text: str | bytes) -> HostReport:
    """The heartbeat in a line of JSON, as a host writes it. Raises UnfitError."""
    heartbeat = HEARTBEAT.parse(text)
    findings = []
    for one in heartbeat["findings"]:
        try:
            findings.append(FINDING.take(one))
        except UnfitError:
            continue
    refused = len(heartbeat["findings"]) - len(findings)
    senders = _part(UNKNOWN_SENDERS, heartbeat.get("unknown_senders"))
    dropped = _part(DROPPED_SENDERS, heartbeat.get("dropped_by_firewall"))
    parts = {"unknown_senders": senders, "dropped_by_firewall": dropped}
    refused += sum(name in heartbeat and part is None for name, part in parts.items())
    return HostReport(heartbeat["time"], findings, refused, senders, dropped)


def _part(schema: Schema[Shape], found: object) -> Shape | None:
    """A part of a heartbeat; None for one that does not fit, or is not there."""
    try:
        return schema.take(found)
    except UnfitError:
        return None


def conditions_of(code: str, host: str, findings: Iterable[Finding]) -> dict[Key, Condition]:
    """The findings of one host. It is named as it is declared, whatever its heartbeat says."""
    conditions = {}
    for finding in findings:
        name = "".join(letter for letter in finding.get("subject", "") if letter.isprintable())[:NAME_LENGTH]
        key = Key(code, finding["kind"], f"{host}: {name}" if name else host)
        since = unix_or(finding.get("since"), 0.0)
        conditions[key] = Condition(since, finding.get("value"), finding.get("limit", 0.0))
    return conditions


def conditions_of_hub(
    host: str, findings: Iterable[Finding], peers: Mapping[str, str], codes: Collection[str]
) -> dict[Key, Condition]:
    """Those of the collector's own host: a tunnel is its municipality's, by the peer's name; the rest is shared."""
    conditions = {}
    for key, condition in conditions_of(SHARED, host, findings).items():
        peer = key.subject.partition(": ")[2]
        code = peers.get(peer, SHARED) if key.kind == "tunnel" else SHARED
        conditions[Key(code, key.kind, peer) if code in codes else key] = condition
    return conditions


def is_of_host(key: Key, host: str) -> bool:
    """Whether that host found it: it is about the host or something on it. Tunnels to it are the hub's to judge."""
    return key.subject.startswith(f"{host}: ") or (key.subject == host and key.kind != "tunnel")
