"""The variables of each role, computed from the declarations; their shapes are the roles' argument_specs."""

from __future__ import annotations

from typing import Any

from vaern.inventory import azure, watching
from vaern.model import receiving, sizing
from vaern.model.catalogue import GENERIC, vendor_of
from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment, Hub, HubRole
from vaern.model.naming import INTERFACE, OVERLAY_MTU, host_name, overlay_name, pair_key, tap_source, topic_of
from vaern.model.overlay import gateway_address
from vaern.model.receiving import Receiver
from vaern.model.vocabulary import HostRole, Protocol, Sector, TapMode, Target, Timezone
from vaern_stacks.azure.naming import KAFKA_PORT

Variables = dict[str, Any]
PORTS = {Protocol.SYSLOG_UDP: ("udp", 514), Protocol.SYSLOG_TCP: ("tcp", 514), Protocol.SYSLOG_TLS: ("tcp", 6514)}
SENSOR_PORT = 20514
"""RELP over TLS from sensors; IANA has none, and this is what receivers are documented with."""
NTP_PORT = 123
KEEPALIVE_SECONDS = 25
MEBIBYTE = 2**20
CATCH_UP_FACTOR = 10
"""A relay may deliver this many times its declared rate, so that an outage is caught up with quickly."""
SMALLEST_QUOTA = 10 * MEBIBYTE
MBIT_PER_THREAD = 300
"""What one untuned capture thread takes; see the network_tap role."""
MEBIBYTE_PER_THREAD = 300
ALERTS_PRIORITY = 1
"""Alerts of taps are few, and what an incident is found by: they give way last."""
LAN = "lan"
LAB_NETWORK = "198.18.0.0/15"


def baseline(deployment: Deployment) -> Variables:
    """What every host has, shared or municipal."""
    lab = deployment.target is Target.LAB
    return {
        "ansible_user": "root",
        "ansible_python_interpreter": "/usr/bin/python3",
        "base_ntp_sources": list(deployment.ntp_sources),
        "base_clock": {"kernel": not lab},
        "base_audit": {"enabled": not lab},
        "base_management": {"port": 22, "sources": [str(network) for network in deployment.management_networks]},
        "base_names": _names(deployment),
    }


def _names(deployment: Deployment) -> list[Variables]:
    """Names every host finds without DNS."""
    names = {overlay_name(hub.name): str(deployment.overlay_address(hub)) for hub in deployment.hubs}
    if deployment.target is Target.LAB:
        names |= dict.fromkeys(deployment.ntp_sources, str(deployment.hubs[0].address))
    return [{"name": name, "address": address} for name, address in names.items()]


