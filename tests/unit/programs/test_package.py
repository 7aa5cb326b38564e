"""The Debian package of the programs: the same bytes for the same source, and everything in it that hosts run."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.loading import loaded
from support.yaml_text import read_yaml

from vaern.errors import SetupError
from vaern.runtime import programs
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
ROLE = ROOT / "roles" / "programs"
PACKAGE = ROLE / "package" / "vaern_programs"
MODULES = "/usr/lib/python3/dist-packages/vaern_programs"
RELAY = {"vaern-log-shipper.service", "vaern-delivery.service"}
WATCH = "vaern-watch.service"


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return loaded("build_programs", ROOT / programs.BUILDER)


@pytest.fixture(scope="module")
def tree(builder: ModuleType) -> dict[str, Any]:
    made: dict[str, Any] = builder.tree(programs.sources(ROOT), "0.1.0+0")
    return made


def copied(folder: Path) -> Path:
    """A project with what the package is made from, written now and by somebody careful."""
    before = os.umask(0o077)
    try:
        for name, content in programs.sources(ROOT).items():
            path = folder / programs.SOURCE / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
    finally:
        os.umask(before)
    return folder


def test_the_same_source_gives_the_same_bytes(builder: ModuleType, tmp_path: Path) -> None:
    here = builder.build(ROOT, tmp_path / "here")
    before = os.umask(0o077)
    try:
        there = builder.build(copied(tmp_path / "project"), tmp_path / "there")
    finally:
        os.umask(before)
    assert here.name == there.name == programs.file_name(ROOT)
    assert here.read_bytes() == there.read_bytes()
    assert [path.name for path in (tmp_path / "here").iterdir()] == [here.name]


def test_everything_belongs_to_root_and_only_programs_can_be_run(builder: ModuleType, tmp_path: Path) -> None:
    built = builder.build(ROOT, tmp_path)
    listed = subprocess.run(["dpkg-deb", "--contents", built], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        mode, owner, *_, path = line.split()
        assert owner == "root/root", line
        can_be_run = path.startswith(("./usr/bin/", "./usr/lib/vaern/")) or path.endswith("/")
        assert mode[1:] == ("rwxr-xr-x" if can_be_run else "rw-r--r--"), line


def test_another_content_is_another_version(tmp_path: Path) -> None:
    project = copied(tmp_path)
    assert programs.version(project) == programs.version(ROOT)
    module = project / programs.SOURCE / "vaern_programs" / "relay" / "cpr.py"
    module.write_text(module.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    changed = programs.version(project)
    assert changed != programs.version(ROOT)
    module.rename(module.with_name("other.py"))
    assert programs.version(project) not in {changed, programs.version(ROOT)}
    assert re.fullmatch(r"0\.1\.0\+[0-9a-f]{12}", changed)


def test_what_was_not_built_is_told_with_the_command_that_builds_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAERN_TOOLS", str(tmp_path))
    project = Project(ROOT, tmp_path)
    with pytest.raises(SetupError, match="has not been built") as raised:
        programs.packages(project)
    assert raised.value.fix == "run `make setup`"
    folder = tmp_path / "programs"
    folder.mkdir()
    reader = f"vaern-reader_{programs.version(ROOT, programs.READER_SOURCE)}"
    names = [programs.file_name(ROOT), f"{reader}~deb12.8.2302.0_amd64.deb", f"{reader}~deb13.8.2504.0_amd64.deb"]
    for name in names:
        with pytest.raises(SetupError, match="has not been built"):
            programs.packages(project)
        (folder / name).touch()
    (folder / f"vaern-reader_0.1.0+{12 * '0'}~deb13.8.2504.0_amd64.deb").touch()
    assert programs.packages(project) == tuple(folder / name for name in names)


def executables() -> dict[str, str]:
    """Path to module, as listed."""
    rows = (line.split() for line in (ROLE / "package/debian/executables").read_text(encoding="utf-8").splitlines())
    return {row[0]: row[1] for row in rows if row and not row[0].startswith("#")}


@pytest.mark.parametrize(("path", "module"), executables().items())
def test_an_executable_is_the_main_of_its_module(tree: dict[str, Any], path: str, module: str) -> None:
    assert callable(importlib.import_module(f"vaern_programs.{module}").main)
    entry = tree[path.removeprefix("/")]
    assert entry.mode == 0o755
    ast.parse(entry.content)
    assert f"from vaern_programs.{module} import main" in entry.content.decode()


def test_what_units_and_roles_run_of_the_package_is_in_it(tree: dict[str, Any]) -> None:
    """Also what `vaern` asks hosts for."""
    named = set()
    folders = (ROOT / "roles", ROOT / "cli")
    for path in (path for folder in folders for path in folder.rglob("*") if path.is_file()):
        if path.suffix != ".pyc":
            named |= set(re.findall(r"/usr/lib/vaern/[a-z-]+|/usr/bin/vaern-[a-z-]+", path.read_text(errors="replace")))
    assert len(named) > 10
    of_the_reader = {"usr/lib/vaern/vaern-unread"}
    of_the_version_before = {"usr/lib/vaern/vaern-clean", "usr/lib/vaern/before"}
    assert {name.removeprefix("/") for name in named} <= tree.keys() | of_the_reader | of_the_version_before


def test_what_an_older_configuration_runs_stays_until_there_is_another(tree: dict[str, Any], tmp_path: Path) -> None:
    """An upgrade may end between the package and the configuration; and the relay must start all the same."""
    root = tmp_path / "root"
    programs, modules = root / "usr/lib/vaern", root / "usr/lib/python3/dist-packages/vaern_programs/relay"
    for folder in (programs, modules, root / "etc/vaern/log_shipper"):
        folder.mkdir(parents=True)
    (modules.parent / "__init__.py").touch()
    (modules / "__init__.py").touch()
    (modules / "clean.py").write_text("def main(words):\n    print(*words)\n", encoding="utf-8")
    configuration = root / "etc/vaern/log_shipper/rsyslog.conf"

    def upgraded() -> None:
        """As dpkg does it: the files of the older package go between the two scripts."""
        (programs / "vaern-clean").touch()
        run("preinst", "upgrade")
        (programs / "vaern-clean").unlink()
        run("postinst", "configure")

    def run(name: str, *words: str) -> None:
        text = tree[f"DEBIAN/{name}"].content.decode()
        text = re.sub(r"(?<=[ \"])/(usr/lib|etc|run)/", rf"{root}/\1/", text)
        subprocess.run(["sh", "-c", "py3clean() { :; }; py3compile() { :; }; " + text, name, *words], check=True)

    configuration.write_text("# another\n", encoding="utf-8")
    upgraded()
    assert not (programs / "before").exists()
    assert not (programs / "vaern-clean").exists()
    configuration.write_text(f'binary="{programs}/vaern-clean mask"\n', encoding="utf-8")
    upgraded()
    (modules / "clean.py").unlink()
    done = subprocess.run(["python3", programs / "vaern-clean", "mask"], capture_output=True, text=True, check=True)
    assert done.stdout == "mask\n"


def imported(module: str, seen: set[str]) -> set[str]:
    """Files of the package that a module of it needs, by path below the package."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    if not path.exists():
        path = PACKAGE / module.replace(".", "/") / "__init__.py"
    if not path.exists() or str(path) in seen:
        return seen
    seen.add(str(path))
    for parent in path.parents:
        if parent in PACKAGE.parents:
            break
        seen.add(str(parent / "__init__.py"))
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vaern_programs"):
            name = (node.module or "").removeprefix("vaern_programs").removeprefix(".")
            for one in [name, *(f"{name}.{alias.name}" for alias in node.names)]:
                imported(one, seen)
    return seen


