"""Where sources send from: in the networks of their site, told apart, and none that never gets an event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, collapse_addresses, ip_network
from typing import TYPE_CHECKING

from vaern.declaration.faults import Fault
from vaern.model.declaration import LogSource, Municipality, Site
from vaern.model.origins import POINT_TO_POINT, Input, Mark, claimed, input_of, mark_of, networks_of, plain
from vaern.model.receiving import RELP_PORT
from vaern.model.senders import PORTS, TRANSPORTS
from vaern.model.vocabulary import HostRole, IpAddress, IpNetwork, Protocol, TapMode
from vaern_programs.shared.device_names import names_a_device

if TYPE_CHECKING:
    from vaern.declaration.document import Key

SSH_PORT = 22
MAPPED_BITS = 96
"""Prefix length of the addresses of IPv4 in IPv6 (RFC 4291)."""
WIDEST_BITS = 8
"""A network wider than this is a large part of the Internet: no municipality has it, and its relay would let it in."""


def networks(municipality: Municipality) -> Iterator[Fault]:
    """The networks of a site are apart from each other, and hosts and devices can have their addresses."""
    for position, site in enumerate(municipality.sites):
        keys: list[Key] = [("network",), *(("other_networks", number) for number in range(len(site.other_networks)))]
        for where, network in zip(keys, site.networks, strict=True):
            if wrong := network_fault(network):
                yield Fault(("sites", position, *where), *wrong)
        before: list[IpNetwork] = [site.network]
        for number, network in enumerate(site.other_networks):
            if same := next((one for one in before if one.version == network.version and one.overlaps(network)), None):
                key: Key = ("sites", position, "other_networks", number)
                yield Fault(key, f"{network} overlaps {same}, a network of {site.name} too", "write each address once")
            before.append(network)


def network_fault(network: IpNetwork) -> tuple[str, str] | None:
    """Why no device can have an address of that network, and what to write instead."""
    if (mapped := _mapped(network)) is not None:
        return f"{network} is {mapped}, as IPv6 carries it", f"write {mapped}"
    if network.prefixlen < WIDEST_BITS:
        return f"{network} is a large part of the Internet", "write the networks that the site has"
    first, last = network[0], network[-1]
    if first.is_loopback or last.is_loopback:
        return f"{network} is a host's own, and nobody sends from there", "write a network of the site, or remove it"
    if any(one.is_link_local or one.is_multicast or one.is_unspecified for one in (first, last)) or _reserved(last):
        return f"{network} is not a network that devices send from", "write a network of the site, or remove it"
    return None


def _mapped(network: IpNetwork) -> IPv4Network | None:
    """The network of IPv4 that one of IPv6 stands for."""
    first = network[0].ipv4_mapped if isinstance(network, IPv6Network) else None
    prefix = network.prefixlen - MAPPED_BITS
    return IPv4Network((first, prefix)) if first is not None and prefix >= 0 else None


def _reserved(address: IpAddress) -> bool:
    """Of 240.0.0.0/4, which no device has."""
    return isinstance(address, IPv4Address) and address.is_reserved


def origins(municipality: Municipality) -> Iterator[Fault]:
    """Each source says where it sends from, and that is in the networks of its site."""
    sites = {site.name: site for site in municipality.sites}
    for position, source in enumerate(municipality.log_sources):
        key: Key = ("log_sources", position)
        if source.dns is not None:
            yield from _by_name(source, key)
        elif source.address is not None and source.network is not None:
            yield Fault((*key, "network"), "an address and a network", "keep one of the two")
        elif source.address is None and source.network is None and source.host_name is None:
            found = "nothing says where it sends from"
            fix = "add `address:`, `network:`, its `dns:` name or the `host_name:` in its messages"
            yield Fault((*key, "name"), found, fix)
        if source.host_name is not None and not names_a_device(source.host_name):
            found = f"`{source.host_name}` names no device"
            yield Fault((*key, "host_name"), found, "write the name that is its own, or leave it out")
        if (site := sites.get(source.site)) is not None:
            wrong = list(_within(site, source, key))
            yield from wrong or _by_ipv6(municipality, source, key)


def _by_name(source: LogSource, key: Key) -> Iterator[Fault]:
    """Its DNS name alone tells it."""
    kept = "keep one of the two: all that comes from where the name leads is one source's"
    for part in ("address", "network", "host_name", "program"):
        if getattr(source, part) is not None:
            yield Fault((*key, "dns"), f"a DNS name and `{part}:`", kept)


def _within(site: Site, source: LogSource, key: Key) -> Iterator[Fault]:
    known = site.networks
    if source.address is not None and (wrong := address_fault(known, site, source.address)):
        yield Fault((*key, "address"), *wrong)
    if (network := source.network) is not None and not any(_covers(one, network) for one in known):
        found = f"{network} is not in {_listed(known)}, the network of {site.name}"
        yield Fault((*key, "network"), found, "write a part of it, or add it to other_networks of the site")


def address_fault(known: tuple[IpNetwork, ...], site: Site, address: IpAddress) -> tuple[str, str] | None:
    """Why no source or host can have an address there, and what to write instead."""
    if never := usable_fault(address, f"a usable address of {_listed(known)}"):
        return never
    network = next((one for one in known if address in one), None)
    if network is None:
        which = "the network" if len(known) == 1 else "a network"
        fix = f"write a usable address of {_listed(known)}, or correct the network"
        return f"{address} is not in {_listed(known)}, {which} of {site.name}", fix
    if network.num_addresses <= POINT_TO_POINT or isinstance(network, IPv6Network):
        return None
    if address == network.network_address:
        return f"{address} is the network address of {network}", f"write a usable address of {network}"
    if address == network.broadcast_address:
        return f"{address} is the broadcast address of {network}", f"write a usable address of {network}"
    return None


def usable_fault(address: IpAddress, wanted: str) -> tuple[str, str] | None:
    """Why that is in no network the address of one device, and what to write instead: `wanted`."""
    if (mapped := plain(address)) != address:
        return f"{address} is {mapped}, as IPv6 carries it", f"write {mapped}"
    zone = isinstance(address, IPv6Address) and address.scope_id is not None
    if zone or address.is_link_local or address.is_multicast or address.is_unspecified or address.is_loopback:
        return f"{address} is not the address of one sender", f"write {wanted}"
    return None


def _by_ipv6(municipality: Municipality, source: LogSource, key: Key) -> Iterator[Fault]:
    relay = municipality.relay_of(source.site)
    place = source.address or source.network
    if place is not None and isinstance(place, IPv6Address | IPv6Network) and relay is not None and relay.ipv6 is None:
        part = "address" if source.address is not None else "network"
        found = f"{place} sends by IPv6, and its relay `{relay.name}` has no IPv6 address"
        yield Fault((*key, part), found, f"add `ipv6:` to {relay.name}, or write an IPv4 address")


def apart(municipality: Municipality) -> Iterator[Fault]:
    """No source has the place of a host, and no two sources of one place are alike."""
    places = {(host.site, address): host.name for host in municipality.hosts for address in host.addresses}
    seen: dict[tuple[str, Input, IpNetwork, Mark], str] = {}
    for position, source in enumerate(municipality.log_sources):
        if not any(site.name == source.site for site in municipality.sites):
            continue
        place = "network" if source.network else "address" if source.address else "host_name"
        key: Key = ("log_sources", position, place)
        if source.dns is not None:
            yield from _named_once(municipality, position, source)
            continue
        shown = f"{source.address or source.network or source.host_name} at {source.site}"
        if source.address is not None and (owner := places.get((source.site, source.address))):
            found = f"{shown} is already the {place} of `{owner}`"
            yield Fault(key, found, "give it one of its own: sources are identified by address")
            continue
        for network in networks_of(municipality, source):
            first = seen.setdefault((source.site, input_of(source), network, mark_of(source)), source.name)
            if first != source.name:
                found = f"{shown} is already the {place} of `{first}`, and nothing tells the two apart"
                yield Fault(key, found, "give it one of its own, or add a host_name, program or port")
                break


def _named_once(municipality: Municipality, position: int, source: LogSource) -> Iterator[Fault]:
    """No other source of its input has its DNS name, which has no case (RFC 4343)."""
    dns, way = str(source.dns).lower(), (source.site, input_of(source))
    for first in municipality.log_sources[:position]:
        if first.dns is not None and first.dns.lower() == dns and (first.site, input_of(first)) == way:
            found = f"{source.dns} at {source.site} is already the DNS name of `{first.name}`"
            yield Fault(("log_sources", position, "dns"), found, "give it one of its own, or add a port")
            return


def shadowed(municipality: Municipality) -> Iterator[Fault]:
    """No source is hidden wholly by others that have narrower places, and by hosts."""
    declared: dict[tuple[str, Input], set[IpNetwork]] = defaultdict(set)
    known = [one for one in municipality.log_sources if one.site in {site.name for site in municipality.sites}]
    for source in known:
        declared[source.site, input_of(source)].update(networks_of(municipality, source))
    for position, source in enumerate(municipality.log_sources):
        if source not in known or source.address is not None:
            continue
        if source.dns is not None:
            yield from _never_free(municipality, position, source)
            continue
        own = [ip_network(one) for host in municipality.hosts if host.site == source.site for one in host.addresses]
        places = networks_of(municipality, source)
        others = {one for one in declared[source.site, input_of(source)] if one not in places} | set(own)
        if all(_hidden(network, others) for network in places):
            part = "network" if source.network else "host_name"
            found = f"it never gets an event: each address of {source.network or source.site} is another's"
            yield Fault(("log_sources", position, part), found, "remove it, or the narrower ones that take everything")


def _never_free(municipality: Municipality, position: int, source: LogSource) -> Iterator[Fault]:
    """A DNS name stands for an address of the site that is nobody else's: there has to be one."""
    taken = set(claimed(municipality, source))
    networks = municipality.site(source.site).networks
    if all(network in taken or _hidden(network, taken) for network in networks):
        found = f"it never gets an event: each address of {source.site} is another's"
        fix = "remove it, or make the network of another source by the same protocol narrower"
        yield Fault(("log_sources", position, "dns"), found, fix)


