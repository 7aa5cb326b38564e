"""What the declaration demands of a host, computed independently of Ansible's inventory.

If these functions shared code with the inventory, the checks would expect its faults and never find them.
"""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network

from vaern.model.declaration import Host, LogSource, Municipality, Tap
from vaern.model.deployment import Deployment, HubRole
from vaern.model.vocabulary import Protocol, Sector, SocProtocol, TapMode, Target
from vaern.verify.firewall import Opening
from vaern.verify.subjects import Subject
from vaern_stacks.azure.naming import Names

INTERFACE = "vaern0"
"""Stated again on purpose: the overlay's interface, as model and roles call it."""
LAN = "lan"
"""Stated again on purpose: the interface that the inventory opens ports for sources on."""
PORTS = {
    Protocol.SYSLOG_UDP: ("udp", 514),
    Protocol.SYSLOG_TCP: ("tcp", 514),
    Protocol.SYSLOG_TLS: ("tcp", 6514),
    Protocol.SYSLOG_MTLS: ("tcp", 6515),
}
"""IANA's ports for syslog: RFC 5426, RFC 6587, RFC 5425. Stated again on purpose: not those that the inventory took."""
SENSOR_PORT = 20514
"""RELP over TLS: what sensors send to the relay is acknowledged. Stated again on purpose, as the ports above are."""
_SOC_PORTS = {SocProtocol.RELP_TLS: 20514, SocProtocol.SYSLOG_TLS: 6514}
"""Of a SOC that declares none. Stated again on purpose: the model has them for what is generated."""
SSH_PORT = 22
"""Stated again on purpose: the firewall of the role base opens it too."""
EVENT_HUBS_PORT = 9093
"""Kafka at every Event Hubs namespace, and at the hubs that forward to it. Stated again on purpose: Azure's port."""
NTP_PORT = 123
"""Stated again on purpose: the inventory opens it on the hubs of the lab."""
LAB_NETWORK = "198.18.0.0/15"
"""In the lab the hub is the time source of the others. Stated again on purpose: the lab's stack makes this network."""


def sources(municipality: Municipality, subject: Subject) -> tuple[LogSource, ...]:
    """The log sources this relay receives from: those of its site, when it is the site's first relay."""
    host = subject.host
    if host is None or _first_relay(municipality, host.site) != host.name:
        return ()
    return tuple(source for source in municipality.log_sources if source.site == host.site)


def taps(municipality: Municipality, subject: Subject) -> tuple[Tap, ...]:
    """The taps this sensor listens to."""
    return tuple(tap for tap in municipality.taps if subject.host and tap.sensor == subject.host.name)


def taps_through(municipality: Municipality, subject: Subject) -> tuple[Tap, ...]:
    """The taps whose alerts this relay carries."""
    host = subject.host
    if host is None or _first_relay(municipality, host.site) != host.name:
        return ()
    return tuple(tap for tap in municipality.taps if municipality.host(tap.sensor).site == host.site)


def senders(municipality: Municipality, subject: Subject) -> dict[str, str]:
    """Map `protocol address` to the source that may send from there; other hosts send alerts and heartbeats by RELP.

    A port of its own is behind the protocol. Where the address alone does not say it, the row is `protocol network host
    program`, with `-` for a host or program that may be any; of a source with a DNS name, `protocol name`.
    """
    found = {}
    own = sources(municipality, subject)
    named = {(one.protocol, one.port, one.address) for one in own if one.host_name or one.program}
    for source in own:
        listening = f"{source.protocol}_{source.port}" if source.port else str(source.protocol)
        if source.address is not None and (source.protocol, source.port, source.address) not in named:
            found[f"{listening} {source.address}"] = source.name
            continue
        if source.dns is not None:
            found[f"{listening} {source.dns}"] = source.name
        for place in _places(municipality, source):
            row = f"{listening} {place} {source.host_name or '-'} {source.program or '-'}"
            found[row] = source.name
    for tap in taps_through(municipality, subject):
        if not _is(subject, tap.sensor):
            address = municipality.host(tap.sensor).address
            found[f"relp_tls {address} tap-{tap.name}"] = f"tap-{tap.name}"
    for host in watched_through(municipality, subject):
        if not _is(subject, host.name):
            found[f"relp_tls {host.address} vaern-{host.name}"] = f"vaern-{host.name}"
    return found


def watched_through(municipality: Municipality, subject: Subject) -> tuple[Host, ...]:
    """The hosts whose heartbeats this relay carries: those of its site, itself among them."""
    relay = subject.host
    if relay is None or _first_relay(municipality, relay.site) != relay.name:
        return ()
    return tuple(host for host in municipality.hosts if host.site == relay.site)


