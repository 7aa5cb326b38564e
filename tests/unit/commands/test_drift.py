"""`vaern drift` where nothing could be compared: what it prints, its JSON and its exit code."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from vaern import provision
from vaern.commands.drift import command
from vaern.errors import ExitCode
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Stacks that are made and unchanged, and no enrolled host."""
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories")
    monkeypatch.setattr(provision, "stacks", lambda *_: ["shared", "favrskov"])
    monkeypatch.setattr(provision, "drift", lambda *_: [])
    return Project(tmp_path, tmp_path / "state")


def test_hosts_that_are_not_enrolled_are_not_known_and_the_exit_code_says_so(project: Project) -> None:
    done = CliRunner().invoke(command, ["favrskov"], obj=project, standalone_mode=False)
    assert done.exception is None
    assert done.return_value is ExitCode.FINDINGS
    assert "not known: the hosts of shared, favrskov, which are not all enrolled" in done.stdout
    assert "nothing has changed in" not in done.stdout


def test_the_json_names_what_was_not_compared(project: Project) -> None:
    done = CliRunner().invoke(command, ["favrskov", "--json"], obj=project, standalone_mode=False)
    assert done.return_value is ExitCode.FINDINGS
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "stacks": ["shared", "favrskov"],
        "moved": [],
        "not_compared": ["shared", "favrskov"],
    }
