"""Files of the ssh configuration: replaced as a whole, and readable by their owner only."""

from __future__ import annotations

import os
from pathlib import Path


def write_access_file(path: Path, text: str) -> Path:
    """Replace the file (0600), and return its path."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)
    return path
