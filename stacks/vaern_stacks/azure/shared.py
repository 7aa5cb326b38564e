"""The shared stack: the parts every municipality uses, put together in the order Azure needs them.

Taking it down is making it `at_rest`: what holds evidence, what that hangs on, and nothing else. Removing could not do
it, because what is protected keeps whatever it was made after, and a network in use keeps its NAT gateway.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
from pulumi_azure_native import network, operationalinsights

from vaern.model.deployment import Deployment
from vaern_stacks.azure import alerts, flow_logs, governance, monitor
from vaern_stacks.azure.archive import Archive, archive
from vaern_stacks.azure.endpoints import private_zones
from vaern_stacks.azure.hubs import HubMachine, hub_machines, kept_of
from vaern_stacks.azure.identifiers import ZONES
from vaern_stacks.azure.network import bastion, virtual_network
from vaern_stacks.azure.place import Place, open_place, provider_of
from vaern_stacks.azure.vault import key_vault, reachable

EVIDENCE = "evidence"
PLATFORM = "platform"
"""Container of what vaern itself leaves as evidence: reports, approvals, run logs."""
TAGS = {"part": "shared"}


@dataclass(frozen=True, slots=True)
class Shared:
    """What the target hands on."""

    hubs: list[HubMachine]


def shared_stack(deployment: Deployment) -> Shared:
    """Declare everything shared. The hubs, the network and the vault; the evidence in a group of its own."""
    settings = deployment.on_azure
    first, workspace, joined, zones = _foundation(deployment)
    place = first.depending_on([workspace, joined, *zones])
    group = alerts.action_group(first)

    access = bastion(place, joined)
    monitor.diagnose(place, "bastion", access.id)
    monitor.diagnose(place, "workspace", workspace.id)
    hubs = hub_machines(place, joined)
    reachable(place, key_vault(place))
    monitor.collection(place, workspace, hubs)
    alerts.hub_alerts(place.depending_on([group]), hubs, workspace)

    account = _evidence(place).account
    flow_logs.flow_log(place, joined, account, workspace, flow_logs.flow_writer(place, account))

    governance.grant(place, "admins-shared", place.group.id, settings.admin_group, governance.Role.READER, group=True)
    governance.benchmark(place)
    governance.budget(place, settings.budget)
    return Shared(hubs)


def declare_kept(deployment: Deployment) -> None:
    """Declare what stays when the collectors are taken down, with the same names and properties as above.

    The evidence and its endpoint, with the network and zone by which it is read; the vault and its key, which is the
    authority's; the workspace; the disks and addresses of the hubs. Nothing that costs by the hour but the endpoint.
    """
    first, workspace, joined, zones = _foundation(deployment, kept_only=True)
    place = first.depending_on([workspace, joined, *zones])
    for hub in deployment.hubs:
        kept_of(place, hub)
    key_vault(place)
    flow_logs.flow_writer(place, _evidence(place).account)


def _foundation(
    deployment: Deployment, *, kept_only: bool = False
) -> tuple[Place, operationalinsights.Workspace, network.VirtualNetwork, list[pulumi.Resource]]:
    """What everything else is made after: the group, the workspace, the network and its zones."""
    provider = provider_of(deployment.on_azure)
    first = open_place(deployment, provider, "shared", tags=TAGS)
    workspace = monitor.workspace(first, with_sentinel=not kept_only)
    joined = virtual_network(first, way_out=not kept_only)
    return first, workspace, joined, private_zones(first, joined, ["blob"] if kept_only else list(ZONES))


def _evidence(place: Place) -> Archive:
    """What vaern itself leaves as evidence, in a group that is locked."""
    deployment = place.deployment
    evidence = open_place(deployment, place.provider, EVIDENCE, tags=TAGS, evidence=True).depending_on(place.ready)
    kept = archive(evidence, EVIDENCE, {PLATFORM: deployment.retention_days})
    governance.management_lock(
        evidence, "evidence", evidence.group.id, "Evidence: remove the lock only when retention is over"
    )
    admins, readers = place.settings.admin_group, governance.Role.BLOB_READER
    governance.grant(evidence, "admins-evidence", evidence.group.id, admins, readers, group=True)
    governance.benchmark(evidence)
    return kept


def matching_addresses(deployment: Deployment, allocated: list[str]) -> None:
    """Raise RunError while the declared addresses, which gateways use, are not the ones Azure allocated."""
    wrong = [
        f"{hub.name} was given {found}: write it as hubs[{number}].address"
        for number, (hub, found) in enumerate(zip(deployment.hubs, allocated, strict=True))
        if str(hub.address) != found
    ]
    if wrong:
        raise pulumi.RunError(f"{'; '.join(wrong)} in inventories/shared/collector.yml, then run again")
