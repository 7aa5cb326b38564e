"""checkov on the templates of both stacks: what it fails is mended, or meant with a reason."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.azure.checkov import Allowed, Finding, exceptions, not_needed, scan, without_reason
from support.azure.graph import example_deployment, example_municipality

from vaern.runtime.paths import Project
from vaern_stacks.azure.export import municipality_template, shared_template

pytestmark = pytest.mark.audit
CHECKOV = Project.find(Path(__file__).parents[2]).tools / "checkov" / "bin" / "checkov"
if not CHECKOV.exists():
    pytest.skip(f"no {CHECKOV}: run `stacks/setup/setup --also checkov`", allow_module_level=True)


@pytest.fixture(scope="module")
def templates() -> dict[str, dict[str, Any]]:
    deployment = example_deployment()
    return {
        "shared.json": shared_template(deployment),
        "favrskov.json": municipality_template(deployment, example_municipality(), "favrskov"),
    }


def written(folder: Path, templates: dict[str, dict[str, Any]]) -> list[Path]:
    for name, whole in templates.items():
        (folder / name).write_text(json.dumps(whole, indent=2), encoding="utf-8")
    return [folder / name for name in templates]


@pytest.fixture(scope="module")
def scanned(
    templates: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[list[Finding], dict[str, Any]]:
    return scan(CHECKOV, written(tmp_path_factory.mktemp("templates"), templates))


def test_checkov_has_read_both_templates_to_their_last_resource(
    scanned: tuple[list[Finding], dict[str, Any]], templates: dict[str, dict[str, Any]]
) -> None:
    _, summary = scanned
    inside = [one["properties"]["template"]["resources"] for whole in templates.values() for one in whole["resources"]
              if one["type"].endswith("/deployments")]  # fmt: skip
    assert summary["parsing_errors"] == 0
    assert summary["resource_count"] >= sum(map(len, inside))
    assert summary["passed"] > 40


def test_no_check_fails_without_a_written_reason(scanned: tuple[list[Finding], dict[str, Any]]) -> None:
    assert without_reason(scanned[0], exceptions()) == []


def test_every_exception_is_still_needed(scanned: tuple[list[Finding], dict[str, Any]]) -> None:
    assert not_needed(scanned[0], exceptions()) == []


def test_a_fault_deep_inside_a_template_is_found_and_has_no_reason(
    templates: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    broken = copy.deepcopy(templates)
    for deployment in broken["shared.json"]["resources"]:
        for one in deployment.get("properties", {}).get("template", {}).get("resources", []):
            if one["type"] == "Microsoft.Storage/storageAccounts":
                one["properties"]["supportsHttpsTrafficOnly"] = False
            if one["comments"] == "vault":
                one["properties"]["enablePurgeProtection"] = None
    found, _ = scan(CHECKOV, written(tmp_path, broken))
    assert {one.check for one in without_reason(found, exceptions())} >= {"CKV_AZURE_3", "CKV_AZURE_110"}


def test_an_exception_covers_its_own_check_on_its_own_resources_only() -> None:
    allowed = Allowed("CKV_1", "Microsoft.Compute/disks.disk-*-data", "meant")
    covered = Finding("CKV_1", "Microsoft.Compute/disks.disk-hub1-data")
    others = [Finding("CKV_2", covered.resource), Finding("CKV_1", "Microsoft.Compute/disks.disk-hub1-os")]
    assert without_reason([covered, *others], [allowed]) == others
    assert not_needed([covered], [allowed, Allowed("CKV_3", "*", "old")]) == [Allowed("CKV_3", "*", "old")]


def test_every_exception_gives_a_reason_that_says_something() -> None:
    assert [one.check for one in exceptions() if len(one.reason.split()) < 12] == []
