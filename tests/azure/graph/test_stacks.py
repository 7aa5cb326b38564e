"""What the stacks declare: hubs, addresses, streams, keys, retention, who is told, and what is kept on removal."""

from __future__ import annotations

import json
from ipaddress import ip_network

import pulumi
import pytest
from support.azure.baseline import at
from support.azure.graph import (
    CONNECTION,
    HOST_KEY,
    Declared,
    Graph,
    example_deployment,
    example_municipality,
    municipality_graph,
    shared_graph,
)
from support.azure.soc_by_kafka import READER_GROUP, soc_by_kafka

from vaern.inventory import endpoint
from vaern.model.azure import AzureMunicipality, Tier
from vaern.model.outputs import HostOutput
from vaern_stacks.azure.addressing import plan
from vaern_stacks.azure.alerts import silence_window
from vaern_stacks.azure.governance import Role
from vaern_stacks.azure.shared import matching_addresses

CONSUMER_GROUP = "eventhub:ConsumerGroup"


@pytest.fixture(scope="module")
def by_kafka() -> Graph:
    """The municipality's stack where a SOC takes Kafka."""
    return municipality_graph(deployment=soc_by_kafka())


def test_hubs_stand_in_different_zones_with_declared_sizes(shared: Graph) -> None:
    machines = shared.of("compute:VirtualMachine")
    assert [one.inputs["vmName"] for one in machines] == ["hub1", "hub2"]
    assert [one.inputs["zones"] for one in machines] == [["1"], ["2"]]
    assert {one.inputs["hardwareProfile"]["vmSize"] for one in machines} == {"Standard_D4as_v5"}
    for zone, name in (("1", "hub1"), ("2", "hub2")):
        assert shared.named(f"data-{name}").inputs["zones"] == [zone]
        assert shared.named(f"address-{name}").inputs["zones"] == [zone]


def test_hubs_are_handed_on_with_the_host_key_azure_read(shared: Graph) -> None:
    assert shared.result.hosts == (
        HostOutput("hub1", "10.80.0.10", HOST_KEY),
        HostOutput("hub2", "10.80.0.11", HOST_KEY),
    )


def test_an_address_azure_chose_otherwise_stops_the_run_and_says_what_to_write() -> None:
    deployment = example_deployment()
    matching_addresses(deployment, ["203.0.113.10", "203.0.113.11"])
    with pytest.raises(pulumi.RunError, match=r"hub2 was given 20\.0\.0\.7: write it as hubs\[1\]\.address"):
        matching_addresses(deployment, ["203.0.113.10", "20.0.0.7"])


def test_subnets_lie_apart_inside_the_declared_space() -> None:
    deployment = example_deployment()
    parts = plan(deployment)
    subnets = [parts.hubs, parts.bastion, parts.endpoints]
    assert all(part.subnet_of(deployment.on_azure.address_space.ipv4) for part in subnets)
    assert not any(a.overlaps(b) for n, a in enumerate(subnets) for b in subnets[n + 1 :])
    assert parts.endpoints.num_addresses > 98 * 2 + 5
    assert parts.bastion.prefixlen <= 26
    assert parts.ipv6.subnet_of(deployment.overlay)
    assert not parts.ipv6.overlaps(ip_network("fd5a:1c3e:9b27:9999::/64"))


def test_the_network_is_dual_stack_with_inline_subnets_only(shared: Graph) -> None:
    network = shared.named("network").inputs
    assert {ip_network(prefix).version for prefix in network["addressSpace"]["addressPrefixes"]} == {4, 6}
    assert [subnet["name"] for subnet in network["subnets"]] == ["hubs", "endpoints", "AzureBastionSubnet"]
    assert shared.of("network:Subnet") == []
    assert shared.of("network:SecurityRule") == []


