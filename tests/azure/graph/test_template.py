"""The export as ARM template: whole, in an order Azure can keep, without secrets, and in Azure's own words."""

from __future__ import annotations

import importlib
import inspect
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.azure.graph import CONNECTION, Graph, example_deployment, example_municipality
from support.azure.project import ROOT, SLUG, make_azure_project

from vaern.commands.preview import command
from vaern.errors import UsageError
from vaern.runtime.paths import Project
from vaern_stacks.azure import armtypes
from vaern_stacks.azure.armtemplate import template
from vaern_stacks.azure.armtypes import api_version, arm_types
from vaern_stacks.azure.export import municipality_template, shared_template
from vaern_stacks.azure.recording import Declared, Secret

Json = dict[str, Any]
TYPE = re.compile(r"[Mm]icrosoft\.[A-Za-z]+(/[A-Za-z]+)+")
GROUP = "/subscriptions/s/resourceGroups/"


@pytest.fixture(scope="module")
def both() -> dict[str, Json]:
    deployment = example_deployment()
    return {
        "shared": shared_template(deployment),
        SLUG: municipality_template(deployment, example_municipality(), SLUG),
    }


def deployments(whole: Json) -> list[Json]:
    return [one for one in whole["resources"] if one["type"] == "Microsoft.Resources/deployments"]


def resources(whole: Json) -> Iterator[Json]:
    for one in whole["resources"]:
        yield from one["properties"]["template"]["resources"] if one in deployments(whole) else [one]


def test_it_holds_everything_that_is_declared(both: dict[str, Json], shared: Graph, favrskov: Graph) -> None:
    for stack, graph in (("shared", shared), (SLUG, favrskov)):
        found = sorted(one["comments"] for one in resources(both[stack]))
        assert found == sorted(one.name for one in graph.resources)


def test_every_resource_has_a_type_a_version_and_as_many_names_as_its_type(both: dict[str, Json]) -> None:
    for whole in both.values():
        for one in resources(whole):
            assert TYPE.fullmatch(one["type"]), one["type"]
            assert re.fullmatch(r"\d{4}-\d\d-\d\d(-preview)?", one["apiVersion"]), one
            assert one["name"].count("/") == one["type"].count("/") - 1, one["name"]
            assert all(one["name"].split("/"))


def test_versions_are_those_the_sdk_is_made_of() -> None:
    """The SDK also lists every version it ever knew of a type, in another place: what it says of itself is there."""
    for token in arm_types():
        module, kind = token.split(":")
        source = inspect.getsource(getattr(importlib.import_module(f"pulumi_azure_native.{module}"), kind))
        plain = api_version(token).replace("-", "")
        others = re.findall(r"/v(\d{8}(?:preview)?):", source)
        assert plain in others or not others, token


def test_a_deployment_waits_for_earlier_ones_and_a_resource_for_its_own(both: dict[str, Json]) -> None:
    for whole in both.values():
        known = {f"/resourceGroups/{one['name']}" for one in whole["resources"] if one not in deployments(whole)}
        for one in deployments(whole):
            ends = {awaited.partition("/resourceGroups/")[2] for awaited in one["dependsOn"]}
            assert {f"/resourceGroups/{end}" for end in ends} <= known, one["name"]
            known.add(f"/resourceGroups/{one['resourceGroup']}/providers/Microsoft.Resources/deployments/{one['name']}")
            inside = {_end(each) for each in one["properties"]["template"]["resources"]}
            for each in one["properties"]["template"]["resources"]:
                assert {
                    awaited for awaited in each.get("dependsOn", ()) if not awaited.endswith(tuple(inside))
                } == set()


def _end(one: Json) -> str:
    provider, *kinds = one["type"].split("/")
    pairs = zip(kinds, one["name"].split("/"), strict=True)
    return "/".join(["/providers", provider, *(part for pair in pairs for part in pair)])


def test_capture_is_granted_before_it_starts_though_it_is_another_groups(both: dict[str, Json]) -> None:
    order = [one["comments"] for one in resources(both[SLUG])]
    assert order.index("namespace") < order.index("grant-capture-logs") < order.index("stream-logs")


def test_a_secret_is_a_parameter_and_its_value_is_nowhere(both: dict[str, Json]) -> None:
    text = json.dumps(both)
    assert CONNECTION not in text
    assert "SharedAccessKey=" not in text
    (secret,) = [one for one in resources(both[SLUG]) if one["type"] == "Microsoft.KeyVault/vaults/secrets"]
    name = re.fullmatch(r"\[parameters\('(.+)'\)\]", secret["properties"]["value"])
    assert name
    assert secret["properties"]["contentType"] == "connection string"
    assert both[SLUG]["parameters"][name[1]]["type"] == "securestring"
    (holder,) = [one for one in deployments(both[SLUG]) if name[1] in one["properties"]["parameters"]]
    assert holder["properties"]["template"]["parameters"] == both[SLUG]["parameters"]
    assert both["shared"]["parameters"] == {}


def test_what_belongs_to_a_resource_names_it_and_what_belongs_to_the_group_does_not(both: dict[str, Json]) -> None:
    found = {one["comments"]: one.get("scope", "") for one in resources(both[SLUG])}
    assert found["lock-favrskov"] == found["budget"] == found["benchmark-favrskov"] == ""
    assert re.fullmatch(r"Microsoft.EventHub/namespaces/evh[a-z0-9-]+", found["diagnostics-namespace"])
    assert found["grant-readers-logs-0710"].endswith("/blobServices/default/containers/logs-0710")
    shared = {one["comments"]: one.get("scope", "") for one in resources(both["shared"])}
    assert shared["sentinel"] == "Microsoft.OperationalInsights/workspaces/log"


