"""Which SOC receives what of a municipality, and what its relays need for it: sectors, topics and disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vaern.model import sizing
from vaern.model.declaration import Host, Municipality
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.naming import topic_of
from vaern.model.vocabulary import HostRole, Sector, SocProtocol

PORTS = {SocProtocol.RELP_TLS: 20514, SocProtocol.SYSLOG_TLS: 6514}
"""RELP has no port of its own by IANA, 20514 is what receivers are documented with; RFC 5425 has 6514."""

SMALLEST_QUEUE = 64 * 2**20
"""rsyslog's queue files are 16 MiB each; fewer than four leave no room to turn."""


@dataclass(frozen=True, slots=True)
class Receiver:
    """One output of a SOC profile, with the sectors of the municipality that go there."""

    profile: str
    sectors: tuple[Sector, ...]
    output: SocOutput

    @property
    def name(self) -> str:
        """Unique over all profiles."""
        return f"{self.profile}-{self.output.name}"

    @property
    def port(self) -> int:
        """The declared port, else that of the protocol."""
        return self.output.port or PORTS[self.output.protocol]


@dataclass(frozen=True, slots=True)
class Endurance:
    """How long a relay keeps everything without a link: by its declared disk, and as it is asked to."""

    relay: str
    spool_gib: float
    """Disk declared for it, of which the queues of receivers are a part."""
    hours: float
    asked_hours: int


def receivers(deployment: Deployment, municipality: Municipality) -> tuple[Receiver, ...]:
    """Every output of the profiles this municipality chose, in declared order."""
    chosen: dict[str, list[Sector]] = {}
    for sector, profile in sorted(municipality.soc.items()):
        chosen.setdefault(profile, []).append(sector)
    return tuple(
        Receiver(profile, tuple(chosen[profile]), output)
        for profile in deployment.soc_profiles
        if profile in chosen
        for output in deployment.soc_profiles[profile].outputs
    )


def sent(deployment: Deployment, municipality: Municipality) -> tuple[Receiver, ...]:
    """The receivers a relay connects to itself: all but those that read at the collector."""
    every = receivers(deployment, municipality)
    return tuple(receiver for receiver in every if receiver.output.protocol is not SocProtocol.KAFKA)


def topic_for(deployment: Deployment, municipality: Municipality, sector: Sector) -> str:
    """The topic events of a sector are written to: the municipality's, or its part for a SOC that reads by Kafka."""
    profile = municipality.soc.get(sector, "")
    readers = [one for one in receivers(deployment, municipality) if one.profile == profile and one.output.reader]
    return f"{topic_of(municipality.code)}.{profile}" if readers else topic_of(municipality.code)


def topics(deployment: Deployment, municipality: Municipality) -> dict[str, tuple[str, ...]]:
    """Every topic of the municipality, and the names that may read it besides the archiver."""
    found: dict[str, tuple[str, ...]] = {topic_of(municipality.code): ()}
    for receiver in receivers(deployment, municipality):
        if receiver.output.reader is not None:
            topic = topic_for(deployment, municipality, receiver.sectors[0])
            found[topic] = tuple(sorted({*found.get(topic, ()), receiver.output.reader}))
    return found


def queue_bytes(municipality: Municipality, relay: Host, receiver: Receiver) -> int:
    """Disk the queue of one receiver needs on that relay to survive the declared outage, with the usual margin."""
    sources = sizing.sources_of(municipality, relay)
    taken = tuple(one for one in sources if one.sector in receiver.sectors)
    return max(SMALLEST_QUEUE, sizing.kept_bytes(taken, municipality.outage_hours * 3600))


def queues_bytes(deployment: Deployment, municipality: Municipality, relay: Host) -> int:
    """Disk of all those queues together."""
    return sum(queue_bytes(municipality, relay, one) for one in sent(deployment, municipality))


def spool_limit_bytes(deployment: Deployment, municipality: Municipality, relay: Host) -> int:
    """Bound of that relay's spool: all of its declared disk but what those queues may take."""
    return sizing.disk_limit_bytes(relay) - queues_bytes(deployment, municipality, relay)


def endurance(deployment: Deployment, municipality: Municipality) -> Iterator[Endurance]:
    """Of every relay that has a source, in declared order; what reviews and reports print."""
    for relay in municipality.with_role(HostRole.RELAY):
        if sizing.sources_of(municipality, relay):
            limit = spool_limit_bytes(deployment, municipality, relay)
            hours = round(sizing.hours_that_fit(municipality, relay, limit), 1)
            yield Endurance(relay.name, relay.spool_gib, hours, municipality.outage_hours)
