"""The run lock: one run at a time for each municipality. It ends with its process, so a killed run never blocks."""

from __future__ import annotations

import fcntl
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from vaern.errors import BusyError
from vaern.runtime import supervision
from vaern.runtime.paths import Project

WAIT_SECONDS = 1800
POLL_SECONDS = 0.2


@contextmanager
def exclusive(project: Project, name: str) -> Iterator[None]:
    """Hold the lock of a municipality. Raises BusyError at once when another run holds it."""
    with _opened(project, name) as handle:
        if not _taken(handle):
            raise BusyError(
                f"{name} is being worked on by {_holder(handle)}",
                fix="wait until it has ended, then run the same command again",
            )
        yield


@contextmanager
def queued(project: Project, name: str, waiting: Callable[[str], None]) -> Iterator[None]:
    """Wait for a lock and hold it. `waiting` is called once with who holds it; raises BusyError after 30 minutes."""
    with _opened(project, name) as handle:
        deadline = time.monotonic() + WAIT_SECONDS
        reported = False
        while not _taken(handle):
            if not reported:
                waiting(f"waiting for {_holder(handle)}, which works on {name}")
                reported = True
            if time.monotonic() > deadline:
                raise BusyError(
                    f"{name} has been held for 30 minutes by {_holder(handle)}",
                    fix="wait until that run has ended, or end it",
                )
            time.sleep(POLL_SECONDS)
        yield


@contextmanager
def _opened(project: Project, name: str) -> Iterator[IO[str]]:
    path: Path = project.state / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        yield handle


def _taken(handle: IO[str]) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    handle.truncate(0)
    json.dump({"pid": supervision.outermost(), "since": datetime.now(UTC).strftime("%H:%M:%SZ")}, handle)
    handle.flush()
    return True


def _holder(handle: IO[str]) -> str:
    handle.seek(0)
    try:
        reported = json.load(handle)
        return f"process {reported['pid']} since {reported['since']}"
    except (ValueError, KeyError):
        return "another run"
