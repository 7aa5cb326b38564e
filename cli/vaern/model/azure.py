"""What the joint organisation and a municipality declare about Azure: the `azure:` section of both declarations.

Every setting with a sensible default has one, so that a first declaration names only who pays, where, and who is
notified. Limits are those Microsoft publishes for the resource; where they could not be checked, docs/decisions/0010
says so.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field, StringConstraints

from vaern.model.vocabulary import UNPRINTED, Declared, Email, Name

Uuid = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
"""Identifier of a subscription, tenant or Entra group, in small letters."""
Location = Annotated[str, StringConstraints(pattern=r"^[a-z]{4,30}[0-9]?$")]
"""Azure's short name of a region, such as northeurope."""
RELAY_STREAM = "logs"
"""The stream, an event hub with an archive container, that the relays send to."""
LOOK_SECONDS = 1.0
"""How often a relay that sends to Event Hubs looks for new events, seconds. What it finds is one block, and capture
writes only every minute or less often: looking more often would cost more billed events and gain nothing."""
Tag = Annotated[str, StringConstraints(min_length=1, max_length=256, pattern=rf"^[^{UNPRINTED}{{}}<>%&\\?]+$")]
Image = Annotated[str, StringConstraints(pattern=r"^[^:\s]+:[^:\s]+:[^:\s]+:[^:\s]+$")]
ResourceGroup = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.()-]{1,90}$")]
VmSize = Annotated[str, StringConstraints(pattern=r"^Standard_[A-Za-z0-9_]{2,40}$")]
SshKey = Annotated[str, StringConstraints(pattern=r"^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+={0,3}( [\w@.-]+)?$")]
Backend = Annotated[str, StringConstraints(pattern=r"^(azblob|s3|file)://[^\s{}]+$")]
SecretsProvider = Annotated[
    str, StringConstraints(pattern=r"^(azurekeyvault://[^\s{}]+|awskms://[^\s{}]+|passphrase)$")
]


class Environment(StrEnum):
    """What the deployment is for; part of every name and a tag."""

    PRODUCTION = "production"
    STAGING = "staging"
    TEST = "test"


class Zone(StrEnum):
    """An availability zone of the region."""

    ONE = "1"
    TWO = "2"
    THREE = "3"


class Tier(StrEnum):
    """Tier of an Event Hubs namespace; docs/decisions/0010 argues the choice."""

    STANDARD = "Standard"
    PREMIUM = "Premium"


class Budget(Declared):
    """How much may be spent in a month, and who is warned before. A budget warns; it stops nothing."""

    dkk_per_month: Annotated[int, Field(ge=1, le=100_000_000)]
    """Amount in the currency of the subscription's invoice, which is taken to be Danish kroner."""
    starts: date
    """First day of the month it begins, such as 2026-12-01; Azure refuses another day."""
    contacts: Annotated[tuple[Email, ...], Field(min_length=1, max_length=50)]
    """Warned at 80 per cent, at 100, and when the forecast exceeds 100."""


class AddressSpace(Declared):
    """Private addresses of the virtual network; they must not overlap networks it is later peered with."""

    ipv4: IPv4Network = IPv4Network("10.80.0.0/20")
    """A /16 to /20: hubs, Bastion and private endpoints get their parts of it."""
    ipv6: IPv6Network | None = None
    """A ULA /56; without one, the part a000 of the overlay, which no municipality's code reaches."""


class HubMachines(Declared):
    """The machines of the declared hubs."""

    size: VmSize = "Standard_D4as_v5"
    """Machine size; it must offer premium disks, trusted launch and encryption at host."""
    os_disk_gib: Annotated[int, Field(ge=32, le=2048)] = 64
    """System disk, GiB."""
    data_disk_gib: Annotated[int, Field(ge=32, le=32767)] = 256
    """Disk for queues and spool, GiB; it is kept when the machine is rebuilt."""
    image: Image = "Debian:debian-13:13-gen2:latest"
    """Image as publisher:offer:sku:version; give a version, so that a rebuilt machine is the same."""
    ssh_keys: Annotated[tuple[SshKey, ...], Field(min_length=1)]
    """Public keys of the operators; passwords are off."""


