"""The graph, without the engine: every property fits the SDK, and every resource has an id of its own in the double."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.azure.graph import Declared, municipality_graph, shared_graph
from support.doubles.azure_native import naming
from support.doubles.azure_native.checking import faults
from support.doubles.azure_native.sdk import Sdk

from vaern.cost.quantities import OWN_ALERTS, OWN_ENDPOINTS, PRIVATE_ZONES, SHARED_ENDPOINTS


@pytest.fixture(scope="module")
def graphs() -> dict[str, list[Declared]]:
    return {"shared": shared_graph().resources, "municipality": municipality_graph().resources}


def test_every_property_is_declared_by_the_sdk(graphs: dict[str, list[Declared]], declared: Path) -> None:
    sdk = Sdk(declared)
    wrong = {
        one.name: found
        for one in graphs["shared"] + graphs["municipality"]
        if (found := list(faults(one.inputs, sdk.resource(one.token)["inputs"])))
    }
    assert wrong == {}


def test_every_resource_has_an_id_of_its_own(graphs: dict[str, list[Declared]], declared: Path) -> None:
    sdk = Sdk(declared)
    ids: Counter[str] = Counter()
    for one in graphs["shared"] + graphs["municipality"]:
        shape = sdk.resource(one.token)
        inputs = {naming.own_name(one.token, shape): one.name, **one.inputs}
        ids[naming.resource_id(one.token, shape, inputs, "subscription").lower()] += 1
    assert [found for found, count in ids.items() if count > 1] == []


def test_the_cost_counts_what_the_graph_declares(graphs: dict[str, list[Declared]]) -> None:
    """`vaern cost` prices from the declaration alone; what it counts must be what would be made."""
    kinds = {part: Counter(one.token.rpartition(":")[2] for one in graph) for part, graph in graphs.items()}
    shared, own = kinds["shared"], kinds["municipality"]
    assert (shared["PrivateEndpoint"], own["PrivateEndpoint"]) == (SHARED_ENDPOINTS, OWN_ENDPOINTS)
    assert (shared["PrivateZone"], own["MetricAlert"]) == (PRIVATE_ZONES, OWN_ALERTS)
    hubs = shared["VirtualMachine"]
    assert (shared["PublicIPAddress"], shared["MetricAlert"], shared["Disk"]) == (hubs + 2, hubs, hubs)
    assert (shared["BastionHost"], shared["NatGateway"], shared["ScheduledQueryRule"], own["Namespace"]) == (1, 1, 1, 1)
