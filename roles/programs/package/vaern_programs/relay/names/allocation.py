"""Which source has which address, of those that are declared by their DNS name. Pure.

Who answers for a name decides whose events an address sends, so an answer is only taken within what is declared: an
address in the networks of the site, that is nobody else's, and never of two sources that send to the same input.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

Address = IPv4Address | IPv6Address
MOST = 16
"""Addresses of one name."""


class Answer(NamedTuple):
    """What the resolver says of a name now."""

    addresses: tuple[Address, ...]
    silent: frozenset[int]
    """Families, 4 and 6, about which it said nothing: whether there are such addresses is not known."""


SILENT = Answer((), frozenset({4, 6}))


@dataclass(frozen=True, slots=True)
class Named:
    """A source that is declared by its name."""

    source: str
    name: str
    input: str
    """Where rsyslog takes it in: `syslog_udp`, or `syslog_udp_5514` for a port of its own."""
    set: str
    """The set of the firewall that lets it in."""
    networks: tuple[IPv4Network | IPv6Network, ...]
    """Those of its site."""
    others: tuple[IPv4Network | IPv6Network, ...]
    """What others have of them: hosts, and the addresses and networks of other sources of the same input."""

    @classmethod
    def of(cls, settings: Mapping[str, Any]) -> Named:
        """From one entry of names.json. Raises KeyError and ValueError."""
        networks, others = (tuple(map(ip_network, settings[key])) for key in ("networks", "others"))
        source, name, taken_in, of_firewall = (str(settings[key]) for key in ("source", "name", "input", "set"))
        return cls(source, name, taken_in, of_firewall, networks, others)


class Allocated(NamedTuple):
    """Of one source: the addresses that are its own, and why others of its name are not."""

    addresses: tuple[str, ...]
    refused: tuple[str, ...]


class _Claim(NamedTuple):
    """An address that a name stands for. The smallest comes first."""

    rank: int
    position: int
    version: int
    number: int


def allocate(
    named: Sequence[Named],
    answers: Mapping[str, Answer],
    before: Mapping[str, Iterable[str]],
) -> dict[str, Allocated]:
    """The addresses of each source.

    What the resolver says now goes before what is known from earlier; of two that it gives the same address, who has
    it keeps it, else the first declared gets it.

    Args:
        named: in declared order.
        answers: of each name. Of a family that the resolver said nothing about, the last known addresses hold.
        before: the addresses of each source until now.
    """
    taken: dict[tuple[str, Address], str] = {}
    accepted: dict[str, list[str]] = {one.source: [] for one in named}
    refused: dict[str, list[str]] = {one.source: [] for one in named}
    for claim in sorted(_claims(named, answers, before)):
        one = named[claim.position]
        address: Address = (IPv4Address if claim.version == 4 else IPv6Address)(claim.number)
        wrong = unfit(one, address)
        if wrong is None and (owner := taken.get((one.input, address))):
            wrong = f"{owner} has it"
        if wrong is None and len(accepted[one.source]) == MOST:
            wrong = f"a name has {MOST} addresses at most"
        if wrong is not None:
            refused[one.source].append(f"{address}: {wrong}")
            continue
        taken[one.input, address] = one.source
        accepted[one.source].append(str(address))
    return {source: Allocated(tuple(accepted[source]), tuple(refused[source])) for source in accepted}


def _claims(named: Sequence[Named], answers: Mapping[str, Answer], before: Mapping[str, Iterable[str]]) -> set[_Claim]:
    found = set()
    for position, one in enumerate(named):
        known = {plain(ip_address(address)) for address in before.get(one.source, ())}
        said, silent = answers.get(one.name, SILENT)
        for address in map(plain, said):
            found.add(_Claim(0 if address in known else 1, position, address.version, int(address)))
        for address in known - set(map(plain, said)):
            if address.version in silent:
                found.add(_Claim(2, position, address.version, int(address)))
    return found


def unfit(one: Named, address: Address) -> str | None:
    """Why a source cannot have that address, whatever its name stands for; None when it can."""
    if address.is_loopback or address.is_multicast or address.is_unspecified or address.is_link_local:
        return "not the address of one sender"
    if not any(address in network for network in one.networks):
        return "in no network of its site"
    if any(address in network for network in one.others):
        return "declared as somebody else's"
    return None


def plain(address: Address) -> Address:
    """IPv4 as IPv4, also where IPv6 carries it; without the zone that only this host knows."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or type(address)(int(address))
