"""What is added takes the place of nothing, however many add it at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from vaern.runtime.new_file import add_folder, write_new


def folder(path: Path, **files: str) -> Path:
    path.mkdir()
    for name, text in files.items():
        (path / name).write_text(text)
    return path


def test_a_name_that_is_taken_is_numbered(tmp_path: Path) -> None:
    wanted = tmp_path / "logs" / "ansible-favrskov.log"
    assert [write_new(wanted, text).name for text in ("a", "b", "c")] == [
        "ansible-favrskov.log",
        "ansible-favrskov-2.log",
        "ansible-favrskov-3.log",
    ]
    assert [path.read_text() for path in sorted(wanted.parent.iterdir())] == ["b", "c", "a"]


def test_of_many_at_once_each_has_its_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda number: write_new(tmp_path / "x.log", str(number)), range(40)))
    assert [path.read_text() for path in made] == [str(number) for number in range(40)]


def test_a_folder_takes_the_place_of_no_other(tmp_path: Path) -> None:
    place = tmp_path / "20261124T041000Z"
    assert add_folder(folder(tmp_path / "a", x="1"), place) == place
    second = add_folder(folder(tmp_path / "b", x="2"), place)
    assert second.name == "20261124T041000Z-2"
    assert [(one / "x").read_text() for one in (place, second)] == ["1", "2"]


def test_a_folder_with_nothing_new_is_not_added(tmp_path: Path) -> None:
    place = tmp_path / "20261124T041000Z"
    for content in "1", "2", "2", "1":
        add_folder(folder(tmp_path / "new", x=content), place)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["20261124T041000Z", "20261124T041000Z-2"]


def test_what_cannot_be_moved_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        add_folder(folder(tmp_path / "a", x="1"), tmp_path / "absent" / "b")
