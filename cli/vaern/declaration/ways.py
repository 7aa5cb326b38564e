"""The declared way to a host (`ssh:`) leads to that host, and over machines of its own municipality.

Operations works as root on what it leads to, and under this municipality's signature: a way to, or over, what belongs
to somebody else would let one municipality decide what is done there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address

from vaern.declaration.faults import Fault
from vaern.declaration.naming_rules import like_a_host
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import overlay_name

A_NUMBER_AT_ITS_END = re.compile(r"(?:.*\.)?(?:[0-9]+|0[xX][0-9a-fA-F]*)\.?")
"""What the resolver reads as an IPv4 address, also 3323068426 and 198.18.10 (inet_aton); no name ends so (RFC 3696)."""
OWN = "write an address or a name of the municipality's own"


def municipality_faults(deployment: Deployment, municipality: Municipality) -> Iterator[Fault]:
    """Each way that leads to, or over, what is not the municipality's."""
    for position, host in enumerate(municipality.hosts):
        if host.ssh is None:
            continue
        for key, value in (("address", host.ssh.address), ("jump", host.ssh.jump)):
            if value is not None and (whose := _whose(value, deployment, municipality)):
                yield Fault(("hosts", position, "ssh", key), f"`{value}` is {whose}", OWN)


def _whose(value: str, deployment: Deployment, municipality: Municipality) -> str:
    """Whose it is when it is not the municipality's own; empty when nothing speaks against it."""
    address = _address(value)
    if address is None:
        if A_NUMBER_AT_ITS_END.fullmatch(value) or ":" in value:
            return "neither an address nor a name"
        return _whose_name(value.lower().rstrip("."), deployment, municipality)
    for hub in deployment.hubs:
        if address == hub.address:
            return f"the hub {hub.name}"
    if address in deployment.overlay:
        return f"in the overlay ({deployment.overlay}), whose addresses vaern gives out"
    if address.is_loopback or address.is_unspecified:
        return "the machine that vaern runs on"
    return ""


def _whose_name(name: str, deployment: Deployment, municipality: Municipality) -> str:
    for hub in deployment.hubs:
        if name in {hub.name, overlay_name(hub.name)}:
            return f"the hub {hub.name}"
    if name == "localhost" or name.endswith(".localhost"):
        return "the machine that vaern runs on"
    other = like_a_host(name) if "." not in name else ""
    return f"a name of hosts of {other}" if other not in {"", municipality.name} else ""


def _address(value: str) -> IPv4Address | IPv6Address | None:
    """The address; one that is IPv4 written as IPv6 is IPv4. None for a name."""
    try:
        address = ip_address(value)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
