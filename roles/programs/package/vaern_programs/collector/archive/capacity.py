"""How many bytes of the archive a municipality has used, and whether more may be written.

The shares of all municipalities add up to the room for the archive, so one that has used its own leaves that of the
others as it is. What is left of municipalities that are gone takes room from all, in proportion.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.partition import DiskFullError

MIB = 2**20
GIB = 2**30


class Capacity:
    """The bytes of one municipality, counted now and then and added to in between."""

    def __init__(self, code: str) -> None:
        """Nothing is counted before `measure`."""
        self.code = code
        self.used = 0
        self.share = float("inf")

    def measure(self, settings: Mapping[str, Any], leftovers: int) -> None:
        """Count again; `leftovers` are the bytes of municipalities that are gone. Raises OSError."""
        root = Path(settings["archive"]["directory"])
        self.used = size_of(root / self.code)
        self.share = share_of(settings, self.code, shutil.disk_usage(root).total, leftovers)

    def require(self, settings: Mapping[str, Any]) -> None:
        """Raise DiskFullError when the municipality has used its share, or the disk its reserve. Raises OSError."""
        archive = settings["archive"]
        if self.used >= self.share:
            raise DiskFullError(f"{self.code} has used its share of the archive, {self.share / GIB:.2f} GiB")
        if shutil.disk_usage(archive["directory"]).free < archive["reserve_mib"] * MIB:
            raise DiskFullError("The disk of the archive is full")

    def add(self, size: int) -> None:
        """Count bytes that have been written."""
        self.used += size

    @property
    def percent(self) -> int:
        """How much of the share is used; 0 for a municipality that is gone, which has none."""
        return min(100, int(self.used * 100 / self.share)) if self.share else 100


def size_of(directory: Path) -> int:
    """Bytes of the segments of one municipality; one that is deleted meanwhile counts nothing. Raises OSError."""
    total = 0
    for path in directory.glob("*/*.zst"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def leftovers(settings: Mapping[str, Any]) -> int:
    """Bytes of the municipalities in the archive that are gone. Raises OSError."""
    declared = {tenant["code"] for tenant in settings["tenants"]}
    root = Path(settings["archive"]["directory"])
    return sum(size_of(one) for one in root.iterdir() if one.is_dir() and one.name not in declared)


def share_of(settings: Mapping[str, Any], code: str, disk: int, left: int) -> float:
    """Bytes that a municipality may use; without limit for one that is gone, whose rest the broker still has.

    Args:
        settings: those of the collector.
        code: of the municipality.
        disk: size of the disk of the archive, bytes.
        left: bytes of the municipalities that are gone.
    """
    shares = {tenant["code"]: tenant["max_gib"] * GIB for tenant in settings["tenants"]}
    if code not in shares:
        return float("inf")
    declared = sum(shares.values())
    if not declared:
        return 0.0
    room = min(declared, disk - settings["archive"]["reserve_mib"] * MIB) - left
    return max(0.0, float(room * shares[code] / declared))
