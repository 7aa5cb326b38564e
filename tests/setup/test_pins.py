"""What set-up installs: pinned, with checksums, and enough for the roles."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from vaern.runtime.paths import Project

pytestmark = pytest.mark.setup
ROOT = Path(__file__).resolve().parents[2]
SETUP = ROOT / "stacks" / "setup"


LOCKS = ("requirements.lock", "checkov.lock", "judges.lock", "sslyze.lock")


def locked(file: str = "requirements.lock") -> dict[str, str]:
    text = (SETUP / file).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", text, re.MULTILINE))


def wanted() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = (
        project["build-system"]["requires"] + project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    )
    return [Requirement(name) for name in names]


def test_the_lock_file_holds_all_the_project_asks_for() -> None:
    versions = locked()
    for requirement in wanted():
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert name in versions, f"{name} is not locked: run `make lock`"
        assert requirement.specifier.contains(versions[name]), f"{name}: run `make lock`"


@pytest.mark.parametrize("file", LOCKS)
def test_every_locked_package_has_checksums_and_no_address(file: str) -> None:
    text = (SETUP / file).read_text(encoding="utf-8")
    assert len(locked(file)) == len(re.findall(r"^\S+==[^\n]+\\\n +--hash=sha256:[0-9a-f]{64}", text, re.MULTILINE))
    assert "://" not in text


def test_checkov_is_locked_at_the_version_the_lock_script_asks_for() -> None:
    asked = re.search(r"'checkov==(\S+)'", (SETUP / "pin").read_text(encoding="utf-8"))
    assert asked
    assert locked("checkov.lock")["checkov"] == asked[1]


def test_judges_are_locked_at_the_versions_the_lock_script_asks_for() -> None:
    (asked,) = re.findall(r"^judges=\((.*)\)$", (SETUP / "pin").read_text(encoding="utf-8"), re.MULTILINE)
    wanted = dict(word.strip("'").split("==") for word in asked.split())
    assert len(wanted) == 6
    assert locked("sslyze.lock") == {"sslyze": wanted.pop("sslyze")}
    assert {name: locked("judges.lock")[name] for name in wanted} == wanted


def test_engine_and_sdk_are_the_same_version() -> None:
    engine = (SETUP / "steps" / "engine.sh").read_text(encoding="utf-8")
    modules = (ROOT / "stacks" / "engine" / "go.mod").read_text(encoding="utf-8")
    version = locked()["pulumi"]
    assert f"engine_version={version}\n" in engine
    assert f"github.com/pulumi/pulumi/pkg/v3 v{version}" in modules


def test_the_spare_toolchain_is_the_one_with_checksums() -> None:
    engine = (SETUP / "steps" / "engine.sh").read_text(encoding="utf-8")
    version = re.search(r"^toolchain_version=(\S+)$", engine, re.MULTILINE)
    assert version
    sums = (ROOT / "stacks" / "engine" / "toolchain.sum").read_text(encoding="utf-8")
    for machine in ("amd64", "arm64"):
        assert f"golang.org/toolchain v0.0.1-go{version[1]}.linux-{machine} h1:" in sums


def test_every_package_of_npm_has_a_checksum_and_no_address() -> None:
    folder = SETUP / "azurite"
    lock = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))
    wanted = json.loads((folder / "package.json").read_text(encoding="utf-8"))
    packages = lock["packages"]
    assert packages.pop("")["dependencies"] == wanted["dependencies"]
    assert packages["node_modules/azurite"]["version"] == wanted["dependencies"]["azurite"]
    assert [name for name, one in packages.items() if not str(one.get("integrity")).startswith("sha512-")] == []
    assert [name for name, one in packages.items() if "resolved" in one] == []


def package_lists(node: object, *, inside: bool = False) -> set[str]:
    """Names below every key that ends in `_packages`, and in `name` of an apt task."""
    names: set[str] = set()
    if isinstance(node, dict):
        for key, value in node.items():
            here = str(key).endswith("_packages")
            if key == "ansible.builtin.apt" and isinstance(value, dict):
                names |= package_lists(value.get("name", []), inside=True)
            names |= package_lists(value, inside=here)
    elif isinstance(node, list):
        for value in node:
            names |= package_lists(value, inside=inside)
    elif inside and isinstance(node, str) and "{{" not in node:
        names.add(node)
    return names


@pytest.mark.parametrize("role", sorted(folder.name for folder in (ROOT / "roles").iterdir() if folder.is_dir()))
def test_pool_and_base_image_hold_what_the_role_installs(role: str) -> None:
    tools = Project.find(ROOT).tools
    pool = (tools / "pool" / "Packages").read_text(encoding="utf-8")
    base = (tools / "base" / "var" / "lib" / "dpkg" / "status").read_text(encoding="utf-8")
    held = set(re.findall(r"^Package: (\S+)$", pool + base, re.MULTILINE))
    names: set[str] = set()
    for folder in ("vars", "defaults", "tasks"):
        for file in sorted((ROOT / "roles" / role / folder).glob("*.yml")):
            names |= package_lists(yaml.safe_load(file.read_text(encoding="utf-8")))
    assert names <= held, f"add to stacks/setup/pool-packages.list: {sorted(names - held)}"


def test_without_root_it_says_so() -> None:
    done = subprocess.run(
        ["setpriv", "--reuid=65534", "--clear-groups", str(SETUP / "setup")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 10
    assert "not root" in done.stderr
    assert "sudo" in done.stderr
