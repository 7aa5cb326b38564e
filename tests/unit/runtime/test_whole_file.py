"""Files are whole or as before, and no draft is beside what is signed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaern.runtime.whole_file import replace_whole


def listed(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_file_and_its_folders_are_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "favrskov" / "group_vars" / "all" / "keys.yml"
    for content in (b"a", b"bb"):
        replace_whole(path, content, tmp_path)
        assert path.read_bytes() == content
    assert listed(tmp_path) == ["favrskov/group_vars/all/keys.yml"]


def test_a_write_that_fails_leaves_the_old_file_and_no_draft_in_its_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "favrskov" / "hosts.yml"
    replace_whole(path, b"old", tmp_path)
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError("no room")))
    with pytest.raises(OSError, match="no room"):
        replace_whole(path, b"new", tmp_path)
    assert listed(tmp_path / "favrskov") == ["hosts.yml"]
    assert path.read_bytes() == b"old"


def test_drafts_of_runs_that_were_killed_are_removed_and_those_of_others_stay(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    left, others = tmp_path / f".favrskov+hosts.yml.{ended.pid}", tmp_path / f".favrskov+hosts.yml.{os.getppid()}"
    for draft in (left, others):
        draft.write_bytes(b"half")
    replace_whole(tmp_path / "favrskov" / "hosts.yml", b"new", tmp_path)
    assert listed(tmp_path) == [others.name, "favrskov/hosts.yml"]
