"""One municipality's stack: its own Event Hubs namespace, its own archive, its own readers, limits and cost line.

Nothing in it refers to another municipality; the shared parts are found by computed identifiers. The archive is in a
resource group of its own, so that removing the municipality removes everything but the evidence.
"""

from __future__ import annotations

import pulumi
from pulumi_azure_native import authorization, eventhub

from vaern.model.azure import RELAY_STREAM, AzureMunicipality, Tier
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.naming import host_name
from vaern_stacks.azure import alerts, governance, monitor, naming
from vaern_stacks.azure.archive import Archive, archive
from vaern_stacks.azure.endpoints import private_endpoint
from vaern_stacks.azure.event_hubs import EventHub, event_hubs
from vaern_stacks.azure.place import Place, open_place, provider_of
from vaern_stacks.azure.vault import keep_secret

CAPTURE_FORMAT = "{Namespace}/{EventHub}/{PartitionId}/{Year}/{Month}/{Day}/{Hour}/{Minute}/{Second}"
CAPTURE_BYTES = 300 * 2**20
"""A captured file is closed at this size or after the declared seconds, whichever comes first."""


def municipality_stack(deployment: Deployment, municipality: Municipality, slug: str) -> eventhub.Namespace:
    """Declare everything of one municipality, and return the namespace its relays send to."""
    settings, own = deployment.on_azure, municipality.on_azure
    provider = provider_of(settings)
    tags = {"municipality": municipality.code}
    place = open_place(deployment, provider, slug, tags=tags)
    evidence = open_place(deployment, provider, f"{slug}-evidence", tags=tags, evidence=True)

    made = namespace(place, own, slug)
    days = kept_days(municipality)
    containers = {naming.stream_container(stream, municipality.code): days for stream in own.streams}
    kept = archive(evidence, slug, containers)
    writers = {name: _capture_right(place, made, kept, name, municipality.code) for name in own.streams}
    for planned in event_hubs(deployment, municipality):
        hub = _event_hub(place, municipality, made, kept, planned, writers[planned.stream])
        _readers(place, municipality, made, hub, planned)
        _sending_keys(place, slug, made, hub, planned)

    governance.management_lock(
        evidence, slug, evidence.group.id, "Evidence: remove the lock only when retention is over"
    )
    for name, container in kept.containers.items():
        readers = governance.Role.BLOB_READER
        governance.grant(evidence, f"readers-{name}", container.id, own.reader_group, readers, group=True)
        # Who runs the collectors proves what arrives, and looks into it on the municipality's behalf.
        governance.grant(evidence, f"operators-{name}", container.id, settings.admin_group, readers, group=True)
    receivers = settings.admin_group
    governance.grant(place, "receivers", made.id, receivers, governance.Role.EVENT_HUBS_RECEIVER, group=True)
    governance.benchmark(place)
    governance.benchmark(evidence)
    alerts.municipality_alerts(place, municipality, made)
    if own.budget:
        governance.budget(place, own.budget)
    return made


def kept_days(municipality: Municipality) -> int:
    """Retention of the archive: the longest any source declares, since a stream carries them together."""
    longest = [source.retention_days or 0 for source in municipality.log_sources]
    return max([municipality.privacy.retention_days, *longest])


def namespace(place: Place, own: AzureMunicipality, slug: str) -> eventhub.Namespace:
    """The namespace with its private endpoint. Sending keys stay on: docs/decisions/0010 says why."""
    settings = place.settings.event_hubs
    inflates = settings.tier is Tier.STANDARD
    made = eventhub.Namespace(
        "namespace",
        namespace_name=place.names.namespace(slug),
        resource_group_name=place.group.name,
        location=place.settings.location,
        sku=eventhub.SkuArgs(name=settings.tier.value, tier=settings.tier.value, capacity=settings.throughput),
        identity=eventhub.IdentityArgs(type=eventhub.ManagedServiceIdentityType.SYSTEM_ASSIGNED),
        # Processing units of the Premium tier are bought, and are their own ceiling.
        is_auto_inflate_enabled=inflates,
        maximum_throughput_units=own.throughput_max or settings.throughput_max if inflates else None,
        minimum_tls_version="1.2",
        public_network_access="Disabled",
        disable_local_auth=False,
        zone_redundant=True,
        tags=place.tags,
        opts=place.options(),
    )
    private_endpoint(place, f"{slug}-namespace", made.id, service="namespace", zones=["namespace"])
    monitor.diagnose(place, "namespace", made.id)
    return made


