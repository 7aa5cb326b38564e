"""The Debian package of what a relay's rsyslog loads: same bytes for same files, and where rsyslog looks for them."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from support.loading import loaded

from vaern.runtime import programs

ROOT = Path(__file__).resolve().parents[3]
MODULES = ("vaern.so", "lmnsd_vaernptcp.so", "lmnsd_vaernossl.so")


@pytest.fixture(scope="module")
def builder() -> ModuleType:
    return loaded("build_reader", ROOT / programs.READER_BUILDER)


@pytest.fixture
def linked(tmp_path: Path) -> Path:
    folder = tmp_path / "linked"
    folder.mkdir()
    for name in (*MODULES, "vaern-unread"):
        (folder / name).write_text(f"{name}, linked\n", encoding="utf-8")
    return folder


def contents(package: Path) -> dict[str, str]:
    """Path to mode and owner."""
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    rows = (line.split() for line in listed.splitlines())
    return {path.removeprefix("./"): f"{mode} {owner}" for mode, owner, *_, path in rows if not path.endswith("/")}


def field(package: Path, name: str) -> str:
    asked = ["dpkg-deb", "--field", str(package), name]
    return subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip()


def test_the_same_files_give_the_same_bytes(builder: ModuleType, linked: Path, tmp_path: Path) -> None:
    made = [builder.build(ROOT, tmp_path / name, "deb13", "8.2504.0", linked) for name in ("here", "there")]
    assert made[0].name == made[1].name
    assert made[0].read_bytes() == made[1].read_bytes()


def test_rsyslog_finds_the_modules_and_no_version_of_it_is_held_back(
    builder: ModuleType, linked: Path, tmp_path: Path
) -> None:
    package = builder.build(ROOT, tmp_path, "deb12", "8.2302.0", linked)
    found = contents(package)
    assert {Path(path).name for path in found if path.endswith("-linux-gnu/rsyslog/" + Path(path).name)} == set(MODULES)
    shipped = {path.name for path in (ROOT / programs.READER_SOURCE / "parsers").glob("*.yml")}
    assert len(shipped) > 20
    assert {Path(path).name for path in found if path.startswith("usr/share/vaern/parsers/")} == shipped
    assert found.pop("usr/lib/vaern/vaern-unread") == "-rwxr-xr-x root/root"
    assert set(found.values()) == {"-rw-r--r-- root/root"}
    subprocess.run(["dpkg-deb", "--extract", package, tmp_path / "root"], check=True)
    assert (tmp_path / "root/usr/share/vaern/reader/rsyslog").read_text() == "8.2302.0\n"
    assert field(package, "Depends") == "rsyslog"
    assert field(package, "Version") == f"{programs.version(ROOT, programs.READER_SOURCE)}~deb12.8.2302.0"


def test_one_for_another_rsyslog_takes_the_place_of_the_one_before(
    builder: ModuleType, linked: Path, tmp_path: Path
) -> None:
    builder.build(ROOT, tmp_path / "built", "deb13", "8.2504.0", linked)
    other_release = builder.build(ROOT, tmp_path / "built", "deb12", "8.2302.0", linked)
    newer = builder.build(ROOT, tmp_path / "built", "deb13", "8.2506.0", linked)
    assert {path.name for path in (tmp_path / "built").iterdir()} == {other_release.name, newer.name}
