"""Remembers which quotas were applied to the broker's storage, so that a restart needs no Java start to read them.

The record is one line, a digest of the storage's own name and the quotas. It goes with the storage when that is lost or
restored, and fits no other.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from vaern_programs.shared.files import replace

STORAGE = Path("/var/lib/vaern-kafka/data")


class Remembered:
    """The record of one storage."""

    def __init__(self, storage: Path = STORAGE) -> None:
        """In that folder, where the broker writes its `meta.properties`."""
        self.name = storage / "meta.properties"
        self.record = storage / "vaern-quotas"

    def are(self, quotas: dict[str, float]) -> bool:
        """Whether these quotas, in bytes per second of each user, were applied last; not when it cannot be read."""
        try:
            return self.record.read_text(encoding="ascii") == self._line(quotas)
        except (OSError, ValueError):
            return False

    def remember(self, quotas: dict[str, float]) -> None:
        """These were applied. Raises OSError."""
        replace(self.record, self._line(quotas))

    def forget(self) -> None:
        """They are about to change. Raises OSError."""
        self.record.unlink(missing_ok=True)

    def _line(self, quotas: dict[str, float]) -> str:
        return digest(self.name.read_text(encoding="ascii"), quotas) + "\n"


def digest(storage: str, quotas: dict[str, float]) -> str:
    """SHA-256 in hex of a storage's `meta.properties`, but for its comments with times, and of quotas."""
    names = sorted(line for line in storage.splitlines() if not line.startswith("#"))
    return hashlib.sha256(json.dumps([names, quotas], sort_keys=True).encode()).hexdigest()
