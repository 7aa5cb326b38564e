"""`vaern preview --all` as an operator runs it: every stack, nothing left behind, and a fault told once."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.azure.cloud import Azure

from vaern.errors import ExitCode

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
OTHER = {
    '"0710"': '"0741"',
    "Favrskov": "Samsø",
    "population: 49000": "population: 3700",
    "size: medium": "size: small",
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "project"
    for slug, name in (("shared", "collector.yml"), ("favrskov", "municipality.yml"), ("samsoe", "municipality.yml")):
        folder = root / "inventories" / slug
        folder.mkdir(parents=True)
        shutil.copy(EXAMPLES / name, folder)
    second = root / "inventories" / "samsoe" / "municipality.yml"
    text = second.read_text(encoding="utf-8")
    for found, instead in OTHER.items():
        text = text.replace(found, instead)
    second.write_text(text, encoding="utf-8")
    (root / "roles").symlink_to(ROOT / "roles")
    shutil.copy(ROOT / "pyproject.toml", root)
    return root


def preview(azure: Azure, project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "VAERN_PROJECT": str(project), "VAERN_TOOLS": str(azure.tools)}
    command = [sys.executable, "-m", "vaern", "preview", "--all", "--jobs", "2", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_every_stack_is_shown_and_none_is_noted(azure: Azure, project: Path) -> None:
    done = preview(azure, project, "--json", "--exit-code")
    assert done.returncode == ExitCode.FINDINGS, done.stderr
    planned = json.loads(done.stdout)
    assert list(planned) == ["shared", "favrskov", "samsoe"]
    assert {change["action"] for changes in planned.values() for change in changes} == {"create"}
    assert [change for change in planned["favrskov"] if change["type"] == "Namespace"]
    assert "3 of 3" in done.stderr
    assert azure.there() == []
    noted = project / ".vaern" / "pulumi" / "backend" / ".pulumi" / "stacks" / "vaern"
    assert not list(noted.glob("*.json"))


def test_without_a_login_it_says_how_and_shows_no_traceback(azure: Azure, project: Path) -> None:
    azure.expect({"name": "provider", "on": "configure", "answer": "no_credentials"})
    done = preview(azure, project)
    assert done.returncode == ExitCode.PROVISION
    assert "fix: log in: `az login --tenant`" in done.stderr
    assert "(and 2 more: favrskov, samsoe)" in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
