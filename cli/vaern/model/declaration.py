"""What a municipality declares about itself: `inventories/<slug>/municipality.yml` as frozen types.

Units are in the names of the fields. Free text is shown to people, never executed or used as a path.
Rules that need more than one field, or the whole fleet, are in the declaration stage.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address
from typing import Annotated

from pydantic import Field

from vaern.model.azure import AzureMunicipality
from vaern.model.notify import Notify
from vaern.model.vocabulary import (
    Code,
    CprHandling,
    Days,
    Declared,
    DeviceName,
    DnsName,
    Email,
    HostName,
    HostRole,
    Hours,
    Interface,
    IpAddress,
    IpNetwork,
    Login,
    Name,
    Pem,
    Phone,
    Port,
    ProgramName,
    Protocol,
    Sector,
    Size,
    SourceKind,
    TapMode,
    Target,
    Timezone,
    Title,
)


class Contact(Declared):
    """A person the SOC can reach; NIS2 section 10 requires them at registration."""

    name: Title
    """Full name."""
    email: Email
    """Mail address."""
    phone: Phone
    """Telephone, digits and spaces."""
    duty: Title
    """What to call this person about, such as IT chief or security officer."""


class Site(Declared):
    """One place with networks of its own; addresses are unique within it and only there."""

    name: Name
    """Short name, used in events."""
    title: Title
    """Name as people say it."""
    sector: Sector
    """Sector of the site."""
    network: IPv4Network
    """The LAN the hosts of this site are on, and its sources unless they are in one of other_networks."""
    other_networks: tuple[IpNetwork, ...] = ()
    """Other networks that its sources send from: VLANs, routed networks, IPv6."""

    @property
    def networks(self) -> tuple[IpNetwork, ...]:
        """All of them, the LAN first."""
        return (self.network, *self.other_networks)


class Way(Declared):
    """How operations reaches a host by ssh while its tunnel is not up yet; only this host, and only by these values."""

    address: HostName | None = None
    """Where ssh connects; by default the address on the LAN."""
    port: Port = 22
    """Its port."""
    jump: HostName | None = None
    """A machine of the municipality to jump over; its host key is in the operator's own known_hosts."""
    jump_user: Login | None = None
    """Who logs in there; by default the operator's own login name."""


class Host(Declared):
    """A Debian host that vaern configures; it belongs to the municipality."""

    name: Name
    """Short name, unique in the municipality."""
    site: Name
    """The site it stands at."""
    address: IPv4Address
    """Its address on the LAN of the site."""
    ipv6: IPv6Address | None = None
    """Its IPv6 address on the same LAN, where a relay listens too; needed for sources that send by IPv6."""
    roles: Annotated[tuple[HostRole, ...], Field(min_length=1)]
    """What it does: gateway, relay, sensor."""
    debian: Annotated[int, Field(ge=12, le=13)] = 13
    """Debian release; 12 is deprecated, and refused for sensors."""
    spool_gib: Annotated[float, Field(gt=0, le=16384)] = 20.0
    """Disk set aside for the spool of a relay and its queues to SOCs, GiB."""
    ssh: Way | None = None
    """For target azure, until the tunnel is up: the municipality's own way in."""

    @property
    def addresses(self) -> tuple[IpAddress, ...]:
        """All that it has on its LAN."""
        return (self.address, *((self.ipv6,) if self.ipv6 is not None else ()))


class LogSource(Declared):
    """One sender of log events, accepted by the relay of its site from its address, network or DNS name only.

    Several may share a place: they are told apart by protocol, port, host name and program (`vaern.model.origins`).
    """

    name: Name
    """Short name, unique in the municipality; travels with every event."""
    kind: SourceKind
    """What it is."""
    sector: Sector
    """Decides which SOC receives it."""
    site: Name
    """The site it stands at."""
    address: IpAddress | None = None
    """The address it sends from."""
    network: IpNetwork | None = None
    """Instead of an address: the network its devices send from."""
    dns: DnsName | None = None
    """Instead of an address: its DNS name, which the relay looks up every minute. All that comes from there is its."""
    host_name: DeviceName | None = None
    """The host in the header of its messages. Without address and network: from any network of the site."""
    program: ProgramName | None = None
    """The program in the header of its messages."""
    protocol: Protocol
    """How it sends."""
    port: Port | None = None
    """A port of the relay for it, where the usual one of its protocol does not tell it apart."""
    certificate: Pem | None = None
    """Its own certificate (PEM), self-signed, for syslog_mtls, and only then."""
    vendor: Name = "generic"
    """Its vendor, as `vaern catalogue KIND` lists them; selects how its lines are parsed."""
    timezone: Timezone = Timezone.UTC
    """Time zone of its clock, used when its lines name none."""
    events_per_second: Annotated[float, Field(gt=0, le=1_000_000)]
    """Expected mean rate; the spool is sized from it."""
    event_bytes: Annotated[int, Field(ge=40, le=65536)] = 400
    """Expected mean size of one event."""
    priority: Annotated[int, Field(ge=1, le=3)] = 2
    """Importance when a relay's spool is full: 3 is evicted first, 1 last."""
    silent_after_minutes: Annotated[int, Field(ge=1, le=10080)]
    """Silence longer than this raises an alarm."""
    retention_days: Days | None = None
    """Overrides privacy.retention_days for this source."""


