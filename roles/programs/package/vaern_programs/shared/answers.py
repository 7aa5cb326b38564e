"""The shapes of what programs of the collector answer to `vaern`: JSON documents, key by key.

Times are RFC 3339 in UTC where nothing else is said, and days are `YYYY-MM-DD` in UTC.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NotRequired, TypedDict

from vaern_programs.shared.limits import Between, Matching, Most
from vaern_programs.shared.observed import EXCERPT, LINES
from vaern_programs.shared.reports import Boot, Count, Relay, Source, Time
from vaern_programs.shared.schema import Schema

ROWS = Most(1_000_000)
"""Twice what is counted of one municipality."""
Field = Annotated[str, Most(100)]
"""Name of a field of an event."""
Code = Annotated[str, Matching("[0-9]{4}")]
JudgedWord = Literal["right", "wrong", "unknown", "not judged"]


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

    rows: Annotated[list[BalanceRow], ROWS]
    gaps: Annotated[list[Gap], ROWS]


class Balance(Sums):
    """What vaern-ledger prints of a municipality."""

    code: str
    time: str
    lost_segments: Annotated[list[LostSegment], ROWS]
    statements: dict[Relay, str]
    """Time of the last statement of each relay."""
    spools: dict[Relay, dict[str, Any]]
    others: int
    """Lines that are no events."""
    broken: NotRequired[int]
    """Events whose line is no JSON."""
    refused: NotRequired[int]
    """Statements of the last two days that are none."""
    unlisted: NotRequired[int]
    """Events and rows of statements that were left out, as there were too many."""


BALANCE = Schema(Balance, 512 * 2**20)


class AlarmText(TypedDict):
    """By language."""

    da: str
    en: str


class AlarmRecord(TypedDict):
    """One change of an alarm, as its file has it; `time` is that of the change."""

    time: Time
    municipality: str
    """Four-digit code, or `shared`."""
    kind: str
    subject: str
    state: Literal["raised", "cleared"]
    since: Time
    value: float | None
    limit: float
    text: AlarmText
    lines: NotRequired[Annotated[list[EXCERPT], Most(LINES)]]
    """Lines that show it, with every digit masked."""


class OpenAlarms(TypedDict):
    """What the alarm service says is open now."""

    time: Time
    alarms: Annotated[list[Any], Most(100_000)]
    """Each an AlarmRecord; checked one by one (`ALARM_RECORD`)."""
    unknown_senders: NotRequired[dict[Code, dict[Relay, Any]]]
    """Code and relay to who sends and is not declared; each checked by itself (`UNKNOWN_SENDERS`)."""
    dropped_by_firewall: NotRequired[dict[Code, dict[Relay, Any]]]
    """Code and relay to whom its firewall drops; each checked by itself (`DROPPED_SENDERS`)."""


class JudgedSources(TypedDict):
    """How the alarm service has judged each declared source."""

    time: Time
    municipalities: Annotated[dict[Code, Annotated[dict[str, Annotated[dict[str, JudgedWord], Most(40)]], ROWS]], ROWS]
    """Four-digit code to source to check to how it went; the check of a field is `field <name>`."""


class PathToHub(TypedDict):
    """What a gateway finds of the way to one hub."""

    name: str
    bytes: int | None
    """The largest packet that passed just now, in the tunnel; None when none did."""
    full: int
    """MTU of the tunnel."""
    held: int
    """The largest packet that TCP makes."""
    endpoint: str
    """Where the hub is, as declared: address or name, and port."""
    found: Annotated[list[str], Most(100)]
    """What that stands for now, addresses and port."""


class Paths(TypedDict):
    """What vaern-link --look answers."""

    peers: Annotated[list[PathToHub], Most(1000)]


PATHS = Schema(Paths, 2**20)
OPEN_ALARMS = Schema(OpenAlarms, 256 * 2**20)
ALARM_RECORD = Schema(AlarmRecord, 65536)
JUDGED_SOURCES = Schema(JudgedSources, 64 * 2**20)


class Exported(TypedDict):
    """What vaern-archive-export says of the events it has written; an earlier version said less."""

    complete: NotRequired[bool]
    """Whether that was all there is."""
    events: int
    broken: NotRequired[int]
    """Of these, lines that are no JSON; they are written as they are in the archive."""
    duplicates: NotRequired[int]
    """Copies that were left out."""
    bytes: NotRequired[int]
    sha256: str
    """Of what was written, compressed if that was asked for."""
    sha256_of_lines: NotRequired[str]
    begun: NotRequired[str]
    ended: NotRequired[str]
    access: str
    """Digest of the line in the record of accesses that was written before the first event."""
    access_ended: NotRequired[str]


EXPORTED = Schema(Exported, 2**20)


class Manifest(Exported):
    """The same with what was asked. Who has asked knows that, and does not take it from the answer."""

    query: dict[str, Any]


class Tried(TypedDict):
    """How a test message by one channel went."""

    municipality: str
    """Four-digit code, or `shared` for operations."""
    name: Annotated[str, Most(250)]
    way: Literal["mail", "webhook"]
    fault: str
    """Why it was not taken; empty when it was."""


class TriedAll(TypedDict):
    """What vaern-notify --test prints."""

    channels: Annotated[list[Tried], Most(2000)]


class Taken(TypedDict):
    """What vaern-notify --notices prints: how many of what was handed over are new, and how many are over."""

    raised: int
    cleared: int


TRIED = Schema(TriedAll, 2**22)
TAKEN = Schema(Taken, 2**16)


class HeardSender(TypedDict):
    """One address that sends to one port of a relay.

    Kind, vendor, zone and clock are empty where its messages are not seen.
    """

    address: Annotated[str, Matching("[0-9a-f.:]{2,45}")]
    protocol: Literal["udp", "tcp"]
    port: Annotated[int, Between(1, 65535)]
    events: Count
    """Datagrams; of TCP, connections that were tried."""
    events_per_second: float
    event_bytes: Count
    kind: Annotated[str, Matching("[a-z0-9]{0,20}")]
    vendor: Annotated[str, Matching("[a-z0-9-]{0,40}")]
    kinds: Count
    """How many different kinds and vendors were seen."""
    hosts: Annotated[list[Annotated[str, Matching("[A-Za-z0-9][A-Za-z0-9._:-]{0,63}")]], Most(100)]
    """What its messages name as their host, the most frequent first."""
    source: NotRequired[Source]
    """The source that is declared by its DNS name and has this address now."""
    zone: Literal["", "UTC", "Europe/Copenhagen", "offset"]
    clock_ahead_seconds: float | None


class Heard(TypedDict):
    """Who sends to a relay, heard for some seconds; `others` is packets of more senders than are named."""

    seconds: float
    senders: Annotated[list[HeardSender], Most(1000)]
    others: Count


HEARD = Schema(Heard, 2**20)


class ReplayedLine(TypedDict):
    """A masked line of a sample, and of which fields two readers say otherwise."""

    message: str
    lost: list[Field]
    changed: list[Field]


class ReplayedSource(TypedDict):
    """What two readers make of the sample of one source: of both first the installed one, then the other."""

    source: Source
    parser: str
    lines: Count
    read: tuple[Count, Count]
    complete: tuple[Count, Count]
    """Lines that have every minimum field."""
    lost: dict[Field, Count]
    """Field to the lines in which only the installed reader has it."""
    changed: dict[Field, Count]
    gained: dict[Field, Count]
    examples: Annotated[list[ReplayedLine], Most(3)]


class Replayed(TypedDict):
    """What vaern-reader-replay prints. `why` says why nothing is known, or why the other reader fails on this host."""

    state: Literal["compared", "fails", "unknown"]
    why: str
    installed: str
    """Version of the package; empty where there is none."""
    offered: str
    sources: list[ReplayedSource]
    without: list[Source]
    """Sources that were asked for and not compared: without a sample, or declared with another parser now."""


REPLAYED = Schema(Replayed, 2**24)
