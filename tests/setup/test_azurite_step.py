"""The step that installs Azurite says when Node is missing or too old, before it fetches anything."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.azure import azurite

pytestmark = pytest.mark.setup
SETUP = Path(__file__).resolve().parents[2] / "stacks" / "setup"


def make(folder: Path, node: str) -> tuple[int, str, bool]:
    """Run the step with that Node and an npm that only notes that it was called: code, output, whether it was."""
    programs = folder / "bin"
    programs.mkdir()
    for name in ("mkdir", "rm", "mv", "cp", "touch", "bash"):
        (programs / name).symlink_to(str(shutil.which(name)))
    npm = programs / "npm"
    npm.write_text(f"#!/bin/bash\ntouch {folder}/called\n")
    npm.chmod(0o755)
    if node:
        (programs / "node").write_text(f"#!/bin/bash\necho {node}\n")
        (programs / "node").chmod(0o755)
    words = f"set -eu; source {SETUP}/progress.sh; source {SETUP}/steps/azurite.sh; azurite_make"
    settings = {"PATH": str(programs), "setup_dir": str(SETUP), "tools": str(folder / "tools"), "logs": str(folder)}
    command = [str(shutil.which("bash")), "-c", words]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False, timeout=30)
    return done.returncode, done.stdout + done.stderr, (folder / "called").exists()


@pytest.mark.parametrize("node", ["v16.20.2", "v8.0.0", "none", ""])
def test_an_old_or_missing_node_is_named_and_nothing_is_fetched(tmp_path: Path, node: str) -> None:
    code, told, called = make(tmp_path, node)
    assert code != 0
    assert f"Azurite needs Node {azurite.OLDEST_NODE} or newer, and node on PATH is {node or 'none'}" in told
    assert "fix: apt install nodejs" in told
    assert not called


@pytest.mark.parametrize("node", ["v18.20.8", "v20.20.2", "v104.0.0"])
def test_a_node_that_will_do_fetches(tmp_path: Path, node: str) -> None:
    code, told, called = make(tmp_path, node)
    assert (code, called) == (0, True), told


def test_tests_and_set_up_agree_on_the_oldest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    step = (SETUP / "steps" / "azurite.sh").read_text(encoding="utf-8")
    assert re.findall(r"^oldest_node=(\d+)$", step, re.MULTILINE) == [str(azurite.OLDEST_NODE)]
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v16.20.2\n")
    node.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert "node on PATH is v16.20.2, and Azurite needs 18 or newer" in azurite.missing(tmp_path)
    monkeypatch.setenv("PATH", "")
    assert azurite.missing(tmp_path).startswith("no node on PATH")
