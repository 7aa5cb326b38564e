"""The table of packages in docs/architecture.md: each package stands in it once, with what the contracts allow it."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SOURCES = ("cli", "stacks", "roles/programs/package")
ROW = re.compile(r"^\| `([\w.]+)` \| ([^|]+?) \| ([^|]+?) \| ([^|]+?) \|$", re.MULTILINE)
SECTION = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## Packages")[2].partition("\n## ")[0]
ROWS = ROW.findall(SECTION)
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
LAYERS, OVER_STACKS, *_ = CONTRACTS


def packages() -> set[str]:
    """Every package and module directly in `vaern`, and every package of the others down to the second level."""
    found = set()
    for source in SOURCES:
        for init in (ROOT / source).glob("*/**/__init__.py"):
            parts = init.parent.relative_to(ROOT / source).parts
            if len(parts) == 2 or (len(parts) == 1 and parts[0] != "vaern"):
                found.add(".".join(parts))
    modules = (ROOT / "cli/vaern").glob("*.py")
    return found | {f"vaern.{module.stem}" for module in modules if module.stem != "__init__"}


def layers() -> list[set[str]]:
    """The layers of `vaern` from top to bottom, with the stacks where their contract has them."""
    order = [{part.strip() for part in layer.split("|")} for layer in LAYERS["layers"]]
    below = {part.strip().removeprefix("vaern.") for part in OVER_STACKS["layers"][2].split(":")}
    at = next(place for place, layer in enumerate(order) if layer <= below)
    assert OVER_STACKS["layers"][1] == "vaern_stacks"
    return [*order[:at], {"vaern_stacks"}, *order[at:]]


def may_import(name: str) -> str:
    """What the contracts allow, in the words of the table."""
    order = layers()
    own = "vaern_stacks" if name.startswith("vaern_stacks") else name.removeprefix("vaern.")
    at = next(place for place, layer in enumerate(order) if own in layer)
    if at == len(order) - 1:
        return "nothing"
    following = order[at + 1]
    return f"`{next(iter(following))}` and below" if len(following) == 1 else "stages and below"


def programs_may_import(name: str) -> str:
    """The same for a package of the programs that hosts run: the layers below it, but for what is forbidden to it."""
    (layered,) = (one for one in CONTRACTS if one.get("containers") == ["vaern_programs"])
    order = [[part.strip() for part in layer.split("|")] for layer in layered["layers"]]
    at = next(place for place, layer in enumerate(order) if name.rpartition(".")[2] in layer)
    forbidden = {
        part
        for one in CONTRACTS
        if one["type"] == "forbidden" and name in one["source_modules"]
        for part in one["forbidden_modules"]
    }
    below = [f"vaern_programs.{part}" for layer in order[at + 1 :] for part in layer]
    allowed = [part for part in below if part not in forbidden]
    if not allowed:
        return "nothing"
    return f"`{allowed[0]}`" + (" and below" if len(allowed) > 1 else "")


def test_every_package_stands_in_the_table_once() -> None:
    named = [row[0] for row in ROWS]
    assert sorted(named) == sorted(packages())


def test_the_table_allows_what_the_contracts_allow() -> None:
    written = {row[0]: row[2] for row in ROWS if row[0] != "vaern_programs"}
    assert written == {
        name: programs_may_import(name) if name.startswith("vaern_programs.") else may_import(name) for name in written
    }


def test_every_package_has_tests_that_exist() -> None:
    for name, _, _, tests in ROWS:
        folders = re.findall(r"`(tests/[\w/.]+)`", tests)
        assert folders, name
        for folder in folders:
            assert (ROOT / folder).exists(), (name, folder)


def test_the_top_level_holds_the_rooms_and_nothing_that_was_left_there() -> None:
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    top = {path.partition("/")[0] for path in tracked.splitlines()}
    rooms = {"cli", "docs", "inventories", "roles", "stacks", "tests"}
    assert {name for name in top if name[0] != "."} == rooms | {"LICENSE", "Makefile", "README.md", "pyproject.toml"}