class Vxlan(Declared):
    """Where a mirror carried by VXLAN comes from; it ends in the sensor's kernel."""

    vni: Annotated[int, Field(ge=1, le=16_777_215)]
    """Network identifier of the mirror."""
    port: Port = 4789
    """UDP port it is sent to."""
    remote: IPv4Address
    """Address of the device that mirrors."""


class Erspan(Declared):
    """Where a mirror carried by ERSPAN comes from; it ends in the sensor's kernel."""

    version: Annotated[int, Field(ge=1, le=2)]
    """1 is type II, 2 is type III."""
    session: Annotated[int, Field(ge=0, le=1023)]
    """Session number."""
    remote: IPv4Address
    """Address of the device that mirrors."""


class Tap(Declared):
    """A mirror of traffic that a sensor listens to."""

    name: Name
    """Short name, unique in the municipality."""
    mode: TapMode
    """How the mirror arrives."""
    sector: Sector
    """Sector of the traffic."""
    sensor: Name
    """Name of the host with role sensor."""
    interface: Interface
    """Interface of the sensor that receives the mirror; vaern touches no other."""
    expected_mbit_per_second: Annotated[float, Field(gt=0, le=100_000)]
    """Expected mean traffic; the sensor is sized from it."""
    vxlan: Vxlan | None = None
    """Needed for mode vxlan, and only then."""
    erspan: Erspan | None = None
    """Needed for mode erspan, and only then."""


class Privacy(Declared):
    """Which personal data leave the municipality, and how long they are kept."""

    cpr: CprHandling = CprHandling.MASK
    """Civil registration numbers: mask, hash (tokens that correlate; the municipality holds the key) or keep."""
    retention_days: Days = 400
    """13 months by default, the national recommendation; below 365 raises a warning."""
    processing_agreement: Title
    """Reference of the data processing agreement, GDPR article 28."""


class Municipality(Declared):
    """One declaration, complete: who, where, which hosts, what they send and on which terms."""

    code: Code
    """Four-digit municipality code, in quotes."""
    name: Title
    """Name as registered."""
    population: Annotated[int, Field(ge=50, le=1_000_000)]
    """Inhabitants; costs are shared by it."""
    size: Size
    """Profile: small, medium or large."""
    target: Target
    """lab or azure."""
    contacts: Annotated[tuple[Contact, ...], Field(min_length=1)]
    """At least one."""
    sites: Annotated[tuple[Site, ...], Field(min_length=1)]
    """At least one."""
    hosts: Annotated[tuple[Host, ...], Field(min_length=1)]
    """At least one gateway and one relay among them."""
    log_sources: Annotated[tuple[LogSource, ...], Field(min_length=1)]
    """At least one."""
    taps: tuple[Tap, ...] = ()
    """None is allowed: a tap is asked for only where the need is."""
    outage_hours: Hours
    """Hours without a link that must be survived without loss."""
    privacy: Privacy
    """Personal data."""
    soc: Annotated[dict[Sector, Name], Field(min_length=1)]
    """SOC profile per sector, from inventories/shared/collector.yml."""
    notify: Notify | None = None
    """Who of the municipality is told of its alarms, by mail and webhook."""
    azure: AzureMunicipality | None = None
    """Needed for target azure."""

    @property
    def on_azure(self) -> AzureMunicipality:
        """The section about Azure. Raises ValueError when there is none, which no loaded declaration for Azure has."""
        if self.azure is None:
            raise ValueError("the municipality declares no azure section")
        return self.azure

    def host(self, name: str) -> Host:
        """The host of that name. Raises KeyError."""
        return {host.name: host for host in self.hosts}[name]

    def site(self, name: str) -> Site:
        """The site of that name. Raises KeyError."""
        return {site.name: site for site in self.sites}[name]

    def relay_of(self, site: str) -> Host | None:
        """The relay of that site, which receives from every source and sensor there; None when there is none."""
        return next((host for host in self.with_role(HostRole.RELAY) if host.site == site), None)

    def sources_through(self, relay: Host) -> tuple[LogSource, ...]:
        """The log sources whose events that relay receives, in declared order; none for a host that is not a relay."""
        if self.relay_of(relay.site) != relay:
            return ()
        return tuple(source for source in self.log_sources if source.site == relay.site)

    def with_role(self, role: HostRole) -> tuple[Host, ...]:
        """Hosts with that role, in declared order."""
        return tuple(host for host in self.hosts if role in host.roles)
