"""The boundaries between packages hold: what is planted across one makes `make check` fail."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import grimp
import pytest

pytestmark = pytest.mark.setup
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("cli", "stacks", "roles/programs/package")
PROGRAMS = "roles/programs/package/vaern_programs"
PLANTED = {
    "a stage imports its sibling": ("cli/vaern/declaration/template.py", "from vaern.proof import canary_events"),
    "the runtime imports a stage": ("cli/vaern/runtime/secret_store.py", "from vaern.enrolment import signer"),
    "a module in no layer": ("cli/vaern/stray.py", "from vaern import errors"),
    "YAML beside the fence": ("cli/vaern/workflows/status.py", "import yaml"),
    "click below the commands": ("cli/vaern/workflows/steps.py", "import click"),
    "a circle within a package": ("cli/vaern/model/vocabulary.py", "from vaern.model import declaration"),
    "a stage starts a process by another module": ("cli/vaern/inventory/relays.py", "from vaern.runtime import ssh"),
    "the lab imports Azure": ("stacks/vaern_stacks/lab/plan.py", "from vaern_stacks.azure import naming"),
    "a module of the stacks in no layer": ("stacks/vaern_stacks/stray.py", "from vaern import errors"),
    "what programs share imports one of them": (
        f"{PROGRAMS}/shared/files.py",
        "from vaern_programs.relay import paths",
    ),
    "the relay imports the collector": (f"{PROGRAMS}/relay/paths.py", "from vaern_programs.collector import archive"),
    "the collector imports the relay": (
        f"{PROGRAMS}/collector/archive/find.py",
        "from vaern_programs.relay import cpr",
    ),
    "a program imports the control node": (f"{PROGRAMS}/relay/paths.py", "from vaern import errors"),
    "the verification counts with a program": (
        "cli/vaern/verify/parsing.py",
        "from vaern_programs.shared import tally",
    ),
}


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("layers")
    for part in SOURCES:
        shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=folder,
        env={
            "PATH": "/usr/bin:/bin",
            "PYTHONPATH": ":".join(str(folder / part) for part in SOURCES),
            "LC_ALL": "C.UTF-8",
        },
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
    module = copy / name
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


def test_controls_take_nothing_from_what_they_check() -> None:
    """What a control expects comes from the declaration: never from the inventory, the roles or the programs."""
    allowed = {"declaration", "errors", "model", "runtime", "verify"}
    for path in sorted((ROOT / "tests" / "compliance").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                first, _, rest = name.partition(".")
                assert first not in {"vaern_stacks", "vaern_programs"}, f"{path.name}: {name}"
                assert first != "vaern" or rest.split(".")[0] in allowed, f"{path.name}: {name}"
