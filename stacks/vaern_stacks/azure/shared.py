"""The shared stack: the parts every municipality uses, put together in the order Azure needs them."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from vaern.model.deployment import Deployment
from vaern_stacks.azure import alerts, governance, monitor
from vaern_stacks.azure.archive import archive
from vaern_stacks.azure.endpoints import private_zones
from vaern_stacks.azure.hubs import HubMachine, hub_machines
from vaern_stacks.azure.network import bastion, virtual_network
from vaern_stacks.azure.place import open_place, provider_of
from vaern_stacks.azure.vault import key_vault

EVIDENCE = "evidence"
PLATFORM = "platform"
"""Container of what vaern itself leaves as evidence: reports, approvals, run logs."""


@dataclass(frozen=True, slots=True)
class Shared:
    """What the target hands on."""

    hubs: list[HubMachine]


def shared_stack(deployment: Deployment) -> Shared:
    """Declare everything shared. The hubs, the network and the vault; the evidence in a group of its own."""
    settings = deployment.on_azure
    provider = provider_of(settings)
    tags = {"part": "shared"}
    first = open_place(deployment, provider, "shared", tags=tags)
    workspace = monitor.workspace(first)
    joined = virtual_network(first)
    zones = private_zones(first, joined)
    place = first.once([workspace, joined, *zones])
    group = alerts.action_group(first)

    access = bastion(place, joined)
    monitor.diagnose(place, "bastion", access.id)
    monitor.diagnose(place, "workspace", workspace.id)
    hubs = hub_machines(place, joined)
    key_vault(place)
    monitor.collection(place, workspace, hubs)
    alerts.hub_alerts(place.once([group]), hubs, workspace)

    evidence = open_place(deployment, provider, EVIDENCE, tags=tags, evidence=True).once(place.ready)
    kept = archive(evidence, EVIDENCE, {PLATFORM: deployment.retention_days})
    monitor.flow_log(place, joined, kept.account, workspace)

    governance.lock(evidence, "evidence", evidence.group.id, "Evidence: remove the lock only when retention is over")
    admins = settings.admin_group
    governance.grant(place, "admins-shared", place.group.id, admins, governance.Role.READER, group=True)
    governance.grant(evidence, "admins-evidence", evidence.group.id, admins, governance.Role.BLOB_READER, group=True)
    governance.benchmark(place)
    governance.benchmark(evidence)
    governance.budget(place, settings.budget)
    return Shared(hubs)


def matching_addresses(deployment: Deployment, allocated: list[str]) -> None:
    """Gateways are told the declared addresses. Raises RunError while they are not the ones Azure gave."""
    wrong = [
        f"{hub.name} was given {found}: write it as hubs[{number}].address"
        for number, (hub, found) in enumerate(zip(deployment.hubs, allocated, strict=True))
        if str(hub.address) != found
    ]
    if wrong:
        raise pulumi.RunError(f"{'; '.join(wrong)} in inventories/shared/collector.yml, then run again")
