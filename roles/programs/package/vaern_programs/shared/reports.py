"""The one schema of what hosts report: shapes and limits, by which every report is checked before it is used.

The municipality's hosts send heartbeats and statements, and answer `vaern` over ssh; any of them may be in the hands of
an attacker. What does not fit is dropped, counted and alarmed by whoever reads it. Times are RFC 3339 with an offset,
and days are `YYYY-MM-DD` in UTC.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict, cast

from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.limits import Between, DayOfYear, Matching, Moment, Most
from vaern_programs.shared.schema import Schema

__all__ = [
    "ALARM_SOURCE", "CONFIRMATION", "DELIVERY_STATISTICS", "DROPPED_SENDERS", "HEARTBEAT", "RESENT", "ROUND",
    "SPOOL_STATE", "STATEMENT", "STATEMENT_ROWS", "STATEMENT_SOURCE", "UNKNOWN_SENDERS", "Confirmation",
    "DeliveryStatistics", "DroppedSender", "DroppedSenders", "Finding", "Heartbeat", "Resent", "Round", "Schema",
    "Sighting", "SpoolState", "Statement", "UnfitError", "UnknownSender", "UnknownSenders", "loads",
]  # fmt: skip

RELAY_NAME, BOOT_NAME, SOURCE_NAME = "[a-z0-9-]{1,100}", "[0-9a-f]{32}", "[a-z0-9.-]{1,64}"
Relay = Annotated[str, Matching(RELAY_NAME)]
"""Inventory name of a host."""
Boot = Annotated[str, Matching(BOOT_NAME)]
"""Names one start of a relay's rsyslog."""
Source = Annotated[str, Matching(SOURCE_NAME)]
SHARED = "shared"
"""In the place of a code, for what belongs to the shared hosts."""
ALARM_SOURCE = "vaern.alarm"
"""Source of what the collector raises and clears as alarms: no relay sends it, so there is nothing to balance."""
STATEMENT_SOURCE = "vaern.statement"
"""Source of what a relay says it has sent. A declared source has no dot in its name."""
Time = Annotated[str, Moment()]
Day = Annotated[str, DayOfYear()]
SequenceNumber = Annotated[int, Between(0, 10**18 - 1)]
Count = Annotated[int, Between(0, 10**15)]
Seconds = Annotated[float, Between(0, 10**10)]
Ranges = Annotated[list[tuple[SequenceNumber, SequenceNumber]], Most(100_000)]
"""First and last number of each run, both included."""
STATEMENT_ROWS = 2000
"""Of either kind in one statement: about 300 KB."""
STARTS = Most(50_000)
"""Starts of one relay: one a minute for 35 days."""
KIBIBYTE = 1024
EVENT_BYTES = 4096 * KIBIBYTE
"""More than the broker takes."""
HEARTBEAT_FILE = "/var/lib/vaern-watch/heartbeat.jsonl"
"""Where a host that has a relay, or is the collector, writes its heartbeats."""
DELIVERY_FILE = "/var/log/vaern-delivery/delivery.json"
"""Where vaern-delivery writes its statistics."""


class DeliveryStatistics(TypedDict):
    """A line that vaern-delivery writes every ten seconds; counts are since `started`."""

    time: Time
    started: Time
    acknowledged: Count
    refused: Count
    """Events given back by the broker; each is tried again, so one may count many times."""
    waiting_bytes: Count
    behind_seconds: Seconds
    """Since everything in the spool had been acknowledged."""
    errors: Annotated[dict[Annotated[str, Most(40)], Count], Most(40)]
    """What went wrong, by a word for it, with how often."""


QueueCounters = TypedDict(
    "QueueCounters",
    {
        "origin": Literal["core.queue"],
        "name": str,
        "discarded.full": NotRequired[Count],
        "discarded.nf": NotRequired[Count],
    },
)
"""What rsyslog counts of one of its queues, since it started."""


class FramingCounters(TypedDict):
    """What rsyslog counts of frames that were wrong, by source, since it started."""

    origin: Literal["dynstats.bucket"]
    name: Literal["framing"]
    values: Annotated[dict[Annotated[str, Most(200)], Count], Most(1000)]


