"""How much disk a declaration needs: pure arithmetic on declared rates, sizes and hours.

A relay must hold everything its sources send while the link is away, so the need is the sum over its sources of
events/s x (bytes + what vaern adds to an event) x hours x 3600, with a margin for rates above the mean. It is stored
once, in the spool, from which it is delivered.
"""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING

from vaern.model.vocabulary import Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vaern.model.declaration import Host, LogSource, Municipality

GIB = 2**30
ENVELOPE_BYTES = 750
"""Bytes of number, tags, times and parsed fields: more than any sample of the catalogue needs."""
MARGIN = 1.3
"""For peaks: declared rates are means. The relay holds two segments of each priority free out of it: 384 MiB at most,
and up to 19 % of a spool below 2 GiB."""
HOURS_TO_ROUND = 10_000
"""Bytes are rounded over this many hours, so that a source with one event a day is not rounded to nothing."""
DAY_SECONDS = 86_400
HEARTBEAT_BYTES_PER_SECOND = 200
"""Of one host: 2 kB every ten seconds."""
SHARE_STEPS = 10_000
"""A share is rounded down to a ten-thousandth of its unit."""
LARGEST_EVENT_BYTES = 2**16
"""A relay cuts a longer message into several events."""
QUEUED_EVENTS = 2048
"""Events that the sources of a relay together may have waiting in its memory: 128 MiB of the largest."""
SMALLEST_QUEUE_EVENTS = 128
"""rsyslog does not support queues of fewer than 100 (its queue parameters)."""
BURST = 4
"""How many times its declared rate a sender by UDP may send for a while."""
LEAST_DATAGRAMS = 2000
"""A second, of one address: a relay with a processor to itself works on 14,000, and devices start with a burst."""
LEAST_DATAGRAM_BYTES = 4_000_000
"""A second, of one address: the same relay works on 28 million in datagrams of 65,000."""
SMALLEST_SPOOL = 8 * 2**20
"""Bytes. A spool is kept in segments of 1 MiB or more, two of each priority; the relay's role refuses less."""


def kept_bytes(sources: tuple[LogSource, ...], seconds: float) -> int:
    """Bytes a relay needs to keep everything those sources send in that time, with the margin."""
    return round(sum(one.events_per_second * (one.event_bytes + ENVELOPE_BYTES) for one in sources) * seconds * MARGIN)


def archive_bytes(municipality: Municipality) -> float:
    """What a municipality keeps in the archive, before it is compressed: each source for as long as it is kept.

    The heartbeats of its hosts count too, so that a municipality without sources has a share.
    """
    usual = municipality.privacy.retention_days
    kept = sum(
        one.events_per_second * (one.event_bytes + ENVELOPE_BYTES) * (one.retention_days or usual)
        for one in municipality.log_sources
    )
    return DAY_SECONDS * (kept + len(municipality.hosts) * HEARTBEAT_BYTES_PER_SECOND * usual)


def shares(needs: Mapping[str, float], whole: float) -> dict[str, float]:
    """Divide what there is in proportion to what each needs; the shares never add up to more than the whole."""
    total = sum(needs.values())
    return {name: floor(whole * need / total * SHARE_STEPS) / SHARE_STEPS for name, need in needs.items()}


def spool_bytes(sources: tuple[LogSource, ...], hours: float) -> int:
    """Size in bytes of the spool that keeps everything those sources send in that time."""
    return max(SMALLEST_SPOOL, kept_bytes(sources, hours * 3600))


def queue_events(source: LogSource, sources: tuple[LogSource, ...]) -> int:
    """Events of a source that may wait in the memory of its relay: its share, by declared rate, of what all may have.

    rsyslog bounds a queue by events and not by bytes, so the bytes follow from the largest event.
    """
    together = sum(one.events_per_second for one in sources)
    return max(SMALLEST_QUEUE_EVENTS, int(QUEUED_EVENTS * source.events_per_second / together))


def datagram_bounds(sources: tuple[LogSource, ...]) -> tuple[int, int]:
    """Datagrams and bytes a second that a relay takes by UDP from one address, with these sources.

    The relay reads all datagrams from one buffer, so one address that sends more than the relay can work on has those
    of others dropped. A sender may have bursts of several times what it declares, and one address of a network may send
    all that is declared of the network.
    """
    events: dict[object, float] = {}
    octets: dict[object, float] = {}
    for one in sources:
        if one.protocol is Protocol.SYSLOG_UDP:
            place = one.address or one.network or one.dns
            events[place] = events.get(place, 0) + one.events_per_second
            octets[place] = octets.get(place, 0) + one.events_per_second * one.event_bytes
    return (
        max(LEAST_DATAGRAMS, round(BURST * max(events.values(), default=0))),
        max(LEAST_DATAGRAM_BYTES, round(BURST * max(octets.values(), default=0))),
    )


def disk_limit_bytes(relay: Host) -> int:
    """Declared disk in bytes: the limit of the spool and the receivers' queues together."""
    return int(relay.spool_gib * GIB)


def hours_that_fit(sources: tuple[LogSource, ...], limit_bytes: int) -> float:
    """Longest outage in hours for which a spool of that size is enough; infinite for a relay without sources."""
    hourly = kept_bytes(sources, 3600 * HOURS_TO_ROUND) / HOURS_TO_ROUND
    return limit_bytes / hourly if hourly else float("inf")