@pytest.mark.parametrize(
    ("unit", "executable"),
    [
        ("vaern-archiver.service", "/usr/lib/vaern/vaern-archiver"),
        ("vaern-delivery.service", "/usr/lib/vaern/vaern-delivery"),
        ("vaern-event-hubs-proxy.service", "/usr/lib/vaern/vaern-event-hubs-proxy"),
        ("vaern-alarms.service", "/usr/lib/vaern/vaern-alarms"),
        ("vaern-watch.service", "/usr/lib/vaern/vaern-watch"),
    ],
)
def test_a_daemon_is_restarted_when_anything_it_imports_has_changed(unit: str, executable: str) -> None:
    daemons = read_yaml((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["programs_daemons"]
    needed = {name.replace(str(PACKAGE), "/vaern_programs") for name in imported(executables()[executable], set())}
    assert len(needed) > 2
    assert {name for name in {*needed, executable} if not re.search(daemons[unit], name)} == set()
    assert not re.search(daemons[unit], "/vaern_programs/relay/rehearse.py")


@pytest.mark.parametrize(
    ("changed", "running", "restarted"),
    [
        ([f"{MODULES}/relay/broker.py"], RELAY, ["vaern-delivery.service"]),
        (["/usr/lib/x86_64-linux-gnu/rsyslog/vaern.so"], RELAY, ["vaern-log-shipper.service"]),
        (["/usr/share/vaern/parsers/fortigate.yml"], RELAY, ["vaern-log-shipper.service"]),
        ([f"{MODULES}/relay/rehearse.py"], RELAY, []),
        (
            [f"{MODULES}/relay/rehearse.py", f"{MODULES}/shared/times.py"],
            {"vaern-watch.service"},
            ["vaern-watch.service"],
        ),
        ([f"{MODULES}/shared/times.py"], set(), []),
    ],
)
def test_what_runs_an_older_version_is_restarted(
    changed: list[str], running: set[str], restarted: list[str], tmp_path: Path
) -> None:
    daemons = read_yaml((ROLE / "vars/main.yml").read_text(encoding="utf-8"))["programs_daemons"]
    record = tmp_path / "record"
    systemctl = tmp_path / "systemctl"
    active = "|".join(sorted(running)) or "none"
    systemctl.write_text(
        f'#!/bin/sh\ncase "$1 $3" in "is-active "*) case "$3" in {active}) exit 0;; esac; exit 3;; esac\n'
        f'echo "$2" >> {record}\n'
    )
    systemctl.chmod(0o755)
    pairs = [word for pair in daemons.items() for word in pair]
    script = (ROLE / "files" / "restart.sh").read_text(encoding="utf-8")
    done = subprocess.run(
        ["/bin/sh", "-c", script, "restart", *pairs], input="\n".join(changed), capture_output=True,
        text=True, check=True, env={"PATH": f"{tmp_path}:/usr/bin:/bin"},
    )  # fmt: skip
    assert done.stdout.split() == restarted
    assert (record.read_text().split() if record.exists() else []) == restarted