class UndeclaredCounters(TypedDict):
    """What rsyslog counts of events that are nobody's, since it started: by input and address, or by host as well."""

    origin: Literal["dynstats.bucket"]
    name: Literal["undeclared", "undeclared_hosts"]
    values: Annotated[dict[Annotated[str, Most(400)], Count], Most(1000)]


Overflows = TypedDict("Overflows", {"undeclared.ops_overflow": Count})


class OverflowCounters(TypedDict):
    """How many of these were not counted by themselves, as there were too many of them."""

    origin: Literal["dynstats"]
    name: Literal["global"]
    values: Overflows


HIGH_WATER = 0.8
"""Fraction of a spool above which it raises an alarm; a rehearsed outage must stay below it."""


class SpoolState(TypedDict):
    """What vaern-spool --look prints."""

    bytes: Count
    max_bytes: Count
    waiting: Count
    """Events that no confirmation has named."""
    time: Time
    free: Count
    """Bytes that the disk has left for the spool."""


class Resent(TypedDict):
    """What vaern-spool --again prints."""

    resent: Count
    refused: Count
    error: str
    """Why nothing was done; empty when it was."""


class Round(TypedDict, total=False):
    """What a round of vaern-spool prints; what was not reached is not there."""

    resent: Count
    removed: Count
    """Segments of which everything was confirmed."""
    error: str
    stated: Time
    """Time of the statement that was sent last."""
    bytes: Count
    max_bytes: Count
    segments: Count
    gave_way: Count
    given_up: SequenceNumber


class SpoolUse(TypedDict, total=False):
    """How full the spool is, as a statement says it."""

    bytes: Count
    max_bytes: Count
    segments: Count


SentRow = tuple[Boot, Source, Day, SequenceNumber, SequenceNumber, Time, Time]
"""Boot, source, day, first and last number of the day, and the times of those two."""
GivenUpRow = tuple[Boot, Source, Ranges]


class Statement(TypedDict):
    """What a relay says it has sent: the part `statement` of an event with the source vaern.statement."""

    sent: Annotated[list[SentRow], Most(STATEMENT_ROWS)]
    given_up: Annotated[list[GivenUpRow], Most(STATEMENT_ROWS)]
    spool: SpoolUse


class StatementEvent(TypedDict):
    """What the ledger reads of the event around a statement."""

    relay: Relay
    received: Time
    statement: Statement


class Confirmation(TypedDict):
    """What the ledger says the archive holds: a message of the topic confirm.<code>."""

    code: Annotated[str, Matching("[0-9]{4}")]
    time: Time
    relays: dict[Relay, Annotated[dict[Boot, dict[Source, Ranges]], STARTS]]
    blocks: NotRequired[bool]
    """Whether the collector reads blocks of lines (`vaern_programs.shared.blocks`)."""


class Sighting(TypedDict):
    """What the archiver has heard in one topic; times are Unix seconds."""

    as_of: Seconds
    """Up to when the topic has been read."""
    seen: dict[str, float]
    told: dict[str, str]
    """The newest message of each host of ours, as JSON text."""


FindingKind = Literal[
    "clock",
    "certificate",
    "tunnel",
    "path",
    "spool",
    "queue",
    "discards",
    "overflow",
    "datagrams",
    "framing",
    "killed",
    "unread",
    "name",
]
"""What a host can find wrong with itself."""


class Finding(TypedDict):
    """Something that is not as it should be on a host, for as long as it is so."""

    kind: FindingKind
    subject: NotRequired[Annotated[str, Most(200)]]
    """A peer, a file, a queue or a source; empty for the host as a whole."""
    value: NotRequired[float | None]
    """None for what cannot be known."""
    limit: NotRequired[float]
    since: NotRequired[Time]


class ArchiveFinding(TypedDict):
    """Something that the archiver finds wrong with the archive of a municipality."""

    kind: Literal["quarantine", "share"]
    value: float
    limit: float
    since: Time


