"""Who talked to whom in the virtual network: the flow log, and the identity that writes it into the evidence."""

from __future__ import annotations

from dataclasses import dataclass

from pulumi_azure_native import authorization, managedidentity, network, operationalinsights, storage

from vaern_stacks.azure.governance import Role, grant
from vaern_stacks.azure.place import Place

TRAFFIC_MINUTES = 60


@dataclass(frozen=True, slots=True)
class FlowWriter:
    """Who writes flow logs into the evidence. The right stands in a locked group, which cannot lose it."""

    identity: managedidentity.UserAssignedIdentity
    granted: authorization.RoleAssignment


def flow_writer(place: Place, account: storage.StorageAccount) -> FlowWriter:
    """Declare the identity and its right."""
    identity = managedidentity.UserAssignedIdentity(
        "flow-identity",
        resource_name_="id-flow-log",
        resource_group_name=place.group.name,
        location=place.settings.location,
        tags=place.tags,
        opts=place.options(),
    )
    granted = grant(place, "flow-log", account.id, identity.principal_id, Role.BLOB_CONTRIBUTOR, locked=True)
    return FlowWriter(identity, granted)


def flow_log(
    place: Place,
    watched: network.VirtualNetwork,
    account: storage.StorageAccount,
    into: operationalinsights.Workspace,
    writer: FlowWriter,
) -> network.FlowLog:
    """Who talked to whom in the virtual network, kept with the evidence and summed up hourly in the workspace."""
    return network.FlowLog(
        "flow-log",
        flow_log_name="vnet",
        network_watcher_name=f"NetworkWatcher_{place.settings.location}",
        resource_group_name=place.settings.network_watcher_group,
        location=place.settings.location,
        target_resource_id=watched.id,
        storage_id=account.id,
        enabled=True,
        identity=network.ManagedServiceIdentityArgs(
            type=network.ResourceIdentityType.USER_ASSIGNED, user_assigned_identities=[writer.identity.id]
        ),
        retention_policy=network.RetentionPolicyParametersArgs(
            enabled=True, days=min(place.deployment.retention_days, 365)
        ),
        flow_analytics_configuration=network.TrafficAnalyticsPropertiesArgs(
            network_watcher_flow_analytics_configuration=network.TrafficAnalyticsConfigurationPropertiesArgs(
                enabled=True,
                traffic_analytics_interval=TRAFFIC_MINUTES,
                workspace_resource_id=into.id,
                workspace_id=into.customer_id,
                workspace_region=place.settings.location,
            )
        ),
        tags=place.tags,
        opts=place.options([writer.granted]),
    )
