"""The variables of a relay: what it receives and from whom, where it sends it, and how much it may keep."""

from __future__ import annotations

from collections.abc import Mapping

from vaern.inventory import azure, watching
from vaern.inventory.variables import Variables, bounded_datagrams, key_name, port_of
from vaern.model.catalogue import GENERIC, vendor_of
from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name, overlay_name, tap_source, topic_of
from vaern.model.receiving import RELP_PORT
from vaern.model.relays import SPOOL, Queue, RelayPlan
from vaern.model.senders import PORTS, TRANSPORTS
from vaern.model.sizing import datagram_bounds, queue_events
from vaern.model.vocabulary import Protocol, Sector, Target, Timezone

ALERTS_PRIORITY = 1
"""Alerts of taps are few and important for finding incidents, so they are evicted last."""
LAN = "lan"


def relay_variables(
    deployment: Deployment, slug: str, municipality: Municipality, relay: RelayPlan, topics: Mapping[Sector, str]
) -> Variables:
    """The variables of the log_shipper role."""
    host, spool = relay.host, relay.spool_limit_bytes
    name = host_name(slug, host.name)
    receivers = [_receiver(queue) for queue in relay.queues]
    sources = [
        *(_source(source, relay, municipality.privacy.retention_days) for source in relay.sources),
        *(_tap_source(slug, municipality, tap, host) for tap in relay.taps),
        *watching.sources_through(slug, municipality, relay),
    ]
    carried = {source["sector"]: topics[Sector(source["sector"])] for source in sources}
    queues = [{"name": f"receiver_{one['name']}", "max_bytes": one["max_disk_bytes"]} for one in receivers]
    return {
        "log_shipper_identity": {"municipality": municipality.code, "site": host.site, "relay": name},
        "log_shipper_listen": str(host.address),
        "log_shipper_sources": [_keyed(source) for source in sources],
        "log_shipper_receivers": receivers,
        **_sending(deployment, slug, municipality, name, carried),
        "log_shipper_spool": {"directory": SPOOL, "max_bytes": spool}
        # Hosts of the lab share the disk of the operator's machine.
        | ({"refuse_small_disk": False} if deployment.target is Target.LAB else {}),
        "log_shipper_privacy": {"cpr": municipality.privacy.cpr.value},
        **watching.relay_watch(deployment, spool, queues, relay.sources),
    }


def relay_ports(municipality: Municipality, relay: RelayPlan) -> list[Variables]:
    """The ports a relay opens to its sources, and to the sensors that send it alerts."""
    senders: dict[Protocol, set[str]] = {}
    for source in relay.sources:
        senders.setdefault(source.protocol, set()).add(f"{source.address}/32")
    sensors = {tap.sensor for tap in relay.taps} - {relay.host.name}
    alerts = {str(municipality.host(sensor).address) for sensor in sensors}
    addresses = sorted(f"{address}/32" for address in alerts.union(watching.senders_to(relay)))
    ports = {
        protocol: port_of(port, TRANSPORTS[protocol], sorted(senders[protocol]), f"{protocol.value} from sources", LAN)
        for protocol, port in sorted(PORTS.items())
        if protocol in senders
    }
    if Protocol.SYSLOG_UDP in ports:
        bounds = datagram_bounds(relay.sources)
        ports[Protocol.SYSLOG_UDP] = bounded_datagrams(ports[Protocol.SYSLOG_UDP], *bounds)
    alerting = [port_of(RELP_PORT, "tcp", addresses, "Alerts and heartbeats", LAN)] if addresses else []
    return [*ports.values(), *alerting]


def _keyed(source: Variables) -> Variables:
    """The source with the key by which rsyslog looks it up: input, address, and application where several share those.

    A file has an input of its own and needs no key.
    """
    if source["protocol"] == "file":
        return source
    parts = (source["protocol"], source["address"], source.get("application", ""))
    return source | {"key": " ".join(part for part in parts if part)}


def _receiver(queue: Queue) -> Variables:
    receiver, output = queue.receiver, queue.receiver.output
    wanted: Variables = {
        "name": receiver.name,
        "protocol": output.protocol.value,
        "sectors": [sector.value for sector in receiver.sectors],
        "address": output.address,
        "port": receiver.port,
        "certificate_name": output.certificate_name or output.address,
        "max_disk_bytes": queue.max_bytes,
    }
    return wanted | ({"authority": output.authority} if output.authority else {})


def _sending(
    deployment: Deployment, slug: str, municipality: Municipality, relay: str, topics: Mapping[str, str]
) -> Variables:
    """Where the relay sends; `topics` maps each sector of its sources to the topic of that sector."""
    own = topic_of(municipality.code)
    if deployment.target is Target.AZURE:
        sending = azure.sending(deployment, slug, municipality.code, relay)
    else:
        broker = f"{overlay_name(deployment.collector.name)}:{deployment.kafka_port}"
        sending = {"log_shipper_output": {"brokers": [broker], "topic": own}}
    if others := [{"sector": sector, "name": topics[sector]} for sector in sorted(topics) if topics[sector] != own]:
        sending["log_shipper_output"]["topics"] = others
    return sending


def _source(source: LogSource, relay: RelayPlan, usual_days: int) -> Variables:
    parser = vendor_of(source).parser
    reading: Variables = {"parser": parser} if parser != GENERIC else {}
    if source.timezone is not Timezone.UTC:
        reading["timezone"] = source.timezone.value
    if source.retention_days not in {None, usual_days}:
        reading["retention_days"] = source.retention_days
    if source.certificate is not None:
        reading["certificate"] = source.certificate
    return {
        "name": source.name,
        "kind": source.kind.value,
        "sector": source.sector.value,
        "protocol": source.protocol.value,
        "address": str(source.address),
        **reading,
        "priority": source.priority,
        "queue_events": queue_events(source, relay.sources),
    }


def _tap_source(slug: str, municipality: Municipality, tap: Tap, relay: Host) -> Variables:
    name = tap_source(tap.name)
    common = {"name": name, "kind": "tap", "sector": tap.sector.value, "priority": ALERTS_PRIORITY}
    if tap.sensor == relay.name:
        return common | {"protocol": "file", "file": f"/var/log/vaern-tap/{tap.name}/eve.json"}
    address = str(municipality.host(tap.sensor).address)
    sensor = {"address": address, "application": name, "certificate_name": key_name(host_name(slug, tap.sensor))}
    return common | {"protocol": "relp_tls", **sensor}