def test_what_only_azure_knows_is_looked_up_by_it(both: dict[str, Json]) -> None:
    grant = next(one for one in resources(both[SLUG]) if one["comments"] == "grant-capture-logs")
    assert re.fullmatch(r"\[reference\('/subscriptions/.+', '.+', 'Full'\)\.identity\.principalId\]",
                        grant["properties"]["principalId"])  # fmt: skip


def test_bodies_have_azures_form(both: dict[str, Json]) -> None:
    made = {one["comments"]: one for one in resources(both["shared"])}
    account = made["archive-evidence"]
    assert account["sku"] == {"name": "Standard_ZRS"}
    assert account["properties"]["supportsHttpsTrafficOnly"] is True
    assert account["properties"]["networkAcls"]["defaultAction"] == "Deny"
    assert made["workspace"]["properties"]["sku"] == {"name": "PerGB2018"}
    assert made["agent-hub1"]["properties"]["type"] == "AzureMonitorLinuxAgent"
    (first, *_) = made["security-hubs"]["properties"]["securityRules"]
    assert sorted(first) == ["name", "properties"]
    card = made["card-hub1"]["properties"]["ipConfigurations"][0]
    assert list(card["properties"]["subnet"]) == ["id"]
    assert made["vault"]["properties"]["enablePurgeProtection"] is True
    identities = made["flow-log"]["identity"]["userAssignedIdentities"]
    assert list(identities.values()) == [{}]


@pytest.mark.parametrize("rule", ["refer", "wrap", "rename"])
def test_every_rule_about_a_body_finds_something(rule: str, shared: Graph, favrskov: Graph) -> None:
    """A path that is never there is a slip of the pen, or was outlived by the stack."""
    graph = Graph(shared.resources + favrskov.resources)
    for token, known in arm_types().items():
        for path in getattr(known, rule):
            *way, last = [part.removesuffix("[]") for part in path.split(".")]
            assert any(_reaches(one.inputs, [*way, last]) for one in graph.of(token)), f"{token}: {path}"


def _reaches(value: Any, way: list[str]) -> bool:
    if isinstance(value, list):
        return any(_reaches(one, way) for one in value)
    return not way or (isinstance(value, dict) and way[0] in value and _reaches(value[way[0]], way[1:]))


def test_the_same_declarations_give_the_same_bytes(both: dict[str, Json]) -> None:
    assert json.dumps(shared_template(example_deployment())) == json.dumps(both["shared"])


def declared(name: str, inputs: Json, *, group: str = "a", after: frozenset[str] = frozenset()) -> Declared:
    identity = f"{GROUP}{group}/providers/Microsoft.Network/natGateways/{name}"
    given = {"natGatewayName": name, "resourceGroupName": group, **inputs}
    return Declared(name, "azure-native:network:NatGateway", name, identity, given, after)


def test_text_that_looks_like_an_expression_is_none() -> None:
    (one,) = resources(template([declared("nat", {"idleTimeoutInMinutes": "[x]"})]))
    assert one["properties"] == {"idleTimeoutInMinutes": "[[x]"}


def test_groups_that_wait_for_each_other_in_turn_get_deployments_in_turn() -> None:
    chain = [
        declared("one", {}),
        declared("two", {}, group="b", after=frozenset({"one"})),
        declared("three", {}, after=frozenset({"two", "one"})),
    ]
    made = deployments(template(chain))
    assert [one["name"] for one in made] == ["a-1", "b-2", "a-3"]
    assert [len(one["dependsOn"]) for one in made] == [0, 1, 2]


def test_two_secrets_of_one_resource_are_two_parameters() -> None:
    whole = template([declared("nat", {"tags": {"a": Secret(), "b": Secret()}})])
    assert sorted(whole["parameters"]) == ["nat-tags-a", "nat-tags-b"]


def test_a_type_nobody_described_is_named() -> None:
    with pytest.raises(LookupError, match=r"arm.yml says nothing about azure-native:web:WebApp"):
        armtypes.arm_type("azure-native:web:WebApp")


def preview(project: Project, *arguments: str) -> Result:
    return CliRunner().invoke(command, arguments, obj=project, standalone_mode=False)


def test_the_command_writes_one_stack(tmp_path: Path, both: dict[str, Json]) -> None:
    project = make_azure_project(tmp_path / "project")
    assert preview(project, "--arm", str(tmp_path / "shared.json")).return_value == 0
    assert json.loads((tmp_path / "shared.json").read_text(encoding="utf-8")) == both["shared"]
    assert json.loads(preview(project, SLUG, "--arm", "-").output) == both[SLUG]
    assert not project.state.exists(), "neither engine nor state is needed"


def test_two_stacks_are_no_file_and_the_lab_has_none(tmp_path: Path) -> None:
    done = preview(Project(ROOT, tmp_path), "--arm", str(tmp_path / "out.json"))
    assert isinstance(done.exception, UsageError)
    assert "target is lab" in done.exception.what
    assert not (tmp_path / "out.json").exists()
    done = preview(Project(ROOT, tmp_path), SLUG, "samsoe", "--arm", "x.json")
    assert isinstance(done.exception, UsageError)
    assert "--arm writes one stack" in done.exception.what
