"""The reader's own tests, by cargo, and the format of its code."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from vaern.runtime.paths import Project

WORKSPACE = Path(__file__).resolve().parents[2] / "roles" / "programs" / "reader"


@pytest.fixture(scope="module")
def cargo() -> str:
    """The cargo that set-up took: the one on PATH, or where rustup puts it."""
    found = shutil.which("cargo", path=f"{os.environ['PATH']}:{Path.home() / '.cargo' / 'bin'}")
    assert found is not None, "set-up builds the reader with cargo, and there is none"
    return found


def run(cargo: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    target = Project.find(WORKSPACE.parents[2]).state / "reader"
    path = f"{Path(cargo).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "CARGO_TARGET_DIR": str(target), "CARGO_TERM_COLOR": "never"}
    return subprocess.run(
        [cargo, *arguments], cwd=WORKSPACE, env=environment, capture_output=True, text=True, check=False, timeout=1800
    )


def test_the_tests_of_the_crates_pass(cargo: str) -> None:
    """Among them: any bytes become an event of valid JSON, and the cost of a line is linear."""
    done = run(cargo, "test", "--locked", "--workspace", "--quiet")
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "test result: ok" in done.stdout


def test_the_code_has_one_format(cargo: str) -> None:
    """As rustfmt writes it."""
    if run(cargo, "fmt", "--version").returncode:
        pytest.skip("this cargo has no rustfmt (rustup component add rustfmt)")
    done = run(cargo, "fmt", "--all", "--check")
    assert done.returncode == 0, done.stdout


def test_nothing_is_built_among_the_roles(cargo: str) -> None:
    """A municipality approves every file below roles/; what cargo makes by hand is none of them."""
    path = f"{Path(cargo).parent}:{os.environ['PATH']}"
    environment = {name: value for name, value in os.environ.items() if name != "CARGO_TARGET_DIR"} | {"PATH": path}
    done = subprocess.run(
        [cargo, "metadata", "--format-version", "1", "--no-deps", "--offline"],
        cwd=WORKSPACE,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert not Path(json.loads(done.stdout)["target_directory"]).resolve().is_relative_to(WORKSPACE.parents[1])
