"""The variables of a relay: what it receives and from whom, where it sends it, and how much it may keep."""

from __future__ import annotations

from collections.abc import Mapping

from vaern.inventory import azure, watching
from vaern.inventory.variables import Variables, bounded_datagrams, key_name, port_of
from vaern.model.catalogue import GENERIC, vendor_of
from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name, overlay_name, tap_source, topic_of
from vaern.model.origins import Input, an_address, by_address, claimed, input_of, networks_of
from vaern.model.receiving import RELP_PORT
from vaern.model.relays import SPOOL, Queue, RelayPlan
from vaern.model.senders import PORTS, TRANSPORTS
from vaern.model.sizing import datagram_bounds, queue_events
from vaern.model.vocabulary import IpNetwork, Protocol, Sector, Target, Timezone

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
        *(_source(municipality, source, relay) for source in relay.sources),
        *(_tap_source(slug, municipality, tap, host) for tap in relay.taps),
        *watching.sources_through(slug, municipality, relay),
    ]
    carried = {source["sector"]: topics[Sector(source["sector"])] for source in sources}
    queues = [{"name": f"receiver_{one['name']}", "max_bytes": one["max_disk_bytes"]} for one in receivers]
    return {
        "log_shipper_identity": {"municipality": municipality.code, "site": host.site, "relay": name},
        "log_shipper_listen": str(host.address),
        **({"log_shipper_listen_ipv6": str(host.ipv6)} if host.ipv6 is not None else {}),
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
    senders: dict[Input, set[IpNetwork]] = {}
    for source in relay.sources:
        if source.dns is None:
            senders.setdefault(input_of(source), set()).update(networks_of(municipality, source))
    sensors = {tap.sensor for tap in relay.taps} - {relay.host.name}
    alerts = {str(municipality.host(sensor).address) for sensor in sensors}
    addresses = sorted(f"{address}/32" for address in alerts.union(watching.senders_to(relay)))
    bounds = datagram_bounds(relay.sources)
    ports = []
    for (protocol, port), places in sorted(senders.items(), key=lambda one: (one[0][1] != PORTS[one[0][0]], one[0])):
        comment = f"{protocol.value} from sources"
        opened = port_of(port, TRANSPORTS[protocol], sorted(map(str, _widest(places))), comment, LAN)
        ports.append(bounded_datagrams(opened, *bounds) if protocol is Protocol.SYSLOG_UDP else opened)
    ports += _ports_by_name(relay)
    alerting = [port_of(RELP_PORT, "tcp", addresses, "Alerts and heartbeats", LAN)] if addresses else []
    return [*ports, *alerting]


def counted_ports(municipality: Municipality) -> list[Variables]:
    """Where senders of the municipality send to, and others may: the usual ports, and every declared one."""
    ways = {*PORTS.items(), *map(input_of, municipality.log_sources)}
    ports = sorted({(port, TRANSPORTS[protocol]) for protocol, port in ways})
    return [{"port": port, "protocol": transport} for port, transport in ports]


def _ports_by_name(relay: RelayPlan) -> list[Variables]:
    """What is opened to sources that are known by their DNS name: to sets that the relay fills."""
    ports = []
    for protocol, port in sorted({input_of(source) for source in relay.sources if source.dns is not None}):
        comment = f"{protocol.value} from sources by name"
        opened = port_of(port, TRANSPORTS[protocol], [f"@{set_of(protocol, port)}"], comment, LAN)
        bounds = datagram_bounds(relay.sources)
        ports.append(bounded_datagrams(opened, *bounds) if protocol is Protocol.SYSLOG_UDP else opened)
    return ports


def names_of_sources(municipality: Municipality, relay: RelayPlan) -> list[Variables]:
    """What the names of sources stand for in the lab, which has no DNS."""
    named = {str(one.dns).lower(): one for one in relay.sources if one.dns is not None}
    return [{"name": name, "address": str(an_address(municipality, named[name]))} for name in sorted(named)]


def set_of(protocol: Protocol, port: int) -> str:
    """The set of the firewall with the addresses of names, for one port."""
    return f"names_{TRANSPORTS[protocol]}_{port}"


def _widest(places: set[IpNetwork]) -> list[IpNetwork]:
    """Those that are not a part of another one: a set of the firewall holds each address once."""
    return [
        one
        for one in places
        if not any(
            one != other and one.version == other.version and one.overlaps(other) and one.prefixlen > other.prefixlen
            for other in places
        )
    ]


def _keyed(source: Variables) -> Variables:
    """The source with the key by which rsyslog looks it up: input, address, and application where several share those.

    A file has an input of its own and needs no key, nor does a source that its address alone does not tell.
    """
    if source["protocol"] == "file" or "networks" in source or "dns" in source:
        return source
    listening = f"{source['protocol']}_{source['port']}" if "port" in source else source["protocol"]
    parts = (listening, source["address"], source.get("application", ""))
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
    others = [{"sector": sector, "name": topics[sector]} for sector in sorted(topics) if topics[sector] != own]
    if deployment.target is Target.AZURE:
        sending = azure.sending(deployment, slug, municipality.code, relay, others=bool(others))
    else:
        broker = f"{overlay_name(deployment.collector.name)}:{deployment.kafka_port}"
        sending = {"log_shipper_output": {"brokers": [broker], "topic": own}}
    if others:
        sending["log_shipper_output"]["topics"] = others
    return sending


def _source(municipality: Municipality, source: LogSource, relay: RelayPlan) -> Variables:
    parser = vendor_of(source).parser
    reading: Variables = {"parser": parser} if parser != GENERIC else {}
    if source.timezone is not Timezone.UTC:
        reading["timezone"] = source.timezone.value
    if source.retention_days not in {None, municipality.privacy.retention_days}:
        reading["retention_days"] = source.retention_days
    if source.certificate is not None:
        reading["certificate"] = source.certificate
    return {
        "name": source.name,
        "kind": source.kind.value,
        "sector": source.sector.value,
        "protocol": source.protocol.value,
        **_origin(municipality, source, relay),
        **reading,
        "priority": source.priority,
        "queue_events": queue_events(source, relay.sources),
    }


def _origin(municipality: Municipality, source: LogSource, relay: RelayPlan) -> Variables:
    """Where a source sends from, and by what it is told apart there."""
    port = {"port": source.port} if source.port is not None else {}
    if source.dns is not None:
        within, others = municipality.site(source.site).networks, claimed(municipality, source)
        places = {"networks": list(map(str, within)), "others": list(map(str, others))}
        return {"dns": {"name": source.dns, "set": set_of(*input_of(source)), **places}, **port}
    if by_address(source, relay.sources):
        return {"address": str(source.address), **port}
    networks = [str(network) for network in networks_of(municipality, source)]
    named = {"host_name": source.host_name, "program": source.program}
    return {"networks": networks, **{key: value for key, value in named.items() if value is not None}, **port}


def _tap_source(slug: str, municipality: Municipality, tap: Tap, relay: Host) -> Variables:
    name = tap_source(tap.name)
    common = {"name": name, "kind": "tap", "sector": tap.sector.value, "priority": ALERTS_PRIORITY}
    if tap.sensor == relay.name:
        return common | {"protocol": "file", "file": f"/var/log/vaern-tap/{tap.name}/eve.json"}
    address = str(municipality.host(tap.sensor).address)
    sensor = {"address": address, "application": name, "certificate_name": key_name(host_name(slug, tap.sensor))}
    return common | {"protocol": "relp_tls", **sensor}
