"""Programs that roles put on hosts are imported from the roles' files as the hosts import them: beside each other."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROLES = Path(__file__).resolve().parents[1] / "roles"


@contextmanager
def on_path(*roles: str) -> Iterator[None]:
    """The files of these roles can be imported for the length of the block."""
    folders = [str(ROLES / role / "files") for role in roles]
    sys.path[:0] = folders
    try:
        yield
    finally:
        for folder in folders:
            sys.path.remove(folder)
