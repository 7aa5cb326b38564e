"""The graph of the shared and the municipality stacks, made, kept and removed by the real engine on the double."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

import pytest
from azure_cloud import Azure, Program
from azure_graph import example_deployment, example_municipality

from vaern.errors import ProvisionError
from vaern.model.deployment import Deployment
from vaern.model.outputs import MunicipalityOutputs, SharedOutputs
from vaern_stacks.azure.target import AzureTarget
from vaern_stacks.collector import collector_program
from vaern_stacks.municipality import municipality_program

SLUG = "favrskov"
# A program whose resources failed leaves its coroutines to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@dataclass
class Stacks:
    """The documented example, declared with the addresses the double gives."""

    azure: Azure
    deployment: Deployment = field(default_factory=example_deployment)
    shared: list[SharedOutputs] = field(default_factory=list)
    municipality: list[MunicipalityOutputs] = field(default_factory=list)

    def declare_given_addresses(self) -> None:
        given = {
            resource["name"]: resource["outputs"]["ipAddress"]
            for resource in self.azure.cloud.all()
            if resource["token"].endswith(":PublicIPAddress")
        }
        hubs = tuple(
            hub.model_copy(update={"address": IPv4Address(given[f"address-{hub.name}"])})
            for hub in self.deployment.hubs
        )
        self.deployment = self.deployment.model_copy(update={"hubs": hubs})

    @property
    def collector(self) -> Program:
        return collector_program(AzureTarget(), self.deployment, self.shared.append)

    @property
    def connection(self) -> Program:
        declared = example_municipality()
        return municipality_program(AzureTarget(), self.deployment, declared, SLUG, self.municipality.append)

    def make(self) -> None:
        """As an operator does: the first run tells the addresses Azure gave, the next one finishes."""
        with pytest.raises(ProvisionError, match="was given"):
            self.azure.up("shared", self.collector)
        self.declare_given_addresses()
        self.azure.up("shared", self.collector)


@pytest.fixture
def stacks(azure: Azure) -> Stacks:
    (azure.cloud.folder / "resources").mkdir()
    return Stacks(azure)


def test_the_shared_stack_previews_is_made_and_stays_as_it_is(stacks: Stacks) -> None:
    planned = stacks.azure.engine("shared").preview(stacks.collector)
    assert {change.action for change in planned} == {"create"}
    assert stacks.azure.there() == []
    stacks.make()
    assert len(stacks.azure.there()) == len(planned)
    assert [host.name for host in stacks.shared[-1].hosts] == [hub.name for hub in stacks.deployment.hubs]
    assert stacks.azure.up("shared", stacks.collector) == []


def test_a_municipality_is_made_changed_and_removed_and_its_evidence_stays(stacks: Stacks) -> None:
    stacks.make()
    before = set(stacks.azure.there())
    stacks.azure.up(SLUG, stacks.connection)
    assert stacks.azure.up(SLUG, stacks.connection) == []
    assert stacks.municipality[-1].hosts

    shorter = stacks.deployment.azure.model_copy(update={"owner": "somebody-else@example.org"})
    stacks.deployment = stacks.deployment.model_copy(update={"azure": shorter})
    assert {change.action for change in stacks.azure.up(SLUG, stacks.connection)} == {"update"}

    stacks.azure.engine(SLUG).destroy(keep_protected=True)
    left = [resource for resource in stacks.azure.cloud.all() if resource["name"] not in before]
    kinds = {resource["token"].rpartition(":")[2] for resource in left}
    assert {"StorageAccount", "BlobContainer", "BlobContainerImmutabilityPolicy", "ResourceGroup"} <= kinds
    assert not kinds & {"Namespace", "EventHub", "EventHubAuthorizationRule"}


@pytest.mark.parametrize("answer", ["forbidden", "quota", "timeout"])
def test_a_municipality_that_failed_half_way_is_finished_by_the_next_up(stacks: Stacks, answer: str) -> None:
    stacks.make()
    stacks.azure.expect({"name": "namespace", "answer": answer, "times": 1})
    with pytest.raises(ProvisionError):
        stacks.azure.up(SLUG, stacks.connection)
    stacks.azure.up(SLUG, stacks.connection)
    assert stacks.azure.up(SLUG, stacks.connection) == []