def listeners(municipality: Municipality, subject: Subject) -> frozenset[tuple[str, int]]:
    """Protocol and port of everything this relay listens on."""
    own = {(PORTS[one.protocol][0], one.port or PORTS[one.protocol][1]) for one in sources(municipality, subject)}
    by_relp = any(sender.startswith("relp_tls ") for sender in senders(municipality, subject))
    return frozenset(own | ({("tcp", SENSOR_PORT)} if by_relp else set()))


def _places(municipality: Municipality, source: LogSource) -> list[IPv4Network | IPv6Network]:
    """The networks a source sends from; an address is one of a single address. Of a DNS name only the relay knows."""
    if source.dns is not None:
        return []
    if source.address is not None:
        return [ip_network(source.address)]
    if source.network is not None:
        return [source.network]
    site = municipality.site(source.site)
    return [site.network, *site.other_networks]


def labels(municipality: Municipality, subject: Subject) -> dict[str, tuple[str, str]]:
    """Kind and sector every source of this relay is labelled with."""
    found = {one.name: (str(one.kind), str(one.sector)) for one in sources(municipality, subject)}
    found |= {f"tap-{tap.name}": ("tap", str(tap.sector)) for tap in taps_through(municipality, subject)}
    hosts = watched_through(municipality, subject)
    return found | {f"vaern-{host.name}": ("vaern", str(municipality.site(host.site).sector)) for host in hosts}


def openings(municipality: Municipality, deployment: Deployment, subject: Subject) -> frozenset[Opening]:
    """Every port others may reach on this host, and who they are."""
    management = tuple(sorted(_written(network) for network in deployment.management_networks))
    found = _by_family("tcp", SSH_PORT, management)
    if subject.hub is not None:
        found |= _hub_openings(deployment, subject)
    if subject.host is not None:
        found |= _relay_openings(municipality, subject)
        found |= {
            Opening("udp", tap.vxlan.port, (str(tap.vxlan.remote),))
            for tap in taps(municipality, subject)
            if tap.mode is TapMode.VXLAN and tap.vxlan is not None
        }
    return frozenset(found)


def services(municipality: Municipality, deployment: Deployment, subject: Subject) -> frozenset[tuple[str, int]]:
    """Protocol and port of what may listen for other hosts: the opened ports, and nothing else."""
    return frozenset((opening.protocol, opening.port) for opening in openings(municipality, deployment, subject))


def outage_bytes(municipality: Municipality, subject: Subject) -> int:
    """Bytes the sources of this relay send during the declared outage, without any margin."""
    rate = sum(source.events_per_second * source.event_bytes for source in sources(municipality, subject))
    return int(rate * municipality.outage_hours * 3600)


def receivers(deployment: Deployment, municipality: Municipality) -> frozenset[tuple[str, str]]:
    """Sectors and `address:port` of every SOC that the relays send to directly, as declared."""
    return frozenset(
        (
            ",".join(sorted(_sectors(municipality, name))),
            f"{output.address}:{output.port or _SOC_PORTS[output.protocol]}",
        )
        for name, profile in deployment.soc_profiles.items()
        for output in profile.outputs
        if output.protocol in _SOC_PORTS and _sectors(municipality, name)
    )


def receiver_kinds(deployment: Deployment, municipality: Municipality) -> set[str]:
    """The rsyslog output modules that those receivers need."""
    chosen = [deployment.soc_profiles[name] for name in set(municipality.soc.values())]
    kinds = {SocProtocol.RELP_TLS: "omrelp", SocProtocol.SYSLOG_TLS: "omfwd"}
    return {kinds[one.protocol] for profile in chosen for one in profile.outputs if one.protocol in kinds}


def topics(deployment: Deployment, municipality: Municipality, subject: Subject) -> frozenset[str]:
    """The topics this relay writes to: the municipality's, and one for each SOC that reads its sectors by Kafka."""
    found = set()
    for sector in {sector for _, sector in labels(municipality, subject).values()}:
        profile = municipality.soc[Sector(sector)]
        reads = any(one.protocol is SocProtocol.KAFKA for one in deployment.soc_profiles[profile].outputs)
        found.add(f"logs.{municipality.code}.{profile}" if reads else f"logs.{municipality.code}")
    return frozenset(found)


def broker(slug: str, deployment: Deployment) -> str:
    """Where the relays send, as name:port: the collector's name in the overlay, or the municipality's namespace."""
    if deployment.target is Target.AZURE:
        return f"{namespace(slug, deployment)}:{EVENT_HUBS_PORT}"
    return f"{deployment.collector.name}.vaern.internal:{deployment.kafka_port}"


def namespace(slug: str, deployment: Deployment) -> str:
    """Full name of the municipality's Event Hubs namespace."""
    return f"{Names.of(deployment).namespace(slug)}.servicebus.windows.net"


