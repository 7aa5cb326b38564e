"""Address ranges of the virtual network: pure, so that the inventory knows them without the SDK."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from vaern.model.deployment import Deployment

VPN_PART = 0xA000
"""The part of the overlay the virtual network takes: hexadecimal, so no decimal municipality code is in it."""


@dataclass(frozen=True, slots=True)
class Plan:
    """Address ranges of the subnets."""

    hubs: IPv4Network
    bastion: IPv4Network
    endpoints: IPv4Network
    ipv6: IPv6Network
    hubs_ipv6: IPv6Network


def plan(deployment: Deployment) -> Plan:
    """The declared space divided: a /24 for hubs, a /26 for Bastion, and a /22 for about a thousand endpoints."""
    space = deployment.on_azure.address_space
    quarters = list(IPv4Network((space.ipv4.network_address, 20)).subnets(new_prefix=22))
    small = list(quarters[0].subnets(new_prefix=24))
    ipv6 = space.ipv6 or IPv6Network((int(deployment.overlay.network_address) | VPN_PART << 64, 56))
    return Plan(
        hubs=small[0],
        bastion=next(small[1].subnets(new_prefix=26)),
        endpoints=quarters[1],
        ipv6=ipv6,
        hubs_ipv6=next(ipv6.subnets(new_prefix=64)),
    )
