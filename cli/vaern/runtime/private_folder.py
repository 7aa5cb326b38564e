"""Folders in memory for what a run must hand to a program and nobody else may read; gone with the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def private_folder() -> Iterator[Path]:
    """A folder only this user can read, in memory where there is such a place; removed with all of its content."""
    remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=f"vaern-{os.getpid()}-", dir=_top()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_abandoned() -> None:
    """Remove the folders of runs that have ended, however they ended."""
    for left in _top().glob("vaern-*-*"):
        if not _runs(left.name.split("-")[1]):
            shutil.rmtree(left, ignore_errors=True)


def _runs(pid: str) -> bool:
    """What has ended is there until its parent has heard of it (proc(5): states Z and X)."""
    try:
        stated = Path("/proc", pid, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stated.rpartition(")")[2].split()[0] not in {"Z", "X"}


def _top() -> Path:
    memory = Path("/dev/shm")  # noqa: S108 - a tmpfs on purpose, and the folders are 0700
    return memory if memory.is_dir() else Path(tempfile.gettempdir())