def broker_names(slug: str, deployment: Deployment) -> tuple[str, frozenset[str]]:
    """The name relays send to and its overlay addresses: the collector's, or on Azure those of every VPN hub."""
    if deployment.target is Target.AZURE:
        hubs = deployment.with_role(HubRole.VPN_HUB)
        return namespace(slug, deployment), frozenset(str(deployment.overlay_address(hub)) for hub in hubs)
    collector = deployment.collector
    return f"{collector.name}.vaern.internal", frozenset({str(deployment.overlay_address(collector))})


def transport(deployment: Deployment) -> dict[str, str]:
    """How relay and receiver authenticate, as settings of librdkafka: mutual TLS, or TLS and a key.

    Stated again on purpose: the role computes these settings from its variables.
    """
    if deployment.target is Target.AZURE:
        return {
            "security.protocol": "sasl_ssl",
            "sasl.mechanisms": "PLAIN",
            "ssl.ca.location": "/etc/ssl/certs/ca-certificates.crt",
            "ssl.endpoint.identification.algorithm": "https",
        }
    return {
        "security.protocol": "ssl",
        "ssl.ca.location": "/etc/vaern/pki/ca.crt",
        "ssl.certificate.location": "/etc/vaern/pki/delivery.crt",
        "ssl.key.location": "/etc/vaern/pki/delivery.key",
    }


def relay_names(slug: str, municipality: Municipality) -> frozenset[str]:
    """Inventory names of the hosts that may write to the municipality's topic."""
    return frozenset(f"{slug}-{host.name}" for host in municipality.hosts if "relay" in host.roles)


def _written(network: IPv4Network | IPv6Network) -> str:
    """A network as nftables shows it: one of a single address is the address."""
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def _sectors(municipality: Municipality, profile: str) -> set[str]:
    return {sector.value for sector, chosen in municipality.soc.items() if chosen == profile}


def _is_part(one: IPv4Network | IPv6Network, of: IPv4Network | IPv6Network) -> bool:
    return one.version == of.version and one.prefixlen > of.prefixlen and one.overlaps(of)


def _is(subject: Subject, host: str) -> bool:
    return subject.host is not None and subject.host.name == host


def _first_relay(municipality: Municipality, site: str) -> str:
    return next((host.name for host in municipality.hosts if host.site == site and "relay" in host.roles), "")


def _by_family(protocol: str, port: int, networks: tuple[str, ...], interface: str = "") -> set[Opening]:
    """One opening for each address family, since a firewall rule has only one."""
    families = (
        tuple(sorted(one for one in networks if ":" not in one)),
        tuple(sorted(one for one in networks if ":" in one)),
    )
    return {Opening(protocol, port, family, interface) for family in families if family}


def _hub_openings(deployment: Deployment, subject: Subject) -> set[Opening]:
    found: set[Opening] = set()
    if HubRole.VPN_HUB in subject.roles:
        found.add(Opening("udp", deployment.vpn_port, ()))
        if deployment.target is Target.AZURE:
            found.add(Opening("tcp", EVENT_HUBS_PORT, (str(deployment.overlay),), INTERFACE))
    if HubRole.COLLECTOR in subject.roles:
        found.add(Opening("tcp", deployment.kafka_port, (str(deployment.overlay),), INTERFACE))
    if deployment.target is Target.LAB:
        found.add(Opening("udp", NTP_PORT, (LAB_NETWORK,)))
    return found


def _relay_openings(municipality: Municipality, subject: Subject) -> set[Opening]:
    allowed: dict[tuple[str, int], list[IPv4Network | IPv6Network]] = {}
    for source in sources(municipality, subject):
        way, usual = PORTS[source.protocol]
        allowed.setdefault((way, source.port or usual), []).extend(_places(municipality, source))
    found: set[Opening] = set()
    for source in sources(municipality, subject):
        way, usual = PORTS[source.protocol]
        if source.dns is not None:
            name = f"@names_{way}_{source.port or usual}"
            found |= {Opening(way, source.port or usual, (f"{name}_{family}",), LAN) for family in ("ip", "ip6")}
    for (way, port), places in allowed.items():
        widest = {_written(one) for one in places if not any(_is_part(one, other) for other in places)}
        found |= _by_family(way, port, tuple(sorted(widest)), LAN)
    beside = [tap.sensor for tap in taps_through(municipality, subject) if not _is(subject, tap.sensor)]
    watched = [host.name for host in watched_through(municipality, subject) if not _is(subject, host.name)]
    sensors = tuple(sorted({str(municipality.host(name).address) for name in (*beside, *watched)}))
    return found | ({Opening("tcp", SENSOR_PORT, sensors, LAN)} if sensors else set())
