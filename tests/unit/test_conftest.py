"""No unit test changes the state directory of the checkout that it is run in."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from vaern.runtime.paths import Project
from vaern.runtime.run_lock import exclusive

ROOT = Path(__file__).resolve().parents[2]
STATE = ROOT / ".vaern"


def lock(state: Path) -> None:
    """What each command does first."""
    with exclusive(Project(ROOT, state), "shared"):
        pass


WAYS: dict[str, Callable[[Path], object]] = {
    "a folder": lambda state: (state / "planted").mkdir(parents=True),
    "a file": lambda state: (state / "planted").write_text("x", encoding="utf-8"),
    "a file by its number": lambda state: os.open(state / "planted", os.O_CREAT),
    "a link": lambda state: (state / "planted").symlink_to(ROOT),
    "a lock": lock,
}


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
def test_a_change_in_it_fails_the_test(change: Callable[[Path], object]) -> None:
    with pytest.raises(pytest.fail.Exception, match="give it a state directory of its own"):
        change(STATE)
    assert not (STATE / "planted").exists()


@pytest.mark.parametrize("change", WAYS.values(), ids=WAYS)
def test_a_state_directory_of_its_own_may_be_changed(change: Callable[[Path], object], tmp_path: Path) -> None:
    change(tmp_path)
    assert list(tmp_path.iterdir())


def test_the_checkouts_own_may_be_read(tmp_path: Path) -> None:
    """Its tools are: the engine, the packages of hosts."""
    list(STATE.glob("*"))
    with pytest.raises(FileNotFoundError):
        (STATE / tmp_path.name).read_text(encoding="utf-8")


def test_a_folder_of_that_name_elsewhere_may_be_removed(tmp_path: Path) -> None:
    (tmp_path / "project" / ".vaern" / "pki").mkdir(parents=True)
    shutil.rmtree(tmp_path / "project")
    assert not (tmp_path / "project").exists()
