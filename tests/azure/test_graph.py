"""The graph of the shared and the municipality stacks, made, kept and removed by the real engine on the double."""

from __future__ import annotations

from collections import Counter

import pytest
from support.azure.graph import example_deployment
from support.azure.soc_by_kafka import soc_by_kafka
from support.azure.stacks import SLUG, Stacks, with_given_addresses

from vaern.errors import ProvisionError


def test_the_shared_stack_previews_is_made_and_stays_as_it_is(stacks: Stacks) -> None:
    planned = stacks.azure.engine("shared").preview(stacks.collector)
    assert {change.action for change in planned} == {"create"}
    assert stacks.azure.there() == []
    assert not stacks.azure.engine("shared").exists(), "a preview left a stack behind"

    stacks.deployment = example_deployment()
    with pytest.raises(ProvisionError, match=r"hub1 was given 203\.0\.113\.\d+: write it as hubs\[0\]\.address"):
        stacks.azure.up("shared", stacks.collector)
    stacks.deployment = with_given_addresses(stacks.deployment)
    stacks.azure.up("shared", stacks.collector)
    assert len(stacks.azure.there()) == len(planned)
    assert stacks.azure.strays("shared") == set()
    assert [host.name for host in stacks.shared[-1].hosts] == [hub.name for hub in stacks.deployment.hubs]
    assert stacks.azure.up("shared", stacks.collector) == []
    assert stacks.azure.engine("shared").preview(stacks.collector) == []


def test_the_shared_stack_goes_and_what_holds_evidence_stays(stacks: Stacks) -> None:
    """With what that hangs on, and nothing that costs by the hour but the evidence's own endpoint."""
    stacks.azure.up("shared", stacks.collector)
    before = len(stacks.azure.calls())
    changes = stacks.azure.up("shared", stacks.declare_kept)
    assert {change.action for change in changes} == {"update", "delete"}
    kinds = Counter(resource["token"].rpartition(":")[2] for resource in stacks.azure.cloud.all())
    assert {"StorageAccount", "BlobContainer", "Vault", "Key", "Workspace"} <= set(kinds)
    assert (kinds["Disk"], kinds["PublicIPAddress"]) == (len(stacks.deployment.hubs), len(stacks.deployment.hubs))
    assert (kinds["PrivateEndpoint"], kinds["PrivateZone"], kinds["VirtualNetwork"]) == (1, 1, 1)
    assert not set(kinds) & {"VirtualMachine", "BastionHost", "FlowLog", "MetricAlert", "NatGateway", "Budget"}
    # Azure refuses to remove a NAT gateway that a subnet uses.
    done = [(call["operation"], call["name"]) for call in stacks.azure.calls()[before:]]
    assert done.index(("update", "network")) < done.index(("delete", "nat"))
    assert stacks.azure.strays("shared") == set()
    assert stacks.azure.up("shared", stacks.declare_kept) == []


def test_what_rests_is_taken_into_use_again_with_the_same_addresses_and_key(stacks: Stacks) -> None:
    stacks.azure.up("shared", stacks.collector)
    whole = stacks.azure.there()
    kept = {one["id"] for one in stacks.azure.cloud.all() if one["name"] in {"address-hub1", "vault", "authority-key"}}
    stacks.azure.up("shared", stacks.declare_kept)
    stacks.azure.up("shared", stacks.collector)
    assert stacks.azure.there() == whole
    assert kept <= {one["id"] for one in stacks.azure.cloud.all()}


def test_a_soc_that_takes_kafka_gets_its_event_hub_and_loses_it_while_the_archive_stays(connected: Stacks) -> None:
    """On a stack that is there already, as an earlier version or an earlier declaration has made it."""
    connected.azure.up(SLUG, connected.connection)
    blobs = connected.azure.there(":BlobContainer")
    before = connected.deployment
    connected.deployment = soc_by_kafka(before)
    changes = connected.azure.up(SLUG, connected.connection)
    assert {change.action for change in changes} == {"create"}
    made = {change.name for change in changes}
    assert {"stream-logs-national", "sender-logs-national-gw1", "receiver-logs-national"} <= made
    assert connected.azure.up(SLUG, connected.connection) == []
    keys = connected.municipality[-1].event_hubs
    assert keys is not None
    assert list(keys.others["favrskov-gw1"]) == ["logs.0710.national"]

    connected.deployment = before
    changes = connected.azure.up(SLUG, connected.connection)
    assert {change.action for change in changes} == {"delete"}
    assert {change.name for change in changes} == made
    assert connected.azure.there(":BlobContainer") == blobs
    assert connected.municipality[-1].event_hubs.others == {}


def test_a_municipality_is_made_changed_and_removed_and_its_evidence_stays(connected: Stacks) -> None:
    before = set(connected.azure.there())
    planned = connected.azure.engine(SLUG).preview(connected.connection)
    assert len(connected.azure.up(SLUG, connected.connection)) == len(planned)
    assert connected.azure.up(SLUG, connected.connection) == []
    assert connected.municipality[-1].hosts

    other = connected.deployment.on_azure.model_copy(update={"owner": "somebody-else@example.org"})
    connected.deployment = connected.deployment.model_copy(update={"azure": other})
    assert {change.action for change in connected.azure.up(SLUG, connected.connection)} == {"update"}

    connected.azure.engine(SLUG).destroy(keep_protected=True)
    left = [resource for resource in connected.azure.cloud.all() if resource["name"] not in before]
    kinds = {resource["token"].rpartition(":")[2] for resource in left}
    assert {"StorageAccount", "BlobContainer", "BlobContainerImmutabilityPolicy", "ResourceGroup"} <= kinds
    assert not kinds & {"Namespace", "EventHub", "EventHubAuthorizationRule"}