def hub_variables(deployment: Deployment, hub: Hub) -> Variables:
    """One shared host. Its peers and tenants are in a file of their own, for they change with every onboarding."""
    lab = deployment.target is Target.LAB
    address = deployment.overlay_address(hub)
    on_azure = deployment.target is Target.AZURE
    collects = HubRole.COLLECTOR in hub.roles and not on_azure
    ports = [_port(deployment.vpn_port, "udp", [], "WireGuard from the gateways")]
    if collects or (on_azure and HubRole.VPN_HUB in hub.roles):
        sources, port = [str(deployment.overlay)], KAFKA_PORT if on_azure else deployment.kafka_port
        ports.append(_port(port, "tcp", sources, "Events from the relays", INTERFACE))
    if lab:
        ports.append(_port(NTP_PORT, "udp", [LAB_NETWORK], "Time for the lab"))
    variables: Variables = {
        "base_ntp_server": {"allow": [LAB_NETWORK] if lab else []},
        "base_open_ports": ports,
        "vpn_hub_interface": _interface(f"{address}/48") | {"port": deployment.vpn_port},
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
    """What the shared hosts know of every enrolled municipality: its peers and its topic."""
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
    return {
        **variables,
        **watching.hub_tunnels(peers),
        "collector_tenants": [_tenant(deployment, slug, one) for slug, one in tenants.items()],
    }


def gateways(deployment: Deployment, slug: str, municipality: Municipality) -> list[tuple[str, str]]:
    """Inventory name and overlay address of each gateway, in declared order."""
    hosts = municipality.with_role(HostRole.GATEWAY)
    return [
        (host_name(slug, host.name), str(gateway_address(deployment.overlay, municipality.code, number)))
        for number, host in enumerate(hosts, start=1)
    ]


def host_variables(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    """One host of a municipality, with the variables of each role it has."""
    variables: Variables = {"base_open_ports": _open_ports(municipality, host)}
    if HostRole.GATEWAY in host.roles:
        variables |= _link(deployment, slug, municipality, host)
    if HostRole.RELAY in host.roles:
        variables |= _shipper(deployment, slug, municipality, host)
        if deployment.target is Target.AZURE:
            variables["base_names"] = _names(deployment) + azure.names(deployment, slug)
    if HostRole.SENSOR in host.roles:
        variables |= _tap(slug, municipality, host)
    return variables | watching.host_watch(deployment, slug, municipality, host)


def _tenant(deployment: Deployment, slug: str, municipality: Municipality) -> Variables:
    rate = sizing.bytes_per_second(municipality.log_sources)
    return {
        "code": municipality.code,
        "slug": slug,
        "principals": [host_name(slug, host.name) for host in municipality.with_role(HostRole.RELAY)],
        "quota_bytes_per_second": max(SMALLEST_QUOTA, round(rate * CATCH_UP_FACTOR)),
        "retention_days": municipality.privacy.retention_days,
        "retention_by_source": _retention_by_source(municipality),
        "max_gib": deployment.collector.archive_gib,
        "topics": [
            {"name": name, "readers": list(readers)}
            for name, readers in receiving.topics(deployment, municipality).items()
            if readers
        ],
        **watching.expected(deployment, slug, municipality),
    }


def _retention_by_source(municipality: Municipality) -> list[Variables]:
    """Only the sources that are kept for another time than the rest."""
    usual = municipality.privacy.retention_days
    return [
        {"source": source.name, "days": source.retention_days}
        for source in municipality.log_sources
        if source.retention_days not in {None, usual}
    ]


def _link(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    name = host_name(slug, host.name)
    address = dict(gateways(deployment, slug, municipality))[name]
    hubs = [
        {
            "name": hub.name,
            "endpoint": f"{hub.address}:{deployment.vpn_port}",
            "public_key": f"{{{{ enrolment['{hub.name}'].wireguard_public_key }}}}",
            "preshared_key": _preshared(name, hub.name),
            "allowed_ips": [f"{deployment.overlay_address(hub)}/128"],
            "keepalive": KEEPALIVE_SECONDS,
        }
        for hub in deployment.with_role(HubRole.VPN_HUB)
    ]
    return {"vpn_link_interface": _interface(f"{address}/128"), "vpn_link_hubs": hubs}


def _shipper(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    half = (sizing.spool_limit_bytes(host) - receiving.queues_bytes(deployment, municipality, host)) // 2
    name = host_name(slug, host.name)
    receivers = [_receiver(municipality, host, receiver) for receiver in receiving.sent(deployment, municipality)]
    queues = [{"name": "kafka", "max_bytes": half}]
    queues += [{"name": f"receiver_{one['name']}", "max_bytes": one["max_disk_bytes"]} for one in receivers]
    return {
        "log_shipper_identity": {"municipality": municipality.code, "site": host.site, "relay": name},
        "log_shipper_listen": str(host.address),
        "log_shipper_sources": [
            source | _topic(deployment, municipality, Sector(source["sector"]))
            for source in [
                *(_source(source) for source in sizing.sources_of(municipality, host)),
                *(_tap_source(slug, municipality, tap, host) for tap in _taps_through(municipality, host)),
                *watching.sources_through(municipality, host),
            ]
        ],
        "log_shipper_receivers": receivers,
        **_sending(deployment, slug, municipality, name),
        "log_shipper_spool": {"directory": "/var/spool/vaern-log-shipper", "max_bytes": half}
        # Hosts of the lab share the disk of the operator's machine.
        | ({"refuse_small_disk": False} if deployment.target is Target.LAB else {}),
        "log_shipper_queue": {"max_disk_bytes": half, "memory_events": 50000},
        "log_shipper_privacy": {"cpr": municipality.privacy.cpr.value},
        **watching.relay_watch("/var/spool/vaern-log-shipper", half, queues),
    }


def _topic(deployment: Deployment, municipality: Municipality, sector: Sector) -> Variables:
    """The topic of a sector, where it is not the municipality's own."""
    topic = receiving.topic_for(deployment, municipality, sector)
    return {} if topic == topic_of(municipality.code) else {"topic": topic}


def _receiver(municipality: Municipality, host: Host, receiver: Receiver) -> Variables:
    output = receiver.output
    wanted: Variables = {
        "name": receiver.name,
        "protocol": output.protocol.value,
        "sectors": [sector.value for sector in receiver.sectors],
        "address": output.address,
        "port": receiver.port,
        "certificate_name": output.certificate_name or output.address,
        "max_disk_bytes": receiving.queue_bytes(municipality, host, receiver),
    }
    return wanted | ({"authority": output.authority} if output.authority else {})


def _sending(deployment: Deployment, slug: str, municipality: Municipality, relay: str) -> Variables:
    if deployment.target is Target.AZURE:
        return azure.sending(deployment, slug, municipality.code, relay)
    broker = f"{overlay_name(deployment.collector.name)}:{deployment.kafka_port}"
    return {"log_shipper_output": {"brokers": [broker], "topic": topic_of(municipality.code)}}


def _source(source: LogSource) -> Variables:
    parser = vendor_of(source).parser
    reading = {"parser": parser} if parser != GENERIC else {}
    if source.timezone is not Timezone.UTC:
        reading["timezone"] = source.timezone.value
    return {
        "name": source.name,
        "kind": source.kind.value,
        "sector": source.sector.value,
        "protocol": source.protocol.value,
        "address": str(source.address),
        **reading,
        "priority": source.priority,
    }


def _taps_through(municipality: Municipality, relay: Host) -> list[Tap]:
    """Taps whose sensor hands its alerts to this relay."""
    return [
        tap for tap in municipality.taps if sizing.relay_of(municipality, municipality.host(tap.sensor).site) == relay
    ]


def _tap_source(slug: str, municipality: Municipality, tap: Tap, relay: Host) -> Variables:
    name = tap_source(tap.name)
    common = {"name": name, "kind": "tap", "sector": tap.sector.value, "priority": ALERTS_PRIORITY}
    if tap.sensor == relay.name:
        return common | {"protocol": "file", "file": f"/var/log/vaern-tap/{tap.name}/eve.json"}
    address = str(municipality.host(tap.sensor).address)
    sensor = {"address": address, "application": name, "certificate_name": host_name(slug, tap.sensor)}
    return common | {"protocol": "relp_tls", **sensor}


def _tap(slug: str, municipality: Municipality, host: Host) -> Variables:
    taps = [tap for tap in municipality.taps if tap.sensor == host.name]
    relay = sizing.relay_of(municipality, host.site)
    threads = max(1, -(-round(max((tap.expected_mbit_per_second for tap in taps), default=1)) // MBIT_PER_THREAD))
    output: Variables = {"mode": "local"}
    if relay is not None and relay.name != host.name:
        output = {"mode": "relay", "address": str(relay.address), "port": SENSOR_PORT}
        output["relay"] = host_name(slug, relay.name)
    return {
        "network_tap_taps": [_tap_settings(tap, host) for tap in taps],
        "network_tap_output": output,
        "network_tap_sizing": {
            "threads": threads,
            "memory_mib": MEBIBYTE_PER_THREAD * threads,
            "queue_bytes": 1073741824,
        },
        "network_tap_home_networks": [str(site.network) for site in municipality.sites],
    }


def _tap_settings(tap: Tap, host: Host) -> Variables:
    settings: Variables = {
        "name": tap.name,
        "mode": tap.mode.value,
        "interface": tap.interface,
        "sector": tap.sector.value,
        "expected_mbit_per_second": tap.expected_mbit_per_second,
    }
    if tap.mode is TapMode.VXLAN and tap.vxlan is not None:
        mirror = tap.vxlan
        settings["vxlan"] = {"vni": mirror.vni, "port": mirror.port, "local": str(host.address)}
        settings["vxlan"]["remote"] = str(mirror.remote)
    if tap.mode is TapMode.ERSPAN and tap.erspan is not None:
        mirrored = tap.erspan
        settings["erspan"] = {"version": mirrored.version, "session": mirrored.session, "local": str(host.address)}
        settings["erspan"]["remote"] = str(mirrored.remote)
    return settings


def _open_ports(municipality: Municipality, host: Host) -> list[Variables]:
    """What a host of the municipality opens, each port to the declared senders only."""
    mirrors = [
        _port(tap.vxlan.port, "udp", [f"{tap.vxlan.remote}/32"], f"Mirror of tap {tap.name}")
        for tap in municipality.taps
        if tap.sensor == host.name and tap.vxlan is not None
    ]
    return _relay_ports(municipality, host) + mirrors


def _relay_ports(municipality: Municipality, host: Host) -> list[Variables]:
    if HostRole.RELAY not in host.roles:
        return []
    senders: dict[Protocol, set[str]] = {}
    for source in sizing.sources_of(municipality, host):
        senders.setdefault(source.protocol, set()).add(f"{source.address}/32")
    for address in watching.senders_to(municipality, host):
        senders.setdefault(Protocol.SYSLOG_TLS, set()).add(f"{address}/32")
    sensors = {tap.sensor for tap in _taps_through(municipality, host)} - {host.name}
    addresses = sorted(f"{municipality.host(sensor).address}/32" for sensor in sensors)
    return [
        _port(port, transport, sorted(senders[protocol]), f"{protocol.value} from sources", LAN)
        for protocol, (transport, port) in sorted(PORTS.items())
        if protocol in senders
    ] + ([_port(SENSOR_PORT, "tcp", addresses, "Alerts from sensors", LAN)] if addresses else [])


def _port(port: int, protocol: str, sources: list[str], comment: str, interface: str = "") -> Variables:
    entry: Variables = {"port": port, "protocol": protocol, "sources": sources, "comment": comment}
    return entry | {"interface": interface} if interface else entry


def _interface(address: str) -> Variables:
    return {"name": INTERFACE, "address": address, "mtu": OVERLAY_MTU}


def _preshared(gateway: str, hub: str) -> str:
    return f"{{{{ vpn_preshared_keys['{pair_key(gateway, hub)}'] }}}}"
