"""The baseline over both stacks, and for each of its rules a fault that it notices."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from support.azure.baseline import rules, subjects, violations
from support.azure.graph import Declared, Graph, example_deployment

VPN_PORT = example_deployment().vpn_port
RULES = {rule["id"]: rule for rule in rules()}


@pytest.fixture(scope="module")
def whole(shared: Graph, favrskov: Graph) -> Graph:
    return Graph(shared.resources + favrskov.resources)


def changed(graph: Graph, token: str, change: Callable[[dict[str, Any]], object]) -> Graph:
    """The graph with the inputs of the first resource of that type changed."""
    first = graph.of(token)[0]
    inputs = copy.deepcopy(first.inputs)
    change(inputs)
    return Graph([replace(one, inputs=inputs) if one is first else one for one in graph.resources])


def put(token: str, path: str, value: Any) -> Callable[[Graph], Graph]:
    """A mutation: another value at a path; lists are entered at their first item."""

    def change(inputs: dict[str, Any]) -> None:
        here: Any = inputs
        *way, last = path.split(".")
        for part in way:
            here = here.setdefault(part, {})
            here = here[0] if isinstance(here, list) else here
        here[last] = value

    return lambda graph: changed(graph, token, change)


def without(token: str) -> Callable[[Graph], Graph]:
    """A mutation: one resource of that type is forgotten."""

    def drop(graph: Graph) -> Graph:
        gone = graph.of(token)[0]
        return Graph([one for one in graph.resources if one is not gone])

    return drop


def opened(graph: Graph) -> Graph:
    everybody = {"name": "ssh", "direction": "Inbound", "access": "Allow", "protocol": "Tcp"}
    rule = everybody | {"sourceAddressPrefix": "*", "destinationPortRange": "22"}
    return changed(graph, "network:NetworkSecurityGroup", lambda inputs: inputs["securityRules"].append(rule))


def namespace_key(graph: Graph) -> Graph:
    key = replace(graph.of("eventhub:Namespace")[0], token="azure-native:eventhub:NamespaceAuthorizationRule")
    return Graph([*graph.resources, key])


def with_subnet(graph: Graph) -> Graph:
    subnet = replace(graph.of("network:VirtualNetwork")[0], token="azure-native:network:Subnet")
    return Graph([*graph.resources, subnet])


def unprotected(graph: Graph) -> Graph:
    account = graph.of("storage:StorageAccount")[0]
    return Graph([replace(one, protect=False) if one is account else one for one in graph.resources])


OWNER = "/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
MUTATIONS: dict[str, Callable[[Graph], Graph]] = {
    "AZ-NET-01": opened,
    "AZ-NET-02": put("network:VirtualNetwork", "subnets.networkSecurityGroup", None),
    "AZ-NET-03": put("network:VirtualNetwork", "subnets.defaultOutboundAccess", True),
    "AZ-NET-04": put("network:NetworkInterface", "enableIPForwarding", True),
    "AZ-NET-05": put("network:BastionHost", "enableShareableLink", True),
    "AZ-NET-06": with_subnet,
    "AZ-NET-07": put("network:PublicIPAddress", "publicIPAllocationMethod", "Dynamic"),
    "AZ-DATA-01": put("eventhub:Namespace", "publicNetworkAccess", "Enabled"),
    "AZ-DATA-02": put("keyvault:Vault", "properties.publicNetworkAccess", "Enabled"),
    "AZ-DATA-03": put("operationalinsights:Workspace", "publicNetworkAccessForIngestion", "Enabled"),
    "AZ-DATA-04": put("operationalinsights:Workspace", "publicNetworkAccessForQuery", None),
    "AZ-DATA-05": put("storage:StorageAccount", "allowBlobPublicAccess", True),
    "AZ-DATA-06": without("network:PrivateEndpoint"),
    "AZ-TLS-01": put("storage:StorageAccount", "minimumTlsVersion", "TLS1_0"),
    "AZ-TLS-02": put("eventhub:Namespace", "minimumTlsVersion", "1.1"),
    "AZ-TLS-03": put("storage:StorageAccount", "enableHttpsTrafficOnly", False),
    "AZ-KEY-01": put("storage:StorageAccount", "allowSharedKeyAccess", True),
    "AZ-KEY-02": put("eventhub:EventHubAuthorizationRule", "rights", ["Send", "Listen"]),
    "AZ-KEY-03": namespace_key,
    "AZ-KEY-04": put("keyvault:Vault", "properties.enableRbacAuthorization", False),
    "AZ-KEY-05": put("keyvault:Vault", "properties.enablePurgeProtection", None),
    "AZ-KEY-06": put("compute:VirtualMachine", "osProfile.linuxConfiguration.disablePasswordAuthentication", False),
    "AZ-KEY-07": put("authorization:RoleAssignment", "roleDefinitionId", OWNER),
    "AZ-VM-01": put("compute:VirtualMachine", "securityProfile.securityType", "Standard"),
    "AZ-VM-02": put("compute:VirtualMachine", "securityProfile.encryptionAtHost", False),
    "AZ-VM-03": put("compute:VirtualMachine", "identity.type", "None"),
    "AZ-VM-04": put("compute:VirtualMachine", "securityProfile.uefiSettings.secureBootEnabled", False),
    "AZ-LOG-01": without("monitor:DiagnosticSetting"),
    "AZ-LOG-02": without("network:FlowLog"),
    "AZ-LOG-03": put("operationalinsights:Workspace", "retentionInDays", 30),
    "AZ-LOG-04": put("operationalinsights:Workspace", "workspaceCapping", {"dailyQuotaGb": 1}),
    "AZ-WORM-01": without("storage:BlobContainerImmutabilityPolicy"),
    "AZ-WORM-02": put("storage:BlobContainerImmutabilityPolicy", "immutabilityPeriodSinceCreationInDays", 30),
    "AZ-WORM-03": put("eventhub:EventHub", "captureDescription.enabled", False),
    "AZ-WORM-04": without("authorization:ManagementLockByScope"),
    "AZ-WORM-05": unprotected,
    "AZ-COST-01": put("eventhub:Namespace", "maximumThroughputUnits", 100),
    "AZ-COST-02": without("consumption:Budget"),
    "AZ-GOV-01": without("authorization:PolicyAssignment"),
    "AZ-TAG-01": put("eventhub:Namespace", "tags.owner", ""),
}


def test_every_rule_has_a_mutation() -> None:
    assert list(MUTATIONS) == list(RULES)


@pytest.mark.parametrize("rule", RULES)
def test_both_stacks_keep_the_rule(whole: Graph, rule: str) -> None:
    assert violations(whole, RULES[rule], vpn_port=VPN_PORT) == []


@pytest.mark.parametrize("rule", RULES)
def test_the_rule_notices_its_own_fault(whole: Graph, rule: str) -> None:
    assert violations(MUTATIONS[rule](whole), RULES[rule], vpn_port=VPN_PORT) != []


def test_every_rule_about_resources_finds_some(whole: Graph) -> None:
    silent = [name for name, rule in RULES.items() if "types" in rule and rule["check"] != "absent"]
    assert [name for name in silent if not subjects(whole, RULES[name])] == []


def test_every_resource_is_bound_to_the_declared_subscription(whole: Graph) -> None:
    def wrong(one: Declared) -> bool:
        return "pulumi:providers:azure-native::azure::" not in one.provider

    assert [one.name for one in whole.resources if wrong(one)] == []
