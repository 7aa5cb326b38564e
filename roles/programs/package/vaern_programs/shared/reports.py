"""The shapes of what programs report to each other and to `vaern`: JSON documents, key by key.

Times are RFC 3339 in UTC where nothing else is said, and days are `YYYY-MM-DD` in UTC.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict

Relay = str
"""Inventory name of a host."""
Boot = str
"""32 hexadecimal digits that name one start of a relay's rsyslog."""
Source = str
ALARM_SOURCE: Source = "vaern.alarm"
"""Source of what the collector raises and clears as alarms: no relay sends it, so there is nothing to balance."""
Ranges = list[tuple[int, int]]
"""First and last number of each run, both included."""


class DeliveryStatistics(TypedDict):
    """A line that vaern-delivery writes every ten seconds; counts are since `started`."""

    time: str
    started: str
    acknowledged: int
    refused: int
    """Events given back by the broker; each is tried again, so one may count many times."""
    waiting_bytes: int
    behind_seconds: float
    """Since everything in the spool had been acknowledged."""
    errors: dict[str, int]
    """What went wrong, by a word for it, with how often."""


HIGH_WATER = 0.8
"""Fraction of a spool above which it raises an alarm; a rehearsed outage must stay below it."""


class SpoolState(TypedDict):
    """What vaern-spool --look prints."""

    bytes: int
    max_bytes: int
    waiting: int
    """Events that no confirmation has named."""
    time: str
    free: int
    """Bytes that the disk has left for the spool."""


class Resent(TypedDict):
    """What vaern-spool --again prints."""

    resent: int
    refused: int
    error: str
    """Why nothing was done; empty when it was."""


class Round(TypedDict, total=False):
    """What a round of vaern-spool prints; what was not reached is not there."""

    resent: int
    removed: int
    """Segments of which everything was confirmed."""
    error: str
    stated: str
    """Time of the statement that was sent last."""
    bytes: int
    max_bytes: int
    segments: int
    gave_way: int
    given_up: int


class Statement(TypedDict):
    """What a relay says it has sent: the part `statement` of an event with the source vaern.statement."""

    sent: list[Any]
    """Rows of boot, source, day, first number, last number, and the times of those two."""
    given_up: list[Any]
    """Rows of boot, source and ranges."""
    spool: dict[str, Any]


class Confirmation(TypedDict):
    """What the ledger says the archive holds: a message of the topic confirm.<code>."""

    code: str
    time: str
    relays: dict[Relay, dict[Boot, dict[Source, Ranges]]]


class Sighting(TypedDict):
    """What the archiver has heard in one topic; times are Unix seconds."""

    as_of: float
    """Up to when the topic has been read."""
    seen: dict[Source, float]
    told: dict[str, str]
    """The newest message of each host of ours, as JSON text."""


class BalanceRow(TypedDict):
    """One day of one source: what was sent, and what became of it, in events."""

    day: str
    relay: Relay
    source: Source
    sent: int
    received: int
    duplicate: int
    given_up: int
    under_way: int
    missing: int


Gap = TypedDict(
    "Gap",
    {
        "day": str,
        "relay": Relay,
        "boot": Boot,
        "source": Source,
        "first": int,
        "last": int,
        "events": int,
        "from": str,
        "until": str,
        "state": Literal["given_up", "under_way", "missing"],
    },
)
"""Numbers that are not in the archive, the times of their neighbours, and why: given_up, under_way or missing."""
LostSegment = TypedDict("LostSegment", {"file": str, "events": int, "from": str, "until": str, "sources": list[Source]})
"""A file that is gone from the archive before its retention was over, and what of it is nowhere else."""


class Sums(TypedDict):
    """Rows by day, relay and source, and every gap in them."""

    rows: list[BalanceRow]
    gaps: list[Gap]


class Balance(Sums):
    """What vaern-ledger prints of a municipality."""

    code: str
    time: str
    lost_segments: list[LostSegment]
    statements: dict[Relay, str]
    """Time of the last statement of each relay."""
    spools: dict[Relay, dict[str, Any]]
    others: int
    """Lines that are no events."""


class AlarmRecord(TypedDict):
    """One change of an alarm, as its file has it; `time` is that of the change."""

    time: str
    municipality: str
    """Four-digit code, or `shared`."""
    kind: str
    subject: str
    state: str
    """raised or cleared."""
    since: str
    value: float | None
    limit: float
    text: dict[str, str]
    """By language: da, en."""


class OpenAlarms(TypedDict):
    """What the alarm service says is open now."""

    time: str
    alarms: list[AlarmRecord]


class Manifest(TypedDict):
    """What vaern-archive-export says of the events it has written."""

    query: dict[str, Any]
    complete: bool
    """Whether that was all there is."""
    events: int
    duplicates: int
    """Copies that were left out."""
    bytes: int
    sha256: str
    """Of what was written, compressed if that was asked for."""
    sha256_of_lines: str
    begun: str
    ended: str
    access: str
    """Digest of the line in the record of accesses that was written before the first event."""
    access_ended: str