class Logs(Declared):
    """The Log Analytics workspace."""

    retention_days: Annotated[int, Field(ge=30, le=730)] = 400
    """Days for which the content of the workspace can be searched."""
    sentinel: bool = True
    """Onboard the workspace to Microsoft Sentinel."""


class EventHubs(Declared):
    """What every municipality's Event Hubs namespace starts from."""

    tier: Tier = Tier.STANDARD
    """Standard or Premium."""
    throughput: Annotated[int, Field(ge=1, le=40)] = 1
    """Throughput units a namespace starts with, 1 MB/s or 1000 events/s each; on Premium its processing units."""
    throughput_max: Annotated[int, Field(ge=1, le=40)] = 4
    """Ceiling of auto-inflate, and so of the cost; a municipality may declare its own."""
    partitions: Annotated[int, Field(ge=1, le=32)] = 4
    """Partitions of an event hub; the Standard tier never changes them later."""
    retention_hours: Annotated[int, Field(ge=24, le=168)] = 168
    """Hours for which an event can be read again from the event hub, besides the capture."""
    capture_seconds: Annotated[int, Field(ge=60, le=900)] = 300
    """Longest time in seconds before received events are written to the write-once container."""


class AzureDeployment(Declared):
    """The shared collectors on Azure."""

    subscription: Uuid
    """Subscription everything is made in; the provider is bound to it."""
    tenant: Uuid
    """Entra tenant of the subscription."""
    location: Location = "northeurope"
    """Region, by Azure's short name; it must have availability zones."""
    zones: Annotated[tuple[Zone, ...], Field(min_length=2, max_length=3)] = (Zone.ONE, Zone.TWO)
    """Zones the hubs are spread over, in turn."""
    environment: Environment
    """production, staging or test."""
    owner: Email
    """Mailbox of the responsible team; a tag on every resource."""
    cost_centre: Tag
    """Cost centre that pays the invoice; a tag on every resource."""
    admin_group: Uuid
    """Entra group of the operators: administers the vault, reads everything, signs with the authority's key."""
    address_space: AddressSpace = AddressSpace()
    """Private addresses of the virtual network."""
    hubs: HubMachines
    """The machines of the hubs."""
    logs: Logs = Logs()
    """The workspace."""
    event_hubs: EventHubs = EventHubs()
    """What a municipality's namespace starts from."""
    cool_after_days: Annotated[int, Field(ge=1, le=3650)] = 30
    """Age at which archived data move to cheaper storage that is still readable at once."""
    network_watcher_group: ResourceGroup = "NetworkWatcherRG"
    """Resource group of the region's network watcher, which Azure makes by itself, once a subscription."""
    budget: Budget
    """Of the shared resources, a month."""
    backend: Backend | None = None
    """Where the engine keeps its state, such as azblob://vaern-state; VAERN_BACKEND overrides it."""
    secrets_provider: SecretsProvider = "passphrase"
    """What encrypts secrets in the state; a team uses azurekeyvault://<vault>.vault.azure.net/keys/<key>."""


class AzureMunicipality(Declared):
    """What one municipality declares about its own part."""

    reader_group: Uuid
    """Entra group of the municipality: reads its own archive, and nothing else."""
    streams: Annotated[tuple[Name, ...], Field(min_length=1, max_length=10)] = (RELAY_STREAM,)
    """Each is an event hub with its own archive container; the relays send to `logs`."""
    throughput_max: Annotated[int, Field(ge=1, le=40)] | None = None
    """Ceiling of auto-inflate; without one, the deployment's."""
    budget: Budget | None = None
    """Of this municipality's own resources, a month."""
