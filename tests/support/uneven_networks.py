"""Declarations of networks as municipalities have them, made at random: overlapping, nested, shared by several kinds.

What a declaration would be refused for is left out, so that what remains is a declaration that is loaded.
"""

from __future__ import annotations

from functools import cache
from ipaddress import IPv6Network, ip_address, ip_network
from random import Random
from typing import Any

from support.paths import ROOT
from vaern.declaration import load_fleet
from vaern.declaration.origin_rules import apart, networks, origins, ports, shadowed
from vaern.model.declaration import LogSource, Municipality, Site
from vaern.model.deployment import Deployment
from vaern.model.fleet import Fleet
from vaern.model.origins import Arrival, input_of
from vaern.model.vocabulary import IpNetwork, Protocol
from vaern.runtime.paths import Project

LANS = ("10.0.0.0/24", "10.0.1.0/24", "192.168.0.0/24", "172.16.4.0/22")
OTHERS = ("10.20.0.0/16", "10.30.0.0/20", "192.168.64.0/18", "2001:db8:20::/48", "2001:db8:30::/56")
NAMES = ("sw1", "SW2", "sw3.example", "fw-1", "10.9.9.9", "db8")
PROGRAMS = ("sshd", "postfix/smtpd", "named")
STRANGERS = ("sw9", "localhost", "CET", "Okt", "sw1.example")
SIZES = (1, 2, 5, 12, 30)


@cache
def fleet() -> Fleet:
    """The committed one, whose municipalities are the frame of what is made."""
    return load_fleet(Project.find(ROOT))


def deployment() -> Deployment:
    """Of the committed fleet."""
    return fleet().deployment


def uneven(random: Random, prefix: str, sources: int = 0) -> Municipality:
    """A municipality with one site; the names of its sources begin with `prefix`. `sources` of 0 is any number."""
    frame = fleet().municipalities["favrskov"]
    lan = random.choice(LANS)
    others = random.sample(OTHERS, random.randint(0, 3))
    site = Site.model_validate(
        frame.sites[0].model_dump() | {"network": lan, "other_networks": tuple(others)},
    )
    address = ip_network(lan)[10]
    relay = frame.hosts[0].model_copy(update={"address": address, "ipv6": ip_address("2001:db8:1::10")})
    wanted = [_source(random, frame, site, f"{prefix}{n}") for n in range(sources or random.choice(SIZES))]
    plain = _source(random, frame, site, f"{prefix}x").model_copy(
        update={"address": ip_network(lan)[2], "network": None, "host_name": None, "program": None, "port": None}
    )
    made = frame.model_copy(update={"sites": (site,), "hosts": (relay,), "log_sources": (plain, *wanted), "taps": ()})
    return _accepted(made)


def _source(random: Random, frame: Municipality, site: Site, name: str) -> LogSource:
    place: IpNetwork = random.choice((site.network, *site.other_networks))
    values: dict[str, Any] = {"name": name, "port": random.choice((None, None, None, 5514, 5515))}
    values["protocol"] = random.choice((Protocol.SYSLOG_UDP, Protocol.SYSLOG_TCP, Protocol.SYSLOG_TLS))
    values["host_name"] = random.choice((None, *NAMES))
    values["program"] = random.choice((None, None, *PROGRAMS))
    values |= {"address": None, "network": None}
    match random.choice(("address", "address", "network", "network", "name")):
        case "address":
            values["address"] = place[random.choice((1, 2, 3, 11, random.randrange(20, 250)))]
        case "network":
            values["network"] = _part(random, place)
        case _:
            values["host_name"] = random.choice(NAMES)
    return frame.log_sources[0].model_copy(update={"site": site.name, **values})


def _part(random: Random, network: IpNetwork) -> IpNetwork:
    longest = 64 if isinstance(network, IPv6Network) else 30
    length = random.randint(network.prefixlen, longest)
    start = int(network[0]) + (random.randrange(4) << (network.max_prefixlen - length))
    found: IpNetwork = ip_network((start, length), strict=False)
    return found if found[0] in network and found.prefixlen >= network.prefixlen else network


def _accepted(municipality: Municipality) -> Municipality:
    """Without the sources that a declaration would be refused for."""
    rules = (networks, origins, apart, shadowed, ports)
    while wrong := {fault.key[1] for rule in rules for fault in rule(municipality)}:
        kept = tuple(one for n, one in enumerate(municipality.log_sources) if n not in wrong)
        municipality = municipality.model_copy(update={"log_sources": kept})
    return municipality


def arrivals(random: Random, municipality: Municipality, count: int) -> list[Arrival]:
    """Events from places of the site and beside them, by declared inputs, with names that are declared and others."""
    site = municipality.sites[0]
    places = (site.network, *site.other_networks, ip_network("203.0.113.0/24"))
    ways = [input_of(source) for source in municipality.log_sources]
    return [
        Arrival(
            *random.choice(ways),
            random.choice(places)[random.choice((1, 2, 3, 11, random.randrange(256)))],
            random.choice((None, *NAMES, *STRANGERS, "SW1")),
            random.choice((None, *PROGRAMS, "su")),
        )
        for _ in range(count)
    ]
