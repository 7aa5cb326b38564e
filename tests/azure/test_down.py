"""`vaern down` on Azure, by the real engine: refused while somebody is connected; nothing is made by it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from support.azure.graph import example_municipality
from support.azure.project import SLUG, make_azure_project
from support.azure.stacks import Stacks

from vaern import provision
from vaern.errors import ProvisionError
from vaern.runtime.paths import Project


@pytest.fixture
def project(stacks: Stacks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("VAERN_TOOLS", str(stacks.azure.tools))
    return make_azure_project(tmp_path / "project", stacks.azure.state)


def kinds(stacks: Stacks) -> Counter[str]:
    return Counter(resource["token"].rpartition(":")[2] for resource in stacks.azure.cloud.all())


def test_refused_while_connected_and_an_offboarded_archive_does_not_stand_in_the_way(
    stacks: Stacks, project: Project
) -> None:
    deployment = stacks.deployment
    provision.provision_shared(project, deployment)
    provision.provision_municipality(project, deployment, example_municipality(), SLUG)
    with pytest.raises(ProvisionError, match=f"the collectors are still used by {SLUG}") as raised:
        provision.destroy_shared(project, deployment=deployment)
    assert f"vaern offboard {SLUG}" in raised.value.fix
    assert kinds(stacks)["NatGateway"] == 1

    provision.destroy_municipality(project, SLUG, deployment=deployment)
    archives = kinds(stacks)["StorageAccount"]
    assert archives == 2
    provision.destroy_shared(project, deployment=deployment)
    left = kinds(stacks)
    assert (left["NatGateway"], left["VirtualMachine"], left["StorageAccount"]) == (0, 0, archives)
    assert provision.destroy_shared(project, deployment=deployment) == []


def test_a_stack_that_was_never_whole_is_not_completed(stacks: Stacks, project: Project) -> None:
    stacks.azure.expect({"name": "network", "answer": "fail"})
    with pytest.raises(ProvisionError):
        provision.provision_shared(project, stacks.deployment)
    stacks.azure.expect()
    before = len(stacks.azure.calls())
    provision.destroy_shared(project, deployment=stacks.deployment)
    assert "create" not in {call["operation"] for call in stacks.azure.calls()[before:]}
    assert not set(kinds(stacks)) & {"NatGateway", "VirtualMachine", "Vault", "StorageAccount"}
