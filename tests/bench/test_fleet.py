"""98 municipalities: `check` and `inventory` against `ansible-inventory --list` on the result."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from support.bench.paired import alternate, timed
from support.declarations.generated_fleet import write_fleet

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


@pytest.mark.bench
def test_fleet(tmp_path: Path) -> None:
    project = tmp_path / "project"
    count = write_fleet(ROOT, project)
    names = sorted(path.parent.name for path in project.glob("inventories/*/municipality.yml"))
    listed = [argument for name in names for argument in ("-i", f"inventories/{name}/hosts.yml")]
    environment = {**os.environ, "VAERN_PROJECT": str(project)}

    def ours() -> float:
        for generated in project.glob("inventories/*/*_vars/**/*.yml"):
            generated.unlink()
        check = timed([str(BIN / "vaern"), "check"], project, environment)
        return check + timed([str(BIN / "vaern"), "inventory"], project, environment)

    def theirs() -> float:
        return timed([str(BIN / "ansible-inventory"), "--list", *listed], project, environment)

    mine, other, ratio = alternate(ours, theirs)
    print(f"\n{count} municipalities: check + inventory {mine:.2f} s, ansible-inventory --list {other:.2f} s")
    print(f"ratio ansible-inventory / vaern: {ratio:.2f} (goal: above 1)")


@pytest.mark.bench
def test_help() -> None:
    def ours() -> float:
        return timed([str(BIN / "vaern"), "--help"], ROOT, dict(os.environ))

    def theirs() -> float:
        return timed([sys.executable, "-c", "pass"], ROOT, dict(os.environ))

    mine, other, _ = alternate(ours, theirs, rounds=9)
    print(f"\nvaern --help {mine:.3f} s, an empty Python program {other:.3f} s (goal: under 0.3 s)")
