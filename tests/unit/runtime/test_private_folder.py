"""What is secret to a run is in memory, its owner's alone, and gone with the run, however it ends."""

from __future__ import annotations

import os
import stat
import subprocess

import pytest

from vaern.runtime.private_folder import private_folder, remove_abandoned


def test_only_its_owner_may_look_and_it_is_gone_afterwards() -> None:
    with private_folder() as folder:
        (folder / "variables.json").write_text("{}")
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert str(os.getpid()) in folder.name
    assert not folder.exists()


def test_it_is_gone_when_the_run_is_interrupted() -> None:
    with pytest.raises(KeyboardInterrupt), private_folder() as folder:
        raise KeyboardInterrupt
    assert not folder.exists()


@pytest.mark.parametrize("heard_of", [True, False], ids=["its parent knows", "its parent has not heard of it"])
def test_what_a_killed_run_left_is_removed_and_that_of_a_living_one_is_not(heard_of: bool) -> None:
    ended = subprocess.Popen(["true"])
    if heard_of:
        ended.wait()
    else:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
    with private_folder() as living:
        left = living.parent / f"vaern-{ended.pid}-left"
        # Whole from the beginning: another run on this machine may remove it as soon as it is there.
        (living / "made").mkdir()
        (living / "made" / "variables.json").write_text("{}")
        (living / "made").rename(left)
        remove_abandoned()
        assert not left.exists()
        assert living.exists()
    ended.wait()
