"""The plan of each relay of a municipality: what it receives, keeps and sends, computed once and passed on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from vaern.model import receiving, sizing
from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment
from vaern.model.naming import topic_of
from vaern.model.receiving import Receiver
from vaern.model.vocabulary import HostRole, Sector

SPOOL = "/var/spool/vaern-log-shipper"
"""Where a relay keeps each event until it is confirmed."""


@dataclass(frozen=True, slots=True)
class Queue:
    """The queue of events for one SOC that a relay sends to directly."""

    receiver: Receiver
    max_bytes: int


@dataclass(frozen=True, slots=True)
class RelayPlan:
    """One relay, with all that follows for it from the declaration."""

    host: Host
    sources: tuple[LogSource, ...]
    """In declared order."""
    taps: tuple[Tap, ...]
    """Those whose alerts go through it."""
    monitored_hosts: tuple[Host, ...]
    """The hosts whose heartbeats go through it, itself among them."""
    queues: tuple[Queue, ...]
    spool_needed_bytes: int
    """Size of a spool that is enough for the declared outage."""

    @property
    def queue_bytes(self) -> int:
        """Disk of all its queues together."""
        return sum(queue.max_bytes for queue in self.queues)

    @property
    def spool_limit_bytes(self) -> int:
        """Limit of its spool in bytes: its declared disk without what the queues may use."""
        return sizing.disk_limit_bytes(self.host) - self.queue_bytes

    @property
    def hours(self) -> float:
        """Longest outage in hours for which that spool is enough; infinite without sources."""
        return sizing.hours_that_fit(self.sources, self.spool_limit_bytes)


@dataclass(frozen=True, slots=True)
class Plan:
    """A municipality's relays by the name of the host, and the topic of each sector it sends."""

    relays: Mapping[str, RelayPlan]
    topics: Mapping[Sector, str]


@dataclass(frozen=True, slots=True)
class Endurance:
    """How long a relay can keep everything without a link, compared with the declared outage_hours."""

    relay: str
    spool_gib: float
    """Disk declared for it, of which the queues of receivers are a part."""
    hours: float
    asked_hours: int


def plan_of(deployment: Deployment, municipality: Municipality) -> Plan:
    """Compute what every relay receives, keeps and sends."""
    receivers = receiving.sent(deployment, municipality)
    return Plan(
        {host.name: _relay(municipality, host, receivers) for host in municipality.with_role(HostRole.RELAY)},
        receiving.sector_topics(deployment, municipality),
    )


def topics_sent(plan: Plan, municipality: Municipality, relay: RelayPlan) -> frozenset[str]:
    """Every topic that a relay sends to: the municipality's, and those of the sectors it carries.

    A host's heartbeats are of the sector of its site.
    """
    places = {host.site for host in relay.monitored_hosts}
    sites = {site.sector for site in municipality.sites if site.name in places}
    carried = {source.sector for source in relay.sources} | {tap.sector for tap in relay.taps} | sites
    return frozenset({topic_of(municipality.code), *(plan.topics[sector] for sector in carried)})


def endurance(plan: Plan, municipality: Municipality) -> Iterator[Endurance]:
    """The endurance of every relay that has a source, in declared order, for reviews and reports."""
    for relay in plan.relays.values():
        if relay.sources:
            host = relay.host
            yield Endurance(host.name, host.spool_gib, round(relay.hours, 1), municipality.outage_hours)


def _relay(municipality: Municipality, host: Host, receivers: tuple[Receiver, ...]) -> RelayPlan:
    sources, hours = municipality.sources_through(host), municipality.outage_hours
    takes = municipality.relay_of(host.site) == host
    return RelayPlan(
        host=host,
        sources=sources,
        taps=tuple(tap for tap in municipality.taps if takes and municipality.host(tap.sensor).site == host.site),
        monitored_hosts=tuple(other for other in municipality.hosts if takes and other.site == host.site),
        queues=tuple(Queue(one, receiving.queue_bytes(sources, one, hours)) for one in receivers),
        spool_needed_bytes=sizing.spool_bytes(sources, hours),
    )
