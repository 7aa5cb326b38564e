"""What a municipality sends, on average, and the throughput units that takes: pure arithmetic on declared rates."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from vaern.cost.assumptions import ALERTS, ENVELOPE, PACKED, PEAK, RATE, Case
from vaern.cost.prices import HOURS_A_MONTH
from vaern.model.declaration import Municipality

GB = 10**9
"""Bytes in the GB Azure bills by."""
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
UNIT_EVENTS_PER_SECOND = 1000
UNIT_BYTES_PER_SECOND = 1_000_000
"""What one throughput unit receives (Event Hubs quotas: 1 MB/s or 1000 events/s, whichever comes first)."""
LOOKS_PER_SECOND = 20
"""A relay looks so often for new lines, and sends what there is as a block."""
BILLED_BYTES = 64 * 1024
"""Each 64 KB of a record that Event Hubs takes in is billed as an event."""
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


def load_of(municipality: Municipality, case: Case) -> Load:
    """Events and bytes a second as they are carried, alerts of the taps included."""
    sources = municipality.log_sources
    events = sum(source.events_per_second for source in sources) * RATE.of(case)
    size = sum(source.events_per_second * (source.event_bytes + ENVELOPE.of(case)) for source in sources) * RATE.of(
        case
    )
    alerts = len(municipality.taps) * ALERTS.of(case)
    return Load(events + alerts, size + alerts * (ALERT_BYTES + ENVELOPE.of(case)))


def billed_in_blocks(load: Load, relays: int, case: Case) -> float:
    """Events a second that would be billed if so many relays sent blocks: one for each, and for each 64 KB of one."""
    blocks = min(load.events_per_second, relays * LOOKS_PER_SECOND)
    return min(load.events_per_second, blocks + load.bytes_per_second * PACKED.of(case) / BILLED_BYTES)


def wanted_units(load: Load, case: Case) -> int:
    """Throughput units the peak needs, without the declared ceiling."""
    peak = PEAK.of(case)
    needed = max(
        load.events_per_second * peak / UNIT_EVENTS_PER_SECOND, load.bytes_per_second * peak / UNIT_BYTES_PER_SECOND
    )
    return max(1, ceil(needed))
