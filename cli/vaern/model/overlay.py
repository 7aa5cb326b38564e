"""Overlay addressing: one ULA /48 per deployment, one /64 per municipality from its code (RFC 4193).

Municipal LANs overlap in RFC 1918 space; the overlay cannot, because codes are unique. The four digits of the code are
the fourth group of the address: 0710 becomes `fd..:..:..:710::1`.
"""

from __future__ import annotations

from ipaddress import IPv6Address, IPv6Network

HUBS = "0000"
"""The /64 of the shared hosts; no municipality has this code."""


def municipality_prefix(overlay: IPv6Network, code: str) -> IPv6Network:
    """The /64 of one municipality; `code` is four decimal digits, read as hexadecimal digits."""
    subnet = int(overlay.network_address) | (int(code, 16) << 64)
    return IPv6Network((subnet, 64))


def gateway_address(overlay: IPv6Network, code: str, number: int) -> IPv6Address:
    """Address of the gateway with that number, counted from 1 in declared order."""
    return municipality_prefix(overlay, code)[number]


def hub_address(overlay: IPv6Network, number: int) -> IPv6Address:
    """Address of the hub with that number, counted from 1 in declared order."""
    return municipality_prefix(overlay, HUBS)[number]
