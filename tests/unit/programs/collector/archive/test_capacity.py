"""What a municipality may write: its share of the archive, and never the reserve of the disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.collector.archive.capacity import GIB, MIB, Capacity, leftovers, share_of
from vaern_programs.collector.archive.partition import DiskFullError


def settings(archive: Path, reserve_mib: int = 0) -> dict[str, Any]:
    tenants = [{"code": "0710", "max_gib": 1 / 1024}, {"code": "0751", "max_gib": 2 / 1024}]
    return {"archive": {"directory": str(archive), "reserve_mib": reserve_mib}, "tenants": tenants}


def written(archive: Path, code: str, size: int) -> None:
    (archive / code / "2026-11-24").mkdir(parents=True)
    (archive / code / "2026-11-24" / "a.zst").write_bytes(b"x" * size)
    (archive / code / "deleted.jsonl").write_bytes(b"x" * MIB)


def test_one_that_has_used_its_share_writes_no_more_and_others_do(tmp_path: Path) -> None:
    written(tmp_path, "0710", MIB - 1)
    full, other = Capacity("0710"), Capacity("0751")
    for one in (full, other):
        one.measure(settings(tmp_path), 0)
        one.require(settings(tmp_path))
    full.add(1)
    assert (full.percent, other.percent) == (100, 0)
    with pytest.raises(DiskFullError, match=r"0710 has used its share of the archive, 0\.00 GiB"):
        full.require(settings(tmp_path))
    other.require(settings(tmp_path))


def test_what_is_left_of_one_that_is_gone_takes_room_from_all_in_proportion(tmp_path: Path) -> None:
    for code in ("0710", "0999"):
        written(tmp_path, code, MIB)
    (tmp_path / "no directory").touch()
    assert leftovers(settings(tmp_path)) == MIB
    assert [share_of(settings(tmp_path), code, GIB, MIB) for code in ("0710", "0751")] == [
        pytest.approx(2 / 3 * MIB),
        pytest.approx(4 / 3 * MIB),
    ]


def test_one_that_is_no_tenant_any_more_has_no_share(tmp_path: Path) -> None:
    capacity = Capacity("0999")
    capacity.measure(settings(tmp_path), 0)
    capacity.add(2**50)
    capacity.require(settings(tmp_path))
    assert capacity.percent == 0


def test_the_reserve_of_the_disk_is_left_alone(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="disk of the archive is full"):
        Capacity("0751").require(settings(tmp_path, reserve_mib=2**50))


@given(
    sizes=st.lists(st.floats(0.001, 1e4), min_size=1, max_size=98),
    disk_gib=st.integers(1, 100_000),
    left=st.integers(0, 2**45),
)
def test_shares_never_add_up_to_more_than_there_is(sizes: list[float], disk_gib: int, left: int) -> None:
    given_settings = {
        "archive": {"reserve_mib": 256},
        "tenants": [{"code": f"{number:04d}", "max_gib": size} for number, size in enumerate(sizes)],
    }
    whole = sum(share_of(given_settings, f"{number:04d}", disk_gib * GIB, left) for number in range(len(sizes)))
    assert whole <= max(0, min(sum(sizes) * GIB, disk_gib * GIB - 256 * MIB) - left) * (1 + 1e-9)
