"""What a municipality sends, on average, and the throughput units that takes: pure arithmetic on declared rates."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from math import ceil

from vaern.cost.assumptions import ALERTS, ENVELOPE, PACKED, PEAK, RATE, Case
from vaern.cost.prices import HOURS_A_MONTH
from vaern.model.azure import LOOK_SECONDS
from vaern.model.declaration import Municipality
from vaern.model.vocabulary import Sector

GB = 10**9
"""Bytes in the GB Azure bills by."""
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
UNIT_EVENTS_PER_SECOND = 1000
UNIT_BYTES_PER_SECOND = 1_000_000
"""What one throughput unit receives (Event Hubs quotas: 1 MB/s or 1000 events/s, whichever comes first)."""
BILLED_BYTES = 64 * 1024
"""Event Hubs bills what it takes in by the million "ingress events"; each 64 KB of a record is one (Microsoft, "Event
Hubs pricing")."""
ALERT_BYTES = 1000
"""One alert of Suricata as JSON, rounded."""


@dataclass(frozen=True, slots=True)
class Load:
    """What a municipality sends, on average."""

    events_per_second: float
    bytes_per_second: float

    @property
    def gb(self) -> float:
        """In a month."""
        return self.bytes_per_second * SECONDS_A_MONTH / GB


@dataclass(frozen=True, slots=True)
class Flow:
    """What one source or tap sends, on average."""

    way: tuple[str, int, int]
    """What may be together in a block: site (and so relay), priority, days of a retention of its own."""
    sector: Sector
    events_per_second: float
    bytes_per_second: float

    @property
    def billed_per_second(self) -> float:
        """Events a second that are billed when each is a record: one, and one more for each further 64 KB of it."""
        size = self.bytes_per_second / self.events_per_second
        return self.events_per_second * max(1, ceil(size / BILLED_BYTES))


@dataclass(frozen=True, slots=True)
class Carried:
    """What is sent to Event Hubs in a second, on average."""

    billed_per_second: float
    events_bytes: float
    """Bytes of single events."""
    blocks_bytes: float
    """Bytes of blocks, which are compressed."""

    @property
    def bytes_per_second(self) -> float:
        """Of both."""
        return self.events_bytes + self.blocks_bytes

    @property
    def gb(self) -> float:
        """In a month."""
        return self.bytes_per_second * SECONDS_A_MONTH / GB


def flows(municipality: Municipality, case: Case) -> list[Flow]:
    """Every source, and the alerts of every tap."""
    usual = municipality.privacy.retention_days
    rate, envelope, alerts = RATE.of(case), ENVELOPE.of(case), ALERTS.of(case)
    sent = [
        Flow(
            (source.site, source.priority, (source.retention_days or usual) - usual),
            source.sector,
            source.events_per_second * rate,
            source.events_per_second * rate * (source.event_bytes + envelope),
        )
        for source in municipality.log_sources
    ]
    return sent + [
        Flow((municipality.host(tap.sensor).site, 1, 0), tap.sector, alerts, alerts * (ALERT_BYTES + envelope))
        for tap in municipality.taps
    ]


def load_of(municipality: Municipality, case: Case) -> Load:
    """Events and bytes a second as they are read, alerts of the taps included."""
    every = flows(municipality, case)
    return Load(sum(one.events_per_second for one in every), sum(one.bytes_per_second for one in every))


def carried(municipality: Municipality, case: Case, by_kafka: Collection[str], *, blocks: bool = True) -> Carried:
    """What the relays send: blocks, and single events to each SOC that takes Kafka; without `blocks` all of it single.

    Of each way a relay sends a block whenever it looks and there is something: `min(events/s, 1 / LOOK_SECONDS)`. The
    first line of a block takes as much as an event by itself, each further one the part that PACKED says. Billed are
    the blocks, and one more for each 64 KB.

    Args:
        municipality: what its sources and taps declare.
        case: which value of every assumption is taken.
        by_kafka: the SOC profiles that take Kafka.
        blocks: False for what it would be with each event a record.
    """
    every = flows(municipality, case)
    single = [one for one in every if not blocks or municipality.soc.get(one.sector) in by_kafka]
    ways: dict[tuple[str, int, int], list[Flow]] = {}
    for one in every:
        if one not in single:
            ways.setdefault(one.way, []).append(one)
    packed = [_block_of(way, case) for way in ways.values()]
    return Carried(
        sum(one.billed_per_second for one in single) + sum(billed for billed, _ in packed),
        sum(one.bytes_per_second for one in single),
        sum(size for _, size in packed),
    )


def _block_of(way: Iterable[Flow], case: Case) -> tuple[float, float]:
    """Billed events and bytes a second of what is together in blocks."""
    together = list(way)
    events = sum(one.events_per_second for one in together)
    size = sum(one.bytes_per_second for one in together)
    blocks = min(events, 1 / LOOK_SECONDS)
    part = blocks / events
    packed = size * (part + (1 - part) * PACKED.of(case))
    return min(sum(one.billed_per_second for one in together), blocks + packed / BILLED_BYTES), packed


def wanted_units(sent: Carried, case: Case) -> int:
    """Throughput units the peak needs, without the declared ceiling."""
    peak = PEAK.of(case)
    needed = max(
        sent.billed_per_second * peak / UNIT_EVENTS_PER_SECOND, sent.bytes_per_second * peak / UNIT_BYTES_PER_SECOND
    )
    return max(1, ceil(needed))
