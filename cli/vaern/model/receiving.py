"""Which SOC receives what of a municipality: sectors, topics, and the disk of a queue."""

from __future__ import annotations

from dataclasses import dataclass

from vaern.model import sizing
from vaern.model.declaration import LogSource, Municipality
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.naming import topic_of
from vaern.model.senders import SYSLOG_TLS_PORT
from vaern.model.vocabulary import Sector, SocProtocol

RELP_PORT = 20514
"""IANA has none for RELP; this is what receivers are documented with."""
PORTS = {SocProtocol.RELP_TLS: RELP_PORT, SocProtocol.SYSLOG_TLS: SYSLOG_TLS_PORT}

SMALLEST_QUEUE = 64 * 2**20
"""rsyslog's queue files are 16 MiB each, and it needs at least four of them."""


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
    """The receivers that relays connect to themselves: all except those that read at the collector."""
    every = receivers(deployment, municipality)
    return tuple(receiver for receiver in every if receiver.output.protocol is not SocProtocol.KAFKA)


def by_kafka(deployment: Deployment, municipality: Municipality) -> tuple[Receiver, ...]:
    """The receivers that read a topic of their own."""
    every = receivers(deployment, municipality)
    return tuple(receiver for receiver in every if receiver.output.protocol is SocProtocol.KAFKA)


def sector_topics(deployment: Deployment, municipality: Municipality) -> dict[Sector, str]:
    """The topic of each sector: the municipality's, or a separate one for a SOC that reads by Kafka."""
    reading = {one.profile for one in by_kafka(deployment, municipality)}
    own = topic_of(municipality.code)
    profiles = {sector: municipality.soc.get(sector, "") for sector in Sector}
    return {sector: f"{own}.{profile}" if profile in reading else own for sector, profile in profiles.items()}


def topics(deployment: Deployment, municipality: Municipality) -> dict[str, tuple[str, ...]]:
    """Each topic of the municipality, with the reader names that may read it besides the archiver."""
    written = sector_topics(deployment, municipality)
    found: dict[str, tuple[str, ...]] = {topic_of(municipality.code): ()}
    for receiver in by_kafka(deployment, municipality):
        if receiver.output.reader is not None:
            topic = written[receiver.sectors[0]]
            found[topic] = tuple(sorted({*found.get(topic, ()), receiver.output.reader}))
    return found


def queue_bytes(sources: tuple[LogSource, ...], receiver: Receiver, hours: float) -> int:
    """Bytes that the queue of one receiver needs on a relay with those sources for `hours`, with the margin."""
    taken = tuple(one for one in sources if one.sector in receiver.sectors)
    return max(SMALLEST_QUEUE, sizing.kept_bytes(taken, hours * 3600))