def test_rules_have_distinct_priorities_and_end_in_a_denial(shared: Graph) -> None:
    for group in shared.of("network:NetworkSecurityGroup"):
        for direction in ("Inbound", "Outbound"):
            own = [rule for rule in group.inputs["securityRules"] if rule["direction"] == direction]
            priorities = [rule["priority"] for rule in own]
            assert len(set(priorities)) == len(priorities)
            last = max(own, key=lambda rule: rule["priority"])
            assert (last["access"], last["destinationPortRange"]) == ("Deny", "*")


def test_computed_identifiers_wait_for_what_they_name(shared: Graph) -> None:
    assert "network" in shared.named("card-hub1").after
    assert {"network", "workspace"} <= shared.named("endpoint-vault").after
    assert "workspace" in shared.named("diagnostics-bastion").after
    assert "alert-receivers" in shared.named("alert-queue-high").after


def test_sentinel_is_a_choice(shared: Graph) -> None:
    assert len(shared.of("securityinsights:SentinelOnboardingState")) == 1
    deployment = example_deployment()
    settings = deployment.on_azure
    off = settings.model_copy(update={"logs": settings.logs.model_copy(update={"sentinel": False})})
    graph = shared_graph(deployment.model_copy(update={"azure": off}))
    assert graph.of("securityinsights:SentinelOnboardingState") == []


def test_a_municipality_has_its_own_namespace_with_its_ceiling(favrskov: Graph) -> None:
    (namespace,) = favrskov.of("eventhub:Namespace")
    assert namespace.inputs["maximumThroughputUnits"] == 2
    assert namespace.inputs["sku"] == {"name": "Standard", "tier": "Standard", "capacity": 1}
    assert namespace.inputs["tags"]["municipality"] == "0710"
    assert [one.inputs["eventHubName"] for one in favrskov.of("eventhub:EventHub")] == ["logs.0710"]


def test_nobody_reads_the_event_hub_of_blocks_but_capture_and_the_operators(favrskov: Graph) -> None:
    assert favrskov.of("eventhub:ConsumerGroup") == []
    receivers = [one for one in favrskov.of("authorization:RoleAssignment") if is_receiver(one)]
    assert [one.inputs["principalId"] for one in receivers] == [example_deployment().on_azure.admin_group]


def test_a_soc_that_takes_kafka_has_an_event_hub_of_its_own_and_reads_no_other(by_kafka: Graph) -> None:
    hubs = {one.inputs["eventHubName"]: one for one in by_kafka.of("eventhub:EventHub")}
    assert set(hubs) == {"logs.0710", "logs.0710.national"}
    given = [one for one in by_kafka.of("authorization:RoleAssignment") if one.inputs["principalId"] == READER_GROUP]
    assert [one.inputs["scope"] for one in given] == [hubs["logs.0710.national"].id]
    assert all(is_receiver(one) for one in given)
    groups = [(one.inputs["eventHubName"], one.inputs["consumerGroupName"]) for one in by_kafka.of(CONSUMER_GROUP)]
    assert groups == [("logs.0710.national", "national")]


def test_both_event_hubs_are_captured_into_the_container_of_the_stream(by_kafka: Graph) -> None:
    """Each in a folder of its name; so the archive stays whole when a SOC takes Kafka no longer."""
    made = [one.inputs for one in by_kafka.of("eventhub:EventHub")]
    capture = [one["captureDescription"]["destination"] for one in made]
    assert {one["blobContainer"] for one in capture} == {"logs-0710"}
    assert all("{EventHub}" in one["archiveNameFormat"] for one in capture)
    assert [one["partitionCount"] for one in made] == [4, 4]
    assert len(by_kafka.of("storage:BlobContainer")) == 1


def test_a_relay_has_a_key_for_each_event_hub_that_only_sends(by_kafka: Graph) -> None:
    rules = by_kafka.of("eventhub:EventHubAuthorizationRule")
    assert [(one.inputs["eventHubName"], one.inputs["rights"]) for one in rules] == [
        ("logs.0710", ["Send"]),
        ("logs.0710.national", ["Send"]),
    ]
    sending = by_kafka.result.event_hubs
    assert sending.keys["favrskov-gw1"].event_hub == "logs.0710"
    assert sending.others["favrskov-gw1"]["logs.0710.national"].event_hub == "logs.0710.national"
    assert [key.event_hub for key in sending.every()] == ["logs.0710", "logs.0710.national"]
    assert len(by_kafka.of("keyvault:Secret")) == 2


