"""The variables of a relay: what it takes in and from whom, where it sends it, and what it may keep."""

from __future__ import annotations

from vaern.inventory import azure, watching
from vaern.inventory.variables import Variables, port_of
from vaern.model import receiving, sizing
from vaern.model.catalogue import GENERIC, vendor_of
from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name, overlay_name, tap_source, topic_of
from vaern.model.receiving import Receiver
from vaern.model.vocabulary import HostRole, Protocol, Sector, Target, Timezone

PORTS = {Protocol.SYSLOG_UDP: ("udp", 514), Protocol.SYSLOG_TCP: ("tcp", 514), Protocol.SYSLOG_TLS: ("tcp", 6514)}
SENSOR_PORT = 20514
"""RELP over TLS from sensors; IANA has none, and this is what receivers are documented with."""
ALERTS_PRIORITY = 1
"""Alerts of taps are few, and what an incident is found by: they give way last."""
LAN = "lan"


def relay_variables(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    """What the log_shipper role is told."""
    spool = receiving.spool_limit_bytes(deployment, municipality, host)
    name = host_name(slug, host.name)
    receivers = [_receiver(municipality, host, receiver) for receiver in receiving.sent(deployment, municipality)]
    queues = [{"name": f"receiver_{one['name']}", "max_bytes": one["max_disk_bytes"]} for one in receivers]
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
        "log_shipper_spool": {"directory": "/var/spool/vaern-log-shipper", "max_bytes": spool}
        # Hosts of the lab share the disk of the operator's machine.
        | ({"refuse_small_disk": False} if deployment.target is Target.LAB else {}),
        "log_shipper_privacy": {"cpr": municipality.privacy.cpr.value},
        **watching.relay_watch("/var/spool/vaern-log-shipper", spool, queues, sizing.sources_of(municipality, host)),
    }


def relay_ports(municipality: Municipality, host: Host) -> list[Variables]:
    """What a relay opens to its sources and to the sensors that hand it alerts; nothing on other hosts."""
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
        port_of(port, transport, sorted(senders[protocol]), f"{protocol.value} from sources", LAN)
        for protocol, (transport, port) in sorted(PORTS.items())
        if protocol in senders
    ] + ([port_of(SENSOR_PORT, "tcp", addresses, "Alerts from sensors", LAN)] if addresses else [])


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
