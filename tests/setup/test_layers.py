"""The boundaries between packages hold: what is planted across one makes `make check` fail."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

pytestmark = pytest.mark.setup
ROOT = Path(__file__).resolve().parents[2]
PLANTED = {
    "a stage imports its sibling": ("declaration/template.py", "from vaern.proof import canary_events"),
    "the runtime imports a stage": ("runtime/secret_store.py", "from vaern.enrolment import signer"),
    "a module in no layer": ("stray.py", "from vaern import errors"),
    "YAML beside the fence": ("workflows/status.py", "import yaml"),
    "click below the commands": ("workflows/steps.py", "import click"),
    "a circle within a package": ("model/vocabulary.py", "from vaern.model import declaration"),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for part in ("cli", "stacks"):
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{folder / 'cli'}:{folder / 'stacks'}", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_tree_as_it_is_passes(copy: Path) -> None:
    answer = lint(copy)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.parametrize("what", PLANTED)
def test_what_crosses_a_boundary_is_found(copy: Path, what: str) -> None:
    name, line = PLANTED[what]
    module = copy / "cli" / "vaern" / name
    before = module.read_text(encoding="utf-8") if module.exists() else None
    module.write_text((before or "") + f"\n{line}\n", encoding="utf-8")
    try:
        answer = lint(copy)
    finally:
        module.unlink() if before is None else module.write_text(before, encoding="utf-8")
    assert answer.returncode == 1, answer.stdout
    assert Path(name).stem in answer.stdout.partition("Contracts:")[2]


def test_packages_meet_in_few_places() -> None:
    """Among the packages of `vaern`, at most 72 import another (206 when each stage was a module of its own)."""
    graph = grimp.build_graph("vaern")
    meetings = {
        (importer.split(".")[1], imported.split(".")[1])
        for importer in graph.modules
        for imported in graph.find_modules_directly_imported_by(importer)
        if importer.count(".") and imported.count(".") and importer.split(".")[1] != imported.split(".")[1]
    }
    assert len(meetings) <= 72
