"""What the joint organisation declares about the shared collectors: `inventories/shared/collector.yml`."""

from __future__ import annotations

from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Annotated

from pydantic import Field

from vaern.model.azure import AzureDeployment, Uuid
from vaern.model.notify import HOST_ITSELF, OperationsNotify
from vaern.model.overlay import hub_address
from vaern.model.vocabulary import Days, Declared, HostName, IpNetwork, Name, Pem, Port, SocProtocol, Target, Title


class HubRole(StrEnum):
    """What a shared host does."""

    VPN_HUB = "vpn_hub"
    COLLECTOR = "collector"


class Hub(Declared):
    """One shared host."""

    name: Name
    """Short name, unique in the deployment."""
    address: IPv4Address
    """Public address the gateways connect to."""
    endpoint: HostName | None = None
    """What the gateways connect to instead, such as a name that changes its address: it is looked up again when the
    hub is silent."""
    roles: Annotated[tuple[HubRole, ...], Field(min_length=1)]
    """vpn_hub, collector, or both."""
    archive_gib: Annotated[float, Field(gt=0)] = 50.0
    """Disk set aside for the archive of a collector, GiB."""


class SocOutput(Declared):
    """One way in which a SOC receives events; it may have several, such as while it changes from one to another."""

    name: Name
    """Short name, unique in the profile."""
    protocol: SocProtocol
    """kafka: a topic of its own, with one event a record. relp_tls: acknowledged. syslog_tls: RFC 5425, not
    acknowledged."""
    address: HostName | None = None
    """Where the SOC receives relp_tls and syslog_tls; the relays of its municipalities connect to it."""
    port: Port | None = None
    """Its port: 20514 for relp_tls and 6514 for syslog_tls, unless given."""
    certificate_name: HostName | None = None
    """Name in the receiver's certificate; by default the address."""
    authority: Pem | None = None
    """Certificate (PEM) of the authority that signed the receiver's; by default the deployment's own authority."""
    reader: Name | None = None
    """For kafka in the lab: name in the certificate with which the SOC reads."""
    reader_group: Uuid | None = None
    """For kafka on Azure: Entra group of the SOC, which reads its own event hub and no other."""


class SocProfile(Declared):
    """A receiver of events. Municipalities choose one per sector.

    Every event is in the municipality's own archive at the collector; outputs are how the SOC receives a copy.
    """

    title: Title
    """Name as people say it."""
    outputs: tuple[SocOutput, ...] = ()
    """How it receives events; none for a SOC that works in the archive."""


class Deployment(Declared):
    """The shared collectors of one joint organisation."""

    name: Name
    """Short name; part of every name the target makes."""
    target: Target
    """lab or azure."""
    region: Title
    """Region of the target, for people in the lab."""
    overlay: IPv6Network
    """The random ULA /48 of the deployment (RFC 4193); every overlay address is computed from it."""
    vpn_port: Port = 51820
    """UDP, the only port open to the Internet."""
    kafka_port: Port = 9093
    """TCP with mutual TLS, on the overlay only."""
    hubs: Annotated[tuple[Hub, ...], Field(min_length=1)]
    """At least one VPN hub and exactly one collector."""
    ntp_sources: Annotated[tuple[HostName, ...], Field(min_length=2)]
    """At least two time sources for every host."""
    management_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], Field(min_length=1)]
    """Where ssh to the hosts may come from."""
    retention_days: Days = 400
    """Longest retention of the archive."""
    soc_profiles: Annotated[dict[Name, SocProfile], Field(min_length=1)]
    """Receivers municipalities can choose."""
    notify: OperationsNotify | None = None
    """Who is told of alarms by mail and webhook, and by which mail server."""
    azure: AzureDeployment | None = None
    """Needed for target azure."""

    def with_role(self, role: HubRole) -> tuple[Hub, ...]:
        """Hubs with that role, in declared order."""
        return tuple(hub for hub in self.hubs if role in hub.roles)

    @property
    def tells_nobody_in(self) -> tuple[IpNetwork, ...]:
        """Where no webhook and no mail server may be: the shared hosts themselves, and the tunnels."""
        return (*HOST_ITSELF, *(IPv4Network(hub.address) for hub in self.hubs), self.overlay)

    @property
    def on_azure(self) -> AzureDeployment:
        """The section about Azure. Raises ValueError when there is none, which no loaded declaration for Azure has."""
        if self.azure is None:
            raise ValueError("the deployment declares no azure section")
        return self.azure

    @property
    def collector(self) -> Hub:
        """The host of the collector."""
        return self.with_role(HubRole.COLLECTOR)[0]

    def endpoint(self, hub: Hub) -> str:
        """Where gateways reach a hub: address or name, and UDP port."""
        host = hub.endpoint or str(hub.address)
        return f"[{host}]:{self.vpn_port}" if ":" in host else f"{host}:{self.vpn_port}"

    def overlay_address(self, hub: Hub) -> IPv6Address:
        """Address of a hub inside the overlay: the position it is declared at, counted from 1."""
        return hub_address(self.overlay, self.hubs.index(hub) + 1)