def _hidden(network: IpNetwork, declared: set[IpNetwork]) -> bool:
    narrower = [one for one in declared if _covers(network, one)]
    of_family = [one for one in narrower if isinstance(one, type(network))]
    return list(collapse_addresses(of_family)) == [network]  # type: ignore[type-var]


def ports(municipality: Municipality) -> Iterator[Fault]:
    """A port of its own is no other one of the relay."""
    taken: dict[tuple[str, str, int], Protocol] = {}
    mirrors = {
        (host.site, "udp", tap.vxlan.port): tap.name
        for tap in municipality.taps
        for host in municipality.with_role(HostRole.RELAY)
        if tap.sensor == host.name and tap.mode is TapMode.VXLAN and tap.vxlan is not None
    }
    usual = {*PORTS.values(), RELP_PORT, SSH_PORT}
    for position, source in enumerate(municipality.log_sources):
        if source.port is None:
            continue
        key: Key = ("log_sources", position, "port")
        if source.port in usual:
            found = f"{source.port} is a usual port of the relay"
            yield Fault(key, found, "leave it out, or write another one such as 5514")
        way = (source.site, TRANSPORTS[source.protocol], source.port)
        if way in mirrors:
            found = f"{source.port} is already the port of tap `{mirrors[way]}` on the same host"
            yield Fault(key, found, "write another one such as 5514")
        if (first := taken.setdefault(way, source.protocol)) is not source.protocol:
            found = f"{source.port} is already the port of a source by {first} at {source.site}"
            yield Fault(key, found, "write another one: a port has one protocol")


def _covers(wide: IpNetwork, narrow: IpNetwork) -> bool:
    return wide.version == narrow.version and wide.prefixlen <= narrow.prefixlen and wide.overlaps(narrow)


def _listed(known: tuple[IpNetwork, ...]) -> str:
    return " and ".join(map(str, known))
