"""Notes that a run has begun, so that one that is killed or interrupted does not go unseen: the next record names it.

The note is held by a lock that ends with its process, as the run lock does.
"""

from __future__ import annotations

import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from vaern.evidence.chain import evidence_folder
from vaern.evidence.record import Unfinished
from vaern.runtime.paths import RUN, Project

BEFORE = ".running-"


@contextmanager
def announced(project: Project, name: str, begun: Unfinished) -> Iterator[Callable[[], None]]:
    """Keep a note of the run. What is given takes it away, once the run has its record; else it stays."""
    folder = evidence_folder(project) / name
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, path = tempfile.mkstemp(prefix=f"{BEFORE}{RUN}-", dir=folder)
    with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        handle.write(begun.model_dump_json())
        handle.flush()
        yield Path(path).unlink


def abandoned(folder: Path) -> dict[Path, Unfinished]:
    """The notes of runs that have ended without a record, by their paths."""
    found = {}
    for path in sorted(folder.glob(f"{BEFORE}*")):
        with path.open(encoding="utf-8") as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                found[path] = Unfinished.model_validate_json(handle.read())
            except (BlockingIOError, ValidationError):
                continue
    return found
