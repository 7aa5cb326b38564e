"""How many bytes of the archive each municipality has used, and whether more may be written."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.partition import DiskFullError
from vaern_programs.collector.archive.segments import code_of

MIB = 1024 * 1024


class Capacity:
    """The bytes of each municipality by its code, counted now and then and added to in between."""

    def __init__(self) -> None:
        """Nothing is counted before `measure`."""
        self.used: dict[str, int] = {}

    def measure(self, settings: Mapping[str, Any]) -> None:
        """Count the bytes of each municipality again."""
        root = Path(settings["archive"]["directory"])
        for tenant in settings["tenants"]:
            self.used[tenant["code"]] = sum(path.stat().st_size for path in (root / tenant["code"]).glob("*/*.zst"))

    def require(self, settings: Mapping[str, Any], topic: str) -> None:
        """Raise DiskFullError when the municipality of a topic has used its share, or the disk its reserve."""
        archive, code = settings["archive"], str(code_of(topic))
        limits = {tenant["code"]: tenant["max_gib"] * 1024 * MIB for tenant in settings["tenants"]}
        if self.used.get(code, 0) > limits.get(code, float("inf")):
            raise DiskFullError(f"{topic} has used its share of the archive")
        if shutil.disk_usage(archive["directory"]).free < archive["reserve_mib"] * MIB:
            raise DiskFullError("The disk of the archive is full")

    def add(self, topic: str, size: int) -> None:
        """Count bytes that have been written of a topic."""
        code = str(code_of(topic))
        self.used[code] = self.used.get(code, 0) + size
