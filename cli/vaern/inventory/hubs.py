"""The variables of the shared hosts: what they open, and the municipalities they serve."""

from __future__ import annotations

from vaern.inventory import azure, notifying, watching
from vaern.inventory.variables import Variables, gateways, port_of, tunnel
from vaern.model import receiving, sizing
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment, Hub, HubRole
from vaern.model.naming import INTERFACE, host_name, overlay_name
from vaern.model.vocabulary import HostRole, Target
from vaern_stacks.azure.naming import KAFKA_PORT
from vaern_stacks.lab.names import WAN_NETWORK

NTP_PORT = 123
NEW_CONNECTIONS = 10
"""A second, of one relay."""
MEBIBYTE = 2**20
CATCH_UP_FACTOR = 10
"""A relay may deliver this many times its municipality's declared rate, to catch up quickly after an outage. What is
counted is compressed, so this is more than ten times the events."""
SMALLEST_QUOTA = MEBIBYTE // 4
"""Bytes per second, compressed: some thousand events. For a municipality that declares a handful of events a second."""


def hub_variables(deployment: Deployment, hub: Hub) -> Variables:
    """Variables of one shared host. Its peers and tenants are in a separate file: every onboarding changes them."""
    lab = deployment.target is Target.LAB
    address = deployment.overlay_address(hub)
    on_azure = deployment.target is Target.AZURE
    collects = HubRole.COLLECTOR in hub.roles and not on_azure
    ports = [port_of(deployment.vpn_port, "udp", [], "WireGuard from the gateways")]
    if collects or (on_azure and HubRole.VPN_HUB in hub.roles):
        sources, port = [str(deployment.overlay)], KAFKA_PORT if on_azure else deployment.kafka_port
        events = port_of(port, "tcp", sources, "Events from the relays", INTERFACE)
        # A handshake of TLS costs the broker some milliseconds, and a relay that flickers two connections.
        events["connections"]["new_per_second"] = NEW_CONNECTIONS
        ports.append(events)
    if lab:
        ports.append(port_of(NTP_PORT, "udp", [str(WAN_NETWORK)], "Time for the lab"))
    variables: Variables = {
        "base_ntp_server": {"allow": [str(WAN_NETWORK)] if lab else []},
        "base_open_ports": ports,
        "vpn_hub_interface": tunnel(f"{address}/48") | {"port": deployment.vpn_port},
        **watching.hub_watch(deployment, hub.name),
    }
    if on_azure:
        variables |= azure.hub_login()
        variables |= azure.proxy(deployment, hub) if HubRole.VPN_HUB in hub.roles else {}
    if collects:
        variables["collector_listener"] = {
            "address": str(address),
            "port": deployment.kafka_port,
            "name": overlay_name(hub.name),
        }
    return variables


def tenant_variables(deployment: Deployment, tenants: dict[str, Municipality]) -> Variables:
    """Variables of the shared hosts about every enrolled municipality: its peers and its topics."""
    peers = [
        {
            "name": name,
            "municipality": municipality.code,
            "public_key": f"{{{{ enrolment['{name}'].wireguard_public_key }}}}",
            "preshared_key": f"{{{{ vpn_preshared_keys['{name}/' ~ inventory_hostname] }}}}",
            "allowed_ips": [f"{address}/128"],
        }
        for slug, municipality in tenants.items()
        for name, address in gateways(deployment, slug, municipality)
    ]
    variables: Variables = {"vpn_hub_peers": peers}
    if deployment.target is Target.AZURE:
        variables["event_hubs_proxy_destinations"] = [
            azure.destination(deployment, slug, one.code, [address for _, address in gateways(deployment, slug, one)])
            for slug, one in tenants.items()
        ]
    needs = {slug: sizing.archive_bytes(one) for slug, one in tenants.items()}
    shares = sizing.shares(needs, deployment.collector.archive_gib)
    return {
        **variables,
        **watching.hub_tunnels(peers),
        **notifying.told(deployment, tenants),
        "collector_tenants": [_tenant(deployment, slug, one, shares[slug]) for slug, one in tenants.items()],
    }


def _tenant(deployment: Deployment, slug: str, municipality: Municipality, share_gib: float) -> Variables:
    rate = sizing.kept_bytes(municipality.log_sources, 1)
    return {
        "code": municipality.code,
        "slug": slug,
        "principals": [host_name(slug, host.name) for host in municipality.with_role(HostRole.RELAY)],
        "quota_bytes_per_second": max(SMALLEST_QUOTA, round(rate * CATCH_UP_FACTOR)),
        "retention_days": municipality.privacy.retention_days,
        "retention_by_source": _retention_by_source(municipality),
        "max_gib": share_gib,
        "topics": [
            {"name": name, "readers": list(readers)}
            for name, readers in receiving.topics(deployment, municipality).items()
            if readers
        ],
        **watching.expected(deployment, slug, municipality),
    }


def _retention_by_source(municipality: Municipality) -> list[Variables]:
    """The sources whose retention differs from the municipality's."""
    usual = municipality.privacy.retention_days
    return [
        {"source": source.name, "days": source.retention_days}
        for source in municipality.log_sources
        if source.retention_days not in {None, usual}
    ]