def _capture_right(
    place: Place, into: eventhub.Namespace, kept: Archive, stream: str, code: str
) -> authorization.RoleAssignment:
    """The namespace's own identity may write into the container of the stream."""
    container = kept.containers[naming.stream_container(stream, code)]
    identity = into.identity.apply(lambda found: found.principal_id if found else "")
    return governance.grant(
        place, f"capture-{stream}", container.id, identity, governance.Role.BLOB_CONTRIBUTOR, locked=True
    )


def _event_hub(
    place: Place,
    municipality: Municipality,
    into: eventhub.Namespace,
    kept: Archive,
    planned: EventHub,
    writes: authorization.RoleAssignment,
) -> eventhub.EventHub:
    """An event hub whose capture is written by the namespace's own identity, which may write there and nowhere else."""
    settings = place.settings.event_hubs
    container = kept.containers[naming.stream_container(planned.stream, municipality.code)]
    return eventhub.EventHub(
        f"stream-{planned.key}",
        event_hub_name=planned.name,
        namespace_name=into.name,
        resource_group_name=place.group.name,
        partition_count=settings.partitions,
        retention_description=eventhub.RetentionDescriptionArgs(
            cleanup_policy="Delete", retention_time_in_hours=settings.retention_hours
        ),
        capture_description=eventhub.CaptureDescriptionArgs(
            enabled=True,
            encoding=eventhub.EncodingCaptureDescription.AVRO,
            interval_in_seconds=settings.capture_seconds,
            size_limit_in_bytes=CAPTURE_BYTES,
            skip_empty_archives=True,
            destination=eventhub.DestinationArgs(
                name="EventHubArchive.AzureBlockBlob",
                storage_account_resource_id=kept.account.id,
                blob_container=container.name,
                archive_name_format=CAPTURE_FORMAT,
                identity=eventhub.CaptureIdentityArgs(type=eventhub.CaptureIdentityType.SYSTEM_ASSIGNED),
            ),
        ),
        opts=place.options([writes]),
    )


def _readers(
    place: Place, municipality: Municipality, into: eventhub.Namespace, hub: eventhub.EventHub, planned: EventHub
) -> None:
    """A SOC reads its own event hub, and has no role on any other.

    On the stream of the relays nobody has a consumer group: what is in it are blocks, for capture.
    """
    chosen = {planned.profile} if planned.profile else set(municipality.soc.values())
    for receiver in sorted(chosen) if planned.key != RELAY_STREAM else ():
        eventhub.ConsumerGroup(
            f"receiver-{planned.key}" if planned.profile else f"receiver-{planned.key}-{receiver}",
            consumer_group_name=receiver,
            event_hub_name=hub.name,
            namespace_name=into.name,
            resource_group_name=place.group.name,
            user_metadata=f"SOC profile {receiver}",
            opts=place.options(),
        )
    for number, group in enumerate(planned.readers, start=1):
        role = governance.Role.EVENT_HUBS_RECEIVER
        governance.grant(place, f"soc-{planned.key}-{number}", hub.id, group, role, group=True)


def _sending_keys(place: Place, slug: str, into: eventhub.Namespace, hub: eventhub.EventHub, planned: EventHub) -> None:
    """A key a relay that can send to this event hub and do nothing else; its connection string goes to the vault."""
    for relay in planned.senders:
        name = host_name(slug, relay)
        rule = eventhub.EventHubAuthorizationRule(
            f"sender-{planned.key}-{relay}",
            authorization_rule_name=name,
            event_hub_name=hub.name,
            namespace_name=into.name,
            resource_group_name=place.group.name,
            rights=[eventhub.AccessRights.SEND],
            opts=place.options(),
        )
        keys = eventhub.list_event_hub_keys_output(
            authorization_rule_name=rule.name,
            event_hub_name=hub.name,
            namespace_name=into.name,
            resource_group_name=place.group.name,
            opts=pulumi.InvokeOutputOptions(provider=place.provider, depends_on=[rule]),
        )
        keep_secret(place, f"{name}-{planned.key}", keys.primary_connection_string)