def is_receiver(one: Declared) -> bool:
    """Whether the assignment lets somebody read events."""
    return str(one.inputs["roleDefinitionId"]).endswith(Role.EVENT_HUBS_RECEIVER.value)


def test_a_premium_namespace_is_not_inflated() -> None:
    deployment = example_deployment()
    settings = deployment.on_azure
    premium = settings.event_hubs.model_copy(update={"tier": Tier.PREMIUM, "throughput": 2})
    declared = deployment.model_copy(update={"azure": settings.model_copy(update={"event_hubs": premium})})
    (namespace,) = municipality_graph(deployment=declared).of("eventhub:Namespace")
    assert namespace.inputs["sku"] == {"name": "Premium", "tier": "Premium", "capacity": 2}
    assert namespace.inputs["isAutoInflateEnabled"] is False
    assert "maximumThroughputUnits" not in namespace.inputs


def test_a_relay_gets_a_key_that_goes_to_the_vault_as_a_secret(favrskov: Graph) -> None:
    (rule,) = favrskov.of("eventhub:EventHubAuthorizationRule")
    assert rule.inputs["authorizationRuleName"] == "favrskov-gw1"
    (secret,) = favrskov.of("keyvault:Secret")
    assert "SharedAccessKey=" in json.dumps(secret.inputs["properties"]["value"])
    assert secret.secret_inputs, "the value is a secret to the engine"


def test_capture_writes_only_into_the_own_write_once_container(favrskov: Graph) -> None:
    (hub,) = favrskov.of("eventhub:EventHub")
    destination = hub.inputs["captureDescription"]["destination"]
    assert destination["blobContainer"] == "logs-0710"
    grant = favrskov.named("grant-capture-logs")
    assert grant.inputs["scope"] == favrskov.named("container-logs-0710").id
    assert "grant-capture-logs" in hub.after
    policy = favrskov.named("container-logs-0710-write-once")
    assert policy.inputs["immutabilityPeriodSinceCreationInDays"] == 400


def test_removal_happens_after_the_policy_lets_go(favrskov: Graph) -> None:
    lifecycle = favrskov.named("archive-favrskov-lifecycle").inputs["policy"]["rules"][0]
    assert lifecycle["definition"]["actions"]["baseBlob"]["delete"]["daysAfterCreationGreaterThan"] == 401
    assert lifecycle["definition"]["filters"]["prefixMatch"] == ["logs-0710/"]


def test_the_longest_retention_of_a_source_decides() -> None:
    declared = example_municipality()
    sources = (declared.log_sources[0].model_copy(update={"retention_days": 800}), *declared.log_sources[1:])
    graph = municipality_graph(declared.model_copy(update={"log_sources": sources}))
    (policy,) = graph.of("storage:BlobContainerImmutabilityPolicy")
    assert policy.inputs["immutabilityPeriodSinceCreationInDays"] == 800


def test_each_stream_has_its_own_hub_container_and_key() -> None:
    declared = example_municipality()
    own = declared.on_azure.model_copy(update={"streams": ("logs", "health")})
    graph = municipality_graph(declared.model_copy(update={"azure": own}))
    assert [one.inputs["eventHubName"] for one in graph.of("eventhub:EventHub")] == ["health.0710", "logs.0710"]
    assert len(graph.of("storage:BlobContainer")) == 2
    assert len(graph.of("eventhub:EventHubAuthorizationRule")) == 2


def test_readers_see_their_own_archive_and_nothing_else(favrskov: Graph) -> None:
    reader = example_municipality().on_azure.reader_group
    scopes = [
        one.inputs["scope"]
        for one in favrskov.of("authorization:RoleAssignment")
        if one.inputs["principalId"] == reader
    ]
    assert scopes == [favrskov.named("container-logs-0710").id]


