"""Small files: replaced at once, so that whoever reads finds the old content or the new one and never half of it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any


def replace(path: Path, text: str, *, durable: bool = True) -> None:
    """Write a draft beside a file and put it in its place. Raises OSError.

    With `durable` the content is on the disk before the name is, so that a power cut leaves no empty file; what can be
    made again from other files does without.
    """
    draft = path.with_suffix(".new")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)


def sync_directory(directory: Path) -> None:
    """Have the names in a directory on the disk. Raises OSError."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path, otherwise: Any) -> Any:
    """What a file of JSON holds; `otherwise` when it is not there, cannot be read or is no JSON."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return otherwise
