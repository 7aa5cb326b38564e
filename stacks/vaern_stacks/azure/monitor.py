"""Where Azure's own logs go: workspace, Sentinel, private ingestion, collection rules and diagnostics."""

from __future__ import annotations

from collections.abc import Sequence

import pulumi
from pulumi_azure_native import (
    monitor,
    operationalinsights,
    securityinsights,
)

from vaern_stacks.azure.endpoints import private_endpoint
from vaern_stacks.azure.hubs import HubMachine
from vaern_stacks.azure.identifiers import WORKSPACE
from vaern_stacks.azure.place import Place

SYSLOG = ["auth", "authpriv", "daemon", "kern", "syslog"]
LEVELS = ["Info", "Notice", "Warning", "Error", "Critical", "Alert", "Emergency"]
DISK_COUNTER = r"Logical Disk(*)\% Used Space"
COUNTER_SECONDS = 60


def diagnose(place: Place, name: str, target: pulumi.Input[str]) -> monitor.DiagnosticSetting:
    """Everything a resource logs about its use goes to the workspace."""
    return monitor.DiagnosticSetting(
        f"diagnostics-{name}",
        name="vaern",
        resource_uri=target,
        workspace_id=place.identifiers.workspace,
        logs=[monitor.LogSettingsArgs(category_group="allLogs", enabled=True)],
        opts=place.options(),
    )


def workspace(place: Place, *, with_sentinel: bool = True) -> operationalinsights.Workspace:
    """The workspace; no daily cap, which would stop collecting in the middle of an attack.

    `looked_into`: Sentinel looks at what it holds, where that is declared.
    """
    made = operationalinsights.Workspace(
        "workspace",
        workspace_name=WORKSPACE,
        resource_group_name=place.group.name,
        location=place.settings.location,
        sku=operationalinsights.WorkspaceSkuArgs(name="PerGB2018"),
        retention_in_days=place.settings.logs.retention_days,
        features=operationalinsights.WorkspaceFeaturesArgs(
            disable_local_auth=True, enable_log_access_using_only_resource_permissions=True
        ),
        public_network_access_for_ingestion="Disabled",
        public_network_access_for_query="Disabled",
        tags=place.tags,
        opts=place.evidence(),
    )
    if place.settings.logs.sentinel and with_sentinel:
        securityinsights.SentinelOnboardingState(
            "sentinel",
            sentinel_onboarding_state_name="default",
            workspace_name=made.name,
            resource_group_name=place.group.name,
            opts=place.options(),
        )
    return made


def collection(place: Place, into: operationalinsights.Workspace, hubs: Sequence[HubMachine]) -> None:
    """The hubs' own journal and disks, taken in through a private endpoint."""
    endpoint = monitor.DataCollectionEndpoint(
        "collection-endpoint",
        data_collection_endpoint_name="dce",
        resource_group_name=place.group.name,
        location=place.settings.location,
        kind="Linux",
        network_acls=monitor.DataCollectionEndpointNetworkAclsArgs(public_network_access="Disabled"),
        tags=place.tags,
        opts=place.options(),
    )
    rule = _collection_rule(place, into, endpoint)
    for hub in hubs:
        for part, identifiers in {
            "rule": {"data_collection_rule_id": rule.id},
            "endpoint": {"data_collection_endpoint_id": endpoint.id},
        }.items():
            monitor.DataCollectionRuleAssociation(
                f"collection-{part}-{hub.hub.name}",
                # Azure takes only this name for the association with an endpoint.
                association_name="configurationAccessEndpoint" if part == "endpoint" else "vaern",
                resource_uri=hub.machine.id,
                opts=place.options(),
                **identifiers,
            )
    _private_link(place, {"workspace": into.id, "collection": endpoint.id})


def _collection_rule(
    place: Place, into: operationalinsights.Workspace, endpoint: monitor.DataCollectionEndpoint
) -> monitor.DataCollectionRule:
    return monitor.DataCollectionRule(
        "collection-rule",
        data_collection_rule_name="dcr-hubs",
        resource_group_name=place.group.name,
        location=place.settings.location,
        kind="Linux",
        data_collection_endpoint_id=endpoint.id,
        data_sources=monitor.DataCollectionRuleDataSourcesArgs(
            syslog=[
                monitor.SyslogDataSourceArgs(
                    name="syslog", streams=["Microsoft-Syslog"], facility_names=list(SYSLOG), log_levels=list(LEVELS)
                )
            ],
            performance_counters=[
                monitor.PerfCounterDataSourceArgs(
                    name="disks",
                    streams=["Microsoft-Perf"],
                    sampling_frequency_in_seconds=COUNTER_SECONDS,
                    counter_specifiers=[DISK_COUNTER],
                )
            ],
        ),
        destinations=monitor.DataCollectionRuleDestinationsArgs(
            log_analytics=[monitor.LogAnalyticsDestinationArgs(name="workspace", workspace_resource_id=into.id)]
        ),
        data_flows=[monitor.DataFlowArgs(streams=["Microsoft-Syslog", "Microsoft-Perf"], destinations=["workspace"])],
        tags=place.tags,
        opts=place.options(),
    )


def _private_link(place: Place, resources: dict[str, pulumi.Output[str]]) -> None:
    """Azure Monitor takes data in, and answers queries, inside the virtual network only."""
    scope = monitor.PrivateLinkScope(
        "monitor-scope",
        scope_name="ampls",
        resource_group_name=place.group.name,
        location="global",
        access_mode_settings=monitor.AccessModeSettingsArgs(
            ingestion_access_mode="PrivateOnly", query_access_mode="PrivateOnly"
        ),
        tags=place.tags,
        opts=place.options(),
    )
    joined = [
        monitor.PrivateLinkScopedResource(
            f"monitor-scope-{name}",
            name=name,
            scope_name=scope.name,
            resource_group_name=place.group.name,
            linked_resource_id=identifier,
            opts=place.options(),
        )
        for name, identifier in resources.items()
    ]
    private_endpoint(
        place,
        "monitor",
        scope.id,
        service="azuremonitor",
        zones=["monitor", "oms", "ods", "agent", "blob"],
        after=joined,
    )
