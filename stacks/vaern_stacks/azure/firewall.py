"""Rules of the network security groups, as data: what may reach the hubs, the private endpoints and Bastion.

All rules of a group are inline: standalone rules beside inline ones undo each other (pulumi-azure-native #3359).
Nothing is open to the Internet but the VPN port; Bastion takes operators from the declared management networks only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vaern.model.deployment import Deployment

ANY = "*"
DENY_PRIORITY = 4000
"""Before Azure's own rules at 65000, which let the whole virtual network in and everything out."""
BASTION_PORTS = ("8080", "5701")
"""Between the instances of Bastion (Microsoft, "Working with NSG access and Azure Bastion")."""
ENDPOINT_PORTS = ("443", "5671", "9093")
"""HTTPS, AMQP and Kafka of Event Hubs."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; addresses are prefixes or Azure's service tags."""

    name: str
    inbound: bool
    allow: bool
    protocol: str
    sources: tuple[str, ...]
    destination: str
    ports: tuple[str, ...]


_DENY_IN = Rule("deny-in", inbound=True, allow=False, protocol=ANY, sources=(ANY,), destination=ANY, ports=(ANY,))
_DENY_OUT = Rule("deny-out", inbound=False, allow=False, protocol=ANY, sources=(ANY,), destination=ANY, ports=(ANY,))


def hub_rules(deployment: Deployment, bastion: str, endpoints: str) -> list[Rule]:
    """Gateways reach the VPN port, Bastion reaches ssh; hubs reach endpoints, package sources and time."""
    return [
        Rule("vpn", True, True, "Udp", ("Internet",), ANY, (str(deployment.vpn_port),)),
        Rule("ssh-from-bastion", True, True, "Tcp", (bastion,), ANY, ("22",)),
        _DENY_IN,
        Rule("endpoints", False, True, "Tcp", (ANY,), endpoints, ENDPOINT_PORTS),
        Rule("packages", False, True, "Tcp", (ANY,), "Internet", ("80", "443")),
        Rule("time", False, True, "Udp", (ANY,), "Internet", ("123",)),
        _DENY_OUT,
    ]


def endpoint_rules(hubs: str, bastion: str) -> list[Rule]:
    """Private endpoints answer the hubs, and what operators tunnel through them."""
    return [Rule("from-hubs", True, True, "Tcp", (hubs, bastion), ANY, ENDPOINT_PORTS), _DENY_IN, _DENY_OUT]


def bastion_rules(management: Sequence[str], hubs: str) -> list[Rule]:
    """What Azure demands of Bastion's group, with the operators' networks where its documentation says Internet."""
    inside = "VirtualNetwork"
    return [
        Rule("operators", True, True, "Tcp", tuple(management), ANY, ("443",)),
        Rule("gateway-manager", True, True, "Tcp", ("GatewayManager",), ANY, ("443",)),
        Rule("load-balancer", True, True, "Tcp", ("AzureLoadBalancer",), ANY, ("443",)),
        Rule("instances-in", True, True, ANY, (inside,), inside, BASTION_PORTS),
        _DENY_IN,
        Rule("ssh", False, True, "Tcp", (ANY,), hubs, ("22",)),
        Rule("azure", False, True, "Tcp", (ANY,), "AzureCloud", ("443",)),
        Rule("instances-out", False, True, ANY, (inside,), inside, BASTION_PORTS),
        Rule("sessions", False, True, ANY, (ANY,), "Internet", ("80",)),
        _DENY_OUT,
    ]