def test_operators_read_the_archive_and_the_stream_and_change_neither(favrskov: Graph) -> None:
    """The proof of onboarding looks into the archive with the operator's own login."""
    operators = example_deployment().on_azure.admin_group
    given = {
        one.name: one.inputs["roleDefinitionId"].rpartition("/")[2]
        for one in favrskov.of("authorization:RoleAssignment")
        if one.inputs["principalId"] == operators
    }
    assert given == {
        "grant-operators-logs-0710": Role.BLOB_READER.value,
        "grant-receivers": Role.EVENT_HUBS_RECEIVER.value,
    }


def test_only_what_is_not_evidence_can_be_removed(favrskov: Graph) -> None:
    """The engine keeps what protected resources depend on: nothing that costs by the hour may be among it."""
    removable = {one.name for one in favrskov.resources if not one.protect}
    kept = [one for one in favrskov.resources if one.protect]
    assert {"namespace", "stream-logs", "endpoint-favrskov-namespace", "group-favrskov"} <= removable
    assert {name for one in kept for name in one.after} & removable == set()


def test_no_municipality_refers_to_another(favrskov: Graph) -> None:
    """Isolation: a resource, a name or an identifier of another municipality is in no input of this one."""
    declared = example_municipality()
    other = declared.model_copy(
        update={
            "code": "0751",
            "name": "Aarhus",
            "azure": AzureMunicipality(reader_group="00000000-0000-4000-8000-000000000751"),
        }
    )
    aarhus = municipality_graph(other, slug="aarhus")
    for graph, theirs, marks in (
        (favrskov, aarhus, ("aarhus", "0751")),
        (aarhus, favrskov, ("favrskov", "Favrskov", "0710")),
    ):
        text = json.dumps([one.inputs for one in graph.resources])
        assert [mark for mark in marks if mark in text] == []
        assert [one.id for one in theirs.resources if one.id in text] == []


def test_without_a_budget_there_is_none() -> None:
    declared = example_municipality()
    own = declared.on_azure.model_copy(update={"budget": None})
    assert municipality_graph(declared.model_copy(update={"azure": own})).of("consumption:Budget") == []


def test_a_budget_warns_before_at_and_ahead(favrskov: Graph) -> None:
    (budget,) = favrskov.of("consumption:Budget")
    assert budget.inputs["timePeriod"] == {"startDate": "2026-12-01T00:00:00Z"}
    told = budget.inputs["notifications"].values()
    assert sorted((one["thresholdType"], one["threshold"]) for one in told) == [
        ("Actual", 80.0),
        ("Actual", 100.0),
        ("Forecasted", 100.0),
    ]
    assert at(budget.inputs, "scope") == [favrskov.named("group-favrskov").id]


@pytest.mark.parametrize(("declared", "window"), [(1, 5), (15, 15), (16, 30), (61, 360), (10080, 1440)])
def test_silence_is_rounded_up_to_a_window_azure_knows(declared: int, window: int) -> None:
    municipality = example_municipality()
    sources = tuple(one.model_copy(update={"silent_after_minutes": declared}) for one in municipality.log_sources)
    assert silence_window(municipality.model_copy(update={"log_sources": sources})) == window


def test_gateways_are_reached_in_the_overlay_and_others_on_their_lan(favrskov: Graph) -> None:
    assert [host.address for host in favrskov.result.hosts] == ["fd5a:1c3e:9b27:710::1", "198.51.100.11"]


def test_relays_are_handed_on_with_their_endpoint_and_where_their_keys_are(favrskov: Graph) -> None:
    sending = favrskov.result.event_hubs
    assert sending.endpoint == endpoint(example_deployment(), "favrskov")
    (rule,) = favrskov.of("eventhub:EventHubAuthorizationRule")
    key = sending.keys["favrskov-gw1"]
    names = ("resourceGroupName", "namespaceName", "eventHubName", "authorizationRuleName")
    assert [rule.inputs[name] for name in names] == [key.group, key.namespace, key.event_hub, key.rule]
    assert CONNECTION not in str(sending)
