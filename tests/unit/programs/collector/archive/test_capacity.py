"""What a municipality may write: its share of the archive, and never the reserve of the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from vaern_programs.collector.archive.capacity import MIB, Capacity
from vaern_programs.collector.archive.partition import DiskFullError


def settings(archive: Path, reserve_mib: int = 0) -> dict[str, Any]:
    tenants = [{"code": "0710", "max_gib": 1 / 1024}, {"code": "0751", "max_gib": 1.0}]
    return {"archive": {"directory": str(archive), "reserve_mib": reserve_mib}, "tenants": tenants}


def test_one_that_has_used_its_share_writes_no_more_and_others_do(tmp_path: Path) -> None:
    (tmp_path / "0710" / "2026-11-24").mkdir(parents=True)
    (tmp_path / "0710" / "2026-11-24" / "a.zst").write_bytes(b"x" * MIB)
    (tmp_path / "0710" / "deleted.jsonl").write_bytes(b"x" * MIB)
    capacity, given = Capacity(), settings(tmp_path)
    capacity.measure(given)
    assert capacity.used == {"0710": MIB, "0751": 0}
    capacity.require(given, "logs.0710")
    capacity.add("logs.0710.national", 1)
    with pytest.raises(DiskFullError, match=r"logs\.0710 has used its share"):
        capacity.require(given, "logs.0710")
    capacity.require(given, "logs.0751")


def test_one_that_is_no_tenant_any_more_has_no_share(tmp_path: Path) -> None:
    capacity = Capacity()
    capacity.add("logs.0999", 2**50)
    capacity.require(settings(tmp_path), "logs.0999")


def test_the_reserve_of_the_disk_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="disk of the archive is full"):
        Capacity().require(settings(tmp_path, reserve_mib=2**50), "logs.0751")
