"""How much disk a declaration needs: pure arithmetic on declared rates, sizes and hours.

A relay must hold everything its sources send while the link is away, so the need is the sum over its sources of
events/s x (bytes + what vaern adds to an event) x hours x 3600, with a margin for rates above the mean, once in the
spool and once in the queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaern.model.vocabulary import HostRole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vaern.model.declaration import Host, LogSource, Municipality

GIB = 2**30
ENVELOPE_BYTES = 750
"""Number, tags, times and the fields that are read from the message: more than any sample of the catalogue takes."""
MARGIN = 1.3
"""For peaks: declared rates are means."""
HOURS_TO_ROUND = 10_000
"""So many hours are counted in whole bytes, so that a source of an event a day is not rounded away."""
COPIES = 2
"""While the link is away every event is both in the spool and in the queue; the declared disk is shared evenly."""


@dataclass(frozen=True, slots=True)
class Endurance:
    """How long a relay keeps everything without a link: by its declared disk, and as it is asked to."""

    relay: str
    spool_gib: float
    hours: float
    asked_hours: int


def relay_of(municipality: Municipality, site: str) -> Host | None:
    """The relay of that site: it takes every source and sensor there. None when there is none."""
    return next((host for host in municipality.with_role(HostRole.RELAY) if host.site == site), None)


def sources_of(municipality: Municipality, relay: Host) -> tuple[LogSource, ...]:
    """The log sources that relay accepts, in declared order."""
    taken = relay_of(municipality, relay.site)
    if taken is None or taken.name != relay.name:
        return ()
    return tuple(source for source in municipality.log_sources if source.site == relay.site)


def bytes_per_second(sources: tuple[LogSource, ...]) -> float:
    """Declared mean of all the sources together, without margin."""
    return sum(source.events_per_second * source.event_bytes for source in sources)


def kept_bytes(sources: tuple[LogSource, ...], seconds: float) -> int:
    """What a relay must have room for to keep all that those sources send in that time."""
    return round(sum(one.events_per_second * (one.event_bytes + ENVELOPE_BYTES) for one in sources) * seconds * MARGIN)


def spool_bytes(municipality: Municipality, relay: Host) -> int:
    """One copy of what that relay takes in during the declared outage: what spool and queue each must hold."""
    return kept_bytes(sources_of(municipality, relay), municipality.outage_hours * 3600)


def disk_bytes(municipality: Municipality, relay: Host) -> int:
    """Disk that relay needs to survive the declared outage without loss, spool and queue together."""
    return COPIES * spool_bytes(municipality, relay)


def spool_limit_bytes(relay: Host) -> int:
    """Disk declared for it: the bound of spool and queue together."""
    return int(relay.spool_gib * GIB)


def hours_that_fit(municipality: Municipality, relay: Host) -> float:
    """Longest outage the declared disk survives; infinite for a relay without sources."""
    hourly = kept_bytes(sources_of(municipality, relay), 3600 * HOURS_TO_ROUND) * COPIES / HOURS_TO_ROUND
    return spool_limit_bytes(relay) / hourly if hourly else float("inf")


def endurance(municipality: Municipality) -> Iterator[Endurance]:
    """Of every relay that has a source, in declared order; what reviews and reports print."""
    for relay in municipality.with_role(HostRole.RELAY):
        if sources_of(municipality, relay):
            hours = round(hours_that_fit(municipality, relay), 1)
            yield Endurance(relay.name, relay.spool_gib, hours, municipality.outage_hours)


def archive_bytes_per_day(municipality: Municipality) -> int:
    """What the collector receives from this municipality in a day, before compression."""
    return round(bytes_per_second(municipality.log_sources) * 86400)
