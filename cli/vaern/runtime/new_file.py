"""Files and folders that are added and never take the place of another, whoever else adds one at the same time."""

from __future__ import annotations

import errno
import itertools
from collections.abc import Iterator
from pathlib import Path

TAKEN = {errno.EEXIST, errno.ENOTEMPTY}


def write_new(path: Path, text: str) -> Path:
    """Write a text to `path`, or to `NAME-2`, `NAME-3` and so on when that is taken. Returns where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    for free in _names(path):
        try:
            with free.open("x", encoding="utf-8") as handle:
                handle.write(text)
        except FileExistsError:
            continue
        return free
    raise AssertionError("names never run out")


def add_folder(finished: Path, place: Path) -> Path:
    """Move a finished folder to `place`, or to `NAME-2` and so on when that is taken. Returns where it is.

    A folder with the same files as one that is there already is removed: nothing new is in it.
    """
    for free in _names(place):
        try:
            finished.rename(free)
        except OSError as error:
            if error.errno not in TAKEN:
                raise
            if _content(finished) == _content(free):
                for path in finished.iterdir():
                    path.unlink()
                finished.rmdir()
                return free
            continue
        return free
    raise AssertionError("names never run out")


def _names(path: Path) -> Iterator[Path]:
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
