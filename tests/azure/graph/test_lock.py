"""`vaern lock` against a double of Azure Resource Manager: what it looks at first, and what it never does."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pulumi
import pytest
from click.testing import CliRunner, Result
from pulumi_azure_native import resources, storage
from support.azure.cloud import Azure
from support.azure.graph import Graph, example_deployment, example_municipality
from support.azure.project import ROOT, SLUG, make_azure_project
from support.doubles.resource_manager import TOKEN, ManagerDouble, serving

from vaern.commands.lock import command
from vaern.errors import ProvisionError, UsageError
from vaern.runtime.paths import Project
from vaern_stacks.azure import retention
from vaern_stacks.azure.export import municipality_template
from vaern_stacks.azure.retention import Policy, RetentionLocker, lock_policies, policies
from vaern_stacks.drift import Moved

DAYS = 400


@pytest.fixture
def open_policies() -> list[Policy]:
    return policies(example_deployment(), example_municipality(), SLUG, DAYS)


@pytest.fixture
def double(open_policies: list[Policy]) -> Iterator[ManagerDouble]:
    with serving(ManagerDouble()) as double:
        for policy in open_policies:
            double.put(policy.id, policy.days)
        yield double


def manager(double: ManagerDouble) -> RetentionLocker:
    return RetentionLocker(lambda: TOKEN, double.address)


def test_it_locks_the_policies_the_stack_declares(open_policies: list[Policy], favrskov: Graph) -> None:
    (policy,) = open_policies
    whole = municipality_template(example_deployment(), example_municipality(), SLUG)
    nested = [one["properties"]["template"]["resources"] for one in whole["resources"] if "properties" in one]
    (made,) = [one for found in nested for one in found if one["type"].endswith("/immutabilityPolicies")]
    parent = policy.id.removesuffix("/immutabilityPolicies/default")
    assert made["name"].split("/")[-2] == policy.container == "logs-0710"
    assert f"{parent}" in made["dependsOn"]
    assert policy.days == made["properties"]["immutabilityPeriodSinceCreationInDays"]


def test_what_is_open_is_locked_once(double: ManagerDouble, open_policies: list[Policy]) -> None:
    assert lock_policies(manager(double), open_policies) == ["logs-0710"]
    assert double.state(open_policies[0].id) == "Locked"
    double.asked.clear()
    assert lock_policies(manager(double), open_policies) == []
    assert [method for method, _ in double.asked] == ["GET"]


def test_other_days_than_declared_are_not_locked(double: ManagerDouble, open_policies: list[Policy]) -> None:
    double.put(open_policies[0].id, DAYS - 1)
    with pytest.raises(ProvisionError, match="logs-0710 keeps for 399 days and not for the declared 400"):
        lock_policies(manager(double), open_policies)
    assert double.state(open_policies[0].id) == "Unlocked"


def test_one_wrong_container_keeps_all_of_them_open(double: ManagerDouble, open_policies: list[Policy]) -> None:
    other = Policy("health-0710", open_policies[0].id.replace("logs-0710", "health-0710"), DAYS)
    double.put(other.id, 30)
    with pytest.raises(ProvisionError, match="health-0710"):
        lock_policies(manager(double), [*open_policies, other])
    assert double.state(open_policies[0].id) == "Unlocked"


def test_what_was_changed_in_between_is_not_locked(double: ManagerDouble, open_policies: list[Policy]) -> None:
    double.changed_before_lock = True
    with pytest.raises(ProvisionError, match=r"412.*PreconditionFailed"):
        lock_policies(manager(double), open_policies)
    assert double.state(open_policies[0].id) == "Unlocked"


def test_a_longer_lock_is_left_alone(double: ManagerDouble, open_policies: list[Policy]) -> None:
    double.put(open_policies[0].id, 800, "Locked")
    assert lock_policies(manager(double), open_policies) == []


@pytest.mark.parametrize(
    ("token", "known", "told"), [("wrong", True, "401"), (TOKEN, False, "logs-0710: Azure answers 404")]
)
def test_a_refusal_says_what_azure_said(
    double: ManagerDouble, open_policies: list[Policy], token: str, known: bool, told: str
) -> None:
    if not known:
        double.policies.clear()
    with pytest.raises(ProvisionError, match=told):
        lock_policies(RetentionLocker(lambda: token, double.address), open_policies)


def lock(project: Project, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(command, arguments, obj=project, standalone_mode=False, input=typed)


@pytest.fixture
def project(azure: Azure, tmp_path: Path, double: ManagerDouble, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose Azure is the double, and whose operator is logged in."""
    monkeypatch.setattr(retention, "ENDPOINT", double.address)
    monkeypatch.setattr(retention, "login", lambda tenant: lambda: TOKEN)
    monkeypatch.setenv("VAERN_TOOLS", os.fspath(azure.tools))
    return make_azure_project(tmp_path / "project", azure.state)


def test_the_command_warns_asks_for_the_name_and_locks(
    project: Project, double: ManagerDouble, open_policies: list[Policy]
) -> None:
    for wrong in ("yes", "Favrskov", "aarhus"):
        refused = lock(project, SLUG, typed=f"{wrong}\n")
        assert isinstance(refused.exception, UsageError)
        assert "nothing was locked" in refused.exception.what
    assert isinstance(lock(project, SLUG, "--yes", "aarhus").exception, UsageError)
    assert double.asked == [], "nobody is asked before the name is right"
    done = lock(project, SLUG, typed=f"{SLUG}\n")
    assert done.return_value == 0, done.exception
    assert "NEVER" in done.stderr
    assert "400 days" in done.stderr
    assert "locked: logs-0710" in done.stdout
    assert double.state(open_policies[0].id) == "Locked"
    again = lock(project, SLUG, "--yes", SLUG, "--json")
    assert json.loads(again.stdout) == {"municipality": SLUG, "locked": []}


def test_the_lab_is_refused_with_the_reason(tmp_path: Path) -> None:
    done = lock(Project(ROOT, tmp_path), SLUG, "--yes", SLUG)
    assert isinstance(done.exception, UsageError)
    assert "root can remove" in done.exception.what


def program() -> None:
    """An account with a write-once container, as small as it goes."""
    group = resources.ResourceGroup("group", resource_group_name="rg-lock", location="westeurope")
    account = storage.StorageAccount(
        "archive", account_name="stlock", resource_group_name=group.name, kind="StorageV2",
        sku=storage.SkuArgs(name="Standard_ZRS"),
    )  # fmt: skip
    container = storage.BlobContainer(
        "container", container_name="logs", account_name=account.name, resource_group_name=group.name
    )
    storage.BlobContainerImmutabilityPolicy(
        "write-once", immutability_policy_name="default", account_name=account.name, container_name=container.name,
        resource_group_name=group.name, immutability_period_since_creation_in_days=DAYS,
        opts=pulumi.ResourceOptions(retain_on_delete=True),
    )  # fmt: skip


def test_after_a_lock_the_state_learns_of_it_and_of_nothing_else(azure: Azure) -> None:
    azure.up(SLUG, program)
    azure.cloud.change("write-once", state="Locked")
    azure.cloud.change("archive", minimumTlsVersion="TLS1_0")
    engine = azure.engine(SLUG)
    assert {one.name for one in engine.drift()} == {"archive", "write-once"}
    engine.refresh(only=f"azure-native:{retention.TOKEN}")
    assert engine.drift() == [Moved("changed", "StorageAccount", "archive", "minimumTlsVersion", "", '"TLS1_0"')]
    assert [change.name for change in azure.up(SLUG, program)] == [], "a lock is nothing to mend"
