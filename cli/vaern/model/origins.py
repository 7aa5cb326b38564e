"""Which declared source an event is of: the rule by which a relay decides, as a pure function.

Of the declared places that hold the sender's address (an address, a network), the narrowest decides alone. In it a
source that names host and program is before one that names the host, that is before one that names the program, and
a source that names neither takes what is left. Protocol and port are told apart before all of this. A relay decides
the same by `roles/programs/reader/event/src/origin.rs`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_network
from itertools import islice

from vaern.model.declaration import LogSource, Municipality
from vaern.model.senders import PORTS
from vaern.model.vocabulary import IpAddress, IpNetwork, Protocol

POINT_TO_POINT = 2
"""A network of two addresses has neither network nor broadcast address (RFC 3021)."""
Input = tuple[Protocol, int]
"""Where an event comes in: protocol and port."""
Mark = tuple[str | None, str | None]
"""What tells sources of one place apart: host, in lower case, and program."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a relay knows of an event before it knows whose it is; host and program as its header says."""

    protocol: Protocol
    port: int
    address: IpAddress
    host: str | None = None
    program: str | None = None


def input_of(source: LogSource) -> Input:
    """Where a source sends to."""
    return source.protocol, source.port or PORTS[source.protocol]


def networks_of(municipality: Municipality, source: LogSource) -> tuple[IpNetwork, ...]:
    """Where a source sends from; an address is a network of one. Of a DNS name only its relay knows it."""
    if source.dns is not None:
        return ()
    if source.address is not None:
        return (ip_network(source.address),)
    if source.network is not None:
        return (source.network,)
    return municipality.site(source.site).networks


def mark_of(source: LogSource) -> Mark:
    """What its messages must name."""
    return source.host_name.lower() if source.host_name else None, source.program


def by_address(source: LogSource, sources: Iterable[LogSource]) -> bool:
    """Whether its address alone says which source it is, of all sources of a site."""
    sharing = [one for one in sources if one.address == source.address and input_of(one) == input_of(source)]
    return source.address is not None and all(mark_of(one) == (None, None) for one in sharing)


def decide(municipality: Municipality, site: str, arrival: Arrival) -> LogSource | None:
    """The one source that an event is of, at a relay of that site; None when it is nobody's that is declared."""
    there = _there(municipality, site, (arrival.protocol, arrival.port), arrival.address)
    return next((there[mark] for mark in _marks(arrival) if mark in there), None)


def place_of(municipality: Municipality, site: str, where: Input, address: IpAddress) -> LogSource | None:
    """A source that has the place which decides about that address; None when it is in no declared place."""
    return next(iter(sources_at(municipality, site, where, address)), None)


def sources_at(municipality: Municipality, site: str, where: Input, address: IpAddress) -> tuple[LogSource, ...]:
    """All that share the place which decides about that address, whatever host and program they name."""
    return tuple(_there(municipality, site, where, address).values())


def _there(municipality: Municipality, site: str, where: Input, address: IpAddress) -> dict[Mark, LogSource]:
    """The sources of the narrowest place that holds an address."""
    of_sender = plain(address)
    holding = [
        (network.prefixlen, source)
        for source in municipality.log_sources
        if source.site == site and input_of(source) == where
        for network in networks_of(municipality, source)
        if of_sender in network
    ]
    narrowest = max((length for length, _ in holding), default=0)
    return {mark_of(source): source for length, source in holding if length == narrowest}


def _marks(arrival: Arrival) -> Iterator[Mark]:
    """Those that fit an event, in the order in which they are asked for."""
    host = arrival.host.lower() if arrival.host else None
    yield from dict.fromkeys(((host, arrival.program), (host, None), (None, arrival.program), (None, None)))


def plain(address: IpAddress) -> IPv4Address | IPv6Address:
    """IPv4 as IPv4, also where IPv6 carries it."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def an_address(municipality: Municipality, source: LogSource) -> IpAddress:
    """An address that events of a source can come from: its own, or one of its network that is nobody else's.

    Of a source with a DNS name it is the one that the name has in the lab.

    Raises ValueError when every address of the network is another's, which no loaded declaration has.
    """
    if source.address is not None:
        return source.address
    if source.dns is not None:
        return _of_name(municipality, source)
    found = (one for network in networks_of(municipality, source) for one in _first_free(municipality, source, network))
    try:
        return next(found)
    except StopIteration:
        raise ValueError(f"every address of {source.name} is another's") from None


def _of_name(municipality: Municipality, source: LogSource) -> IpAddress:
    """A free address near the end of a network of its site, another one for each name."""
    names = sorted({one.dns.lower() for one in municipality.log_sources if one.dns and one.site == source.site})
    taken = claimed(municipality, source)
    networks = municipality.site(source.site).networks
    all_usable = (network[-n] for network in networks for n in range(2, network.num_addresses))
    free = (one for one in all_usable if not any(one in network for network in taken))
    try:
        return next(islice(free, names.index(str(source.dns).lower()), None))
    except StopIteration:
        raise ValueError(f"every address for {source.name} is another's") from None


def claimed(municipality: Municipality, source: LogSource) -> tuple[IpNetwork, ...]:
    """What a DNS name can never stand for in its site: hosts, and what other sources of its input are declared by.

    The whole site, from which a source is known by its host name alone, is nobody's before an address is.
    """
    hosts = [ip_network(one) for host in municipality.hosts if host.site == source.site for one in host.addresses]
    others = [
        place
        for one in municipality.log_sources
        if one.site == source.site and input_of(one) == input_of(source) and (one.address or one.network)
        for place in networks_of(municipality, one)
    ]
    return tuple(sorted({*hosts, *others}, key=lambda one: (one.version, one)))


def _first_free(municipality: Municipality, source: LogSource, network: IpNetwork) -> Iterator[IpAddress]:
    """The free addresses of a network that stand at its beginning or right behind what somebody else has."""
    of_site = [one for one in municipality.log_sources if one.site == source.site and one != source]
    hosts = [ip_network(one) for host in municipality.hosts if host.site == source.site for one in host.addresses]
    taken = [*hosts, *(place for one in of_site for place in networks_of(municipality, one))]
    ends = {int(one[-1]) for one in taken if one.version == network.version and one.overlaps(network)}
    start = int(network[0])
    behind = sorted({start + 1, *(end + 1 for end in ends)})
    for number in [start, *behind] if network.num_addresses <= POINT_TO_POINT else [*behind, start]:
        address = type(network[0])(number)
        arrival = Arrival(*input_of(source), address, *mark_of(source))
        free = address in network and ip_network(address) not in hosts
        if free and decide(municipality, source.site, arrival) == source:
            yield address
