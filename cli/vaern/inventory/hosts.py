"""The variables of a municipality's hosts: those of each role a host has, its tunnel, and what it opens."""

from __future__ import annotations

from vaern.inventory import azure, watching
from vaern.inventory.relays import counted_ports, names_of_sources, relay_ports, relay_variables
from vaern.inventory.sensors import sensor_variables
from vaern.inventory.variables import Variables, gateways, names_without_dns, port_of, tunnel
from vaern.model.declaration import Host, Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.naming import host_name, pair_key
from vaern.model.relays import Plan
from vaern.model.vocabulary import HostRole, Target

KEEPALIVE_SECONDS = 25


def host_variables(deployment: Deployment, slug: str, municipality: Municipality, host: Host, plan: Plan) -> Variables:
    """One host of a municipality, with the variables of each role it has."""
    variables: Variables = _firewall(municipality, host, plan)
    if HostRole.GATEWAY in host.roles:
        variables |= _link(deployment, slug, municipality, host)
    if HostRole.RELAY in host.roles:
        variables |= relay_variables(deployment, slug, municipality, plan.relays[host.name], plan.topics)
        if deployment.target is Target.AZURE:
            variables["base_names"] = names_without_dns(deployment) + azure.names(deployment, slug)
        if deployment.target is Target.LAB and (named := names_of_sources(municipality, plan.relays[host.name])):
            variables["base_names"] = names_without_dns(deployment) + named
    if HostRole.SENSOR in host.roles:
        variables |= sensor_variables(slug, municipality, host)
    return variables | watching.host_watch(deployment, slug, municipality, host)


def _link(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    name = host_name(slug, host.name)
    address = dict(gateways(deployment, slug, municipality))[name]
    hubs = [
        {
            "name": hub.name,
            "endpoint": deployment.endpoint(hub),
            "public_key": f"{{{{ enrolment['{hub.name}'].wireguard_public_key }}}}",
            "preshared_key": _preshared(name, hub.name),
            "allowed_ips": [f"{deployment.overlay_address(hub)}/128"],
            "keepalive": KEEPALIVE_SECONDS,
        }
        for hub in deployment.with_role(HubRole.VPN_HUB)
    ]
    return {"vpn_link_interface": tunnel(f"{address}/128"), "vpn_link_hubs": hubs}


def _firewall(municipality: Municipality, host: Host, plan: Plan) -> Variables:
    """What a host of the municipality opens, each port to the declared senders only; a relay counts the others."""
    mirrors = [
        port_of(tap.vxlan.port, "udp", [f"{tap.vxlan.remote}/32"], f"Mirror of tap {tap.name}")
        for tap in municipality.taps
        if tap.sensor == host.name and tap.vxlan is not None
    ]
    relay = plan.relays.get(host.name)
    if relay is None:
        return {"base_open_ports": mirrors}
    opened = relay_ports(municipality, relay) + mirrors
    return {"base_open_ports": opened, "base_counted_ports": counted_ports(municipality)}


def _preshared(gateway: str, hub: str) -> str:
    return f"{{{{ vpn_preshared_keys['{pair_key(gateway, hub)}'] }}}}"
