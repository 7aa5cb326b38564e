"""Names and addresses of everything a lab makes: pure functions, so that a sweep finds what a record lost.

Every namespace, machine and control group starts with the lab's name. Interfaces need no prefix, because none is ever
outside the lab's own namespaces; the kernel allows them 15 characters (IFNAMSIZ - 1).
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Interface, IPv4Network

WAN = "wan"
"""The bridge that stands for the Internet between hubs and gateways."""
WAN_NETWORK = IPv4Network("198.18.0.0/15")
"""RFC 2544, reserved for tests: never routed, and unlikely on the operator's machine."""
CONTROL_NODE = IPv4Interface("198.18.0.1/15")
"""Where ssh and Ansible come from."""
INTERFACE_LIMIT = 15
MACHINE_LIMIT = 60
"""Below the 64 of a Linux host name."""
FIRST_HOST = 10


def digest(*parts: str) -> str:
    """Ten hexadecimal digits that differ when the parts do."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:10]


def shorten(text: str, limit: int) -> str:
    """The text itself when it fits, else its beginning and a digest of the whole: two long names never meet."""
    return text if len(text) <= limit else f"{text[: limit - 11]}-{digest(text)}"


def namespace(lab: str, *parts: str) -> str:
    """Network namespace, machine and control group of one host, or of one site's devices (slug, site)."""
    return shorten("-".join((lab, *parts)), MACHINE_LIMIT)


def bridge(site: str) -> str:
    """The bridge of one site's LAN, by the name of the site in the lab."""
    return f"lan-{digest(site)}"


def port(namespace_name: str, interface: str) -> str:
    """The bridge's end of the cable to that interface of that namespace."""
    return f"p-{digest(namespace_name, interface)}"


def hardware_address(namespace_name: str, interface: str) -> str:
    """The same for the same interface of a host that is made anew, so that no neighbour has to forget the old one.

    Locally administered and unicast (IEEE 802: second lowest bit of the first byte set, lowest clear).
    """
    digits = digest(namespace_name, interface)
    return ":".join(["02", *(digits[at : at + 2] for at in range(0, 10, 2))])


def uplink_address(code: str, codes: Sequence[str], position: int) -> IPv4Interface:
    """Uplink of the host at that position (from 0) of a municipality: 198.19.<index of the code>.<10 + position>.

    `codes` is every code there can be, sorted. Raises ValueError when the code is not among them or the host is past
    the end of its municipality's 256 addresses.
    """
    if not 0 <= position <= 254 - FIRST_HOST:
        raise ValueError(f"a lab municipality has room for {255 - FIRST_HOST} hosts; position {position} is past them")
    address = IPv4Address(f"198.19.{codes.index(code)}.{FIRST_HOST + position}")
    return IPv4Interface((address, WAN_NETWORK.prefixlen))