class UnknownHost(TypedDict):
    """A device by the name that it gives itself."""

    host: Annotated[str, Matching("[A-Za-z0-9:][A-Za-z0-9._:-]{0,63}")]
    events: Count


class UnknownSender(TypedDict):
    """An address whose events a relay lets in and that are nobody's; it has dropped them."""

    input: Annotated[str, Matching("[a-z]{3,10}_[a-z]{3,6}(_[0-9]{1,5})?")]
    """Where they came in: the protocol, and the port where it is no usual one."""
    address: Annotated[str, Matching("[0-9a-f.:]{2,45}")]
    events: Count
    """Since the relay started."""
    events_per_second: float | None
    """In the last minutes; None while the relay has not counted for long enough."""
    hosts: Annotated[list[UnknownHost], Most(10)]
    """Whom they name, the most frequent first; none where only the address is known."""


class UnknownSenders(TypedDict):
    """The loudest of those who send to a relay and are not declared; attackers may invent any number of them."""

    senders: Annotated[list[UnknownSender], Most(50)]
    others: Count
    """How many more there are."""
    other_events: Count
    """And of how many events, with those of whom nothing is kept."""


class DroppedSender(TypedDict):
    """An address whose packets the firewall of a relay drops, at a port where logs come in."""

    address: Annotated[str, Matching("[0-9a-f.:]{2,45}")]
    protocol: Literal["udp", "tcp"]
    port: Annotated[int, Between(1, 65535)]
    packets: Count
    """Since it was first there; of TCP, attempts to connect."""
    packets_per_minute: float | None
    """In the last minutes; None while the relay has not counted for long enough."""
    first: Time
    """When the relay's watch saw it first, since that was started; after an hour of silence it begins anew."""
    last: Time


class DroppedSenders(TypedDict):
    """The loudest of those whom the firewall of a relay drops; attackers may invent any number of addresses."""

    senders: Annotated[list[DroppedSender], Most(50)]
    others: Count
    """How many more there are."""
    full: bool
    """Whether the firewall has no room for more of them, so that there may be others."""
    packets_per_minute: float | None
    """Of all, also of whom it has had no room for; None where that is not known."""


class Heartbeat(TypedDict):
    """The message of a host about itself.

    Its findings are checked one by one (`FINDING`), so that a new kind of a newer host hides none of the others.
    """

    time: Time
    findings: Annotated[list[Any], Most(100)]
    unknown_senders: NotRequired[Any]
    """Of a relay: checked by itself too (`UNKNOWN_SENDERS`)."""
    dropped_by_firewall: NotRequired[Any]
    """The same (`DROPPED_SENDERS`)."""


DELIVERY_STATISTICS = Schema(DeliveryStatistics, 16 * KIBIBYTE)
QUEUE_COUNTERS = Schema(QueueCounters, 16 * KIBIBYTE)
FRAMING_COUNTERS = Schema(FramingCounters, 64 * KIBIBYTE)
UNDECLARED_COUNTERS = Schema(UndeclaredCounters, 128 * KIBIBYTE)
OVERFLOW_COUNTERS = Schema(OverflowCounters, 16 * KIBIBYTE)
UNKNOWN_SENDERS = Schema(UnknownSenders, 64 * KIBIBYTE)
DROPPED_SENDERS = Schema(DroppedSenders, 64 * KIBIBYTE)
SPOOL_STATE = Schema(SpoolState, 16 * KIBIBYTE)
RESENT = Schema(Resent, 16 * KIBIBYTE)
ROUND = Schema(Round, 16 * KIBIBYTE)
STATEMENT = Schema(StatementEvent, 2048 * KIBIBYTE)
CONFIRMATION = Schema(Confirmation, 2048 * KIBIBYTE)
SIGHTING_TIME: Schema[float] = Schema(cast("Any", Seconds), 64)
HEARTBEAT = Schema(Heartbeat, 64 * KIBIBYTE)
ARCHIVE_FINDING = Schema(ArchiveFinding, 16 * KIBIBYTE)
FINDING = Schema(Finding, 16 * KIBIBYTE)
