"""The variables of every host, and the shapes that several roles share; the roles' argument_specs define them."""

from __future__ import annotations

from typing import Any

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import INTERFACE, OVERLAY_MTU, host_name, overlay_name
from vaern.model.overlay import gateway_address
from vaern.model.vocabulary import HostRole, Target

Variables = dict[str, Any]
CONNECTIONS = 64
"""Of one address to one port. A sender needs one or two; a relay takes 2000 in all, and each costs it 64 KiB."""


def baseline(deployment: Deployment) -> Variables:
    """The variables of every host, shared or municipal."""
    lab = deployment.target is Target.LAB
    return {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "base_ntp_sources": list(deployment.ntp_sources),
        "base_clock": {"kernel": not lab},
        "base_audit": {"enabled": not lab},
        "base_management": {"port": 22, "sources": [str(network) for network in deployment.management_networks]},
        "base_names": names_without_dns(deployment),
    }


def names_without_dns(deployment: Deployment) -> list[Variables]:
    """Names that every host resolves without DNS."""
    names = {overlay_name(hub.name): str(deployment.overlay_address(hub)) for hub in deployment.hubs}
    if deployment.target is Target.LAB:
        names |= dict.fromkeys(deployment.ntp_sources, str(deployment.hubs[0].address))
    return [{"name": name, "address": address} for name, address in names.items()]


def gateways(deployment: Deployment, slug: str, municipality: Municipality) -> list[tuple[str, str]]:
    """Inventory name and overlay address of each gateway, in declared order."""
    hosts = municipality.with_role(HostRole.GATEWAY)
    return [
        (host_name(slug, host.name), str(gateway_address(deployment.overlay, municipality.code, number)))
        for number, host in enumerate(hosts, start=1)
    ]


def port_of(port: int, protocol: str, sources: list[str], comment: str, interface: str = "") -> Variables:
    """One open port, by TCP with a bound for each address; with `interface`, open on that interface only."""
    entry: Variables = {"port": port, "protocol": protocol, "sources": sources, "comment": comment}
    entry |= {"connections": {"most": CONNECTIONS}} if protocol == "tcp" else {}
    return entry | {"interface": interface} if interface else entry


def bounded_datagrams(port: Variables, datagrams: int, octets: int) -> Variables:
    """A port for UDP with a bound for each address: datagrams and bytes a second."""
    return port | {"datagrams": {"per_second": datagrams, "bytes_per_second": octets}}


def key_name(host: str) -> str:
    """The name in the certificate of that host's present key, known after enrolment."""
    return f"{{{{ enrolment['{host}'].key_name }}}}"


def tunnel(address: str) -> Variables:
    """The interface of the tunnel, at this address with its prefix."""
    return {"name": INTERFACE, "address": address, "mtu": OVERLAY_MTU}
