"""The variables of the `watch` role, and what the alarm service of the collector expects of a municipality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vaern.inventory.variables import Variables, key_name
from vaern.model import catalogue
from vaern.model.declaration import Host, LogSource, Municipality
from vaern.model.deployment import Deployment, HubRole
from vaern.model.naming import INTERFACE, host_name, topic_of, watch_source
from vaern.model.origins import input_of
from vaern.model.receiving import RELP_PORT
from vaern.model.relays import SPOOL, RelayPlan, plan_of
from vaern.model.vocabulary import HostRole, Protocol, Sector, Target
from vaern_programs.shared.reports import HEARTBEAT_FILE

HEARTBEATS_PRIORITY = 1
"""Heartbeats tell when something is wrong, so they are evicted last."""
CERTIFICATES = [f"/etc/vaern/pki/{name}.crt" for name in ("host", "delivery", "ca")]
"""Those of a relay."""


def host_watch(deployment: Deployment, slug: str, municipality: Municipality, host: Host) -> Variables:
    """One host of a municipality; `watch_tunnel` only where there is one."""
    variables: Variables = {"watch_host": host_name(slug, host.name)}
    relay = municipality.relay_of(host.site)
    if relay is not None and relay.name != host.name:
        variables["watch_output"] = {
            "mode": "relay",
            "address": str(relay.address),
            "port": RELP_PORT,
            "relay": host_name(slug, relay.name),
            "source": watch_source(host.name),
        }
    if HostRole.GATEWAY in host.roles:
        peers = [_peer(hub.name, municipality.code) for hub in deployment.with_role(HubRole.VPN_HUB)]
        variables["watch_tunnel"] = {"interface": INTERFACE, "peers": peers}
    return variables


def relay_watch(
    deployment: Deployment, spool_bytes: int, queues: list[Variables], sources: Iterable[LogSource]
) -> Variables:
    """Extra variables of a relay: its spool and queues to SOCs with their limits in bytes, its UDP ports and keys."""
    udp = sorted({port for protocol, port in map(input_of, sources) if protocol is Protocol.SYSLOG_UDP})
    # Towards Event Hubs it shows no certificate.
    shown = {} if deployment.target is Target.AZURE else {"watch_certificates": CERTIFICATES}
    datagrams = {"watch_datagram_ports": udp} if udp else {}
    return {"watch_spool": {"directory": SPOOL, "max_bytes": spool_bytes, "queues": queues}} | datagrams | shown


def hub_watch(deployment: Deployment, name: str) -> Variables:
    """Variables of a shared host. In the lab it is the time source of the others and has none itself."""
    return {"watch_host": name} | ({"watch_clock": False} if deployment.target is Target.LAB else {})


def hub_tunnels(peers: list[Variables]) -> Variables:
    """The gateways a hub expects handshakes from, as in `vpn_hub_peers`."""
    return {
        "watch_tunnel": {
            "interface": INTERFACE,
            "peers": [{key: peer[key] for key in ("name", "public_key", "municipality")} for peer in peers],
        }
    }


def sources_through(slug: str, municipality: Municipality, relay: RelayPlan) -> list[Variables]:
    """The heartbeat sources of a relay: its own from a file, and by RELP from the other hosts of its site."""
    return [_source(slug, municipality, host, relay.host) for host in relay.monitored_hosts]


def senders_to(relay: RelayPlan) -> list[str]:
    """Addresses of the other hosts that send heartbeats to this relay."""
    return [str(host.address) for host in relay.monitored_hosts if host.name != relay.host.name]


def expected(deployment: Deployment, slug: str, municipality: Municipality) -> Variables:
    """What the alarm service expects to hear: each declared source, and each host that has a relay to speak through.

    Each with its sector and topic, which are also used for alarms about it.
    """
    topics = plan_of(deployment, municipality).topics
    return {
        "sources": [
            {
                "name": source.name,
                "relay": host_name(slug, relay.name),
                "silent_after_minutes": source.silent_after_minutes,
                "events_per_second": source.events_per_second,
                **_minimum(source),
                **_way(municipality, topics, source.sector),
            }
            for source in municipality.log_sources
            if (relay := municipality.relay_of(source.site)) is not None
        ],
        "hosts": [
            {
                "name": host_name(slug, host.name),
                "source": watch_source(host.name),
                **_way(municipality, topics, municipality.site(host.site).sector),
            }
            for host in municipality.hosts
            if municipality.relay_of(host.site) is not None
        ],
    }


def _minimum(source: LogSource) -> Variables:
    """The fields that its lines must have; nothing for a source that is kept and not read. Each line has a time."""
    if catalogue.vendor_of(source).parser == catalogue.GENERIC:
        return {}
    return {"minimum": [name for name in catalogue.minimum_of(source) if name != "@timestamp"]}


def _way(municipality: Municipality, topics: Mapping[Sector, str], sector: Sector) -> Variables:
    topic = topics[sector]
    return {"sector": sector.value} | ({} if topic == topic_of(municipality.code) else {"topic": topic})


def _source(slug: str, municipality: Municipality, host: Host, relay: Host) -> Variables:
    sector = municipality.site(host.site).sector.value
    common = {"name": watch_source(host.name), "kind": "vaern", "sector": sector, "priority": HEARTBEATS_PRIORITY}
    if host.name == relay.name:
        return common | {"protocol": "file", "file": HEARTBEAT_FILE}
    # The relay asks for the certificate of the host: a device that takes its address cannot say anything for it.
    sender = {
        "protocol": "relp_tls",
        "address": str(host.address),
        "certificate_name": key_name(host_name(slug, host.name)),
    }
    return common | sender | {"application": watch_source(host.name)}


def _peer(name: str, code: str) -> Variables:
    return {"name": name, "public_key": f"{{{{ enrolment['{name}'].wireguard_public_key }}}}", "municipality": code}
