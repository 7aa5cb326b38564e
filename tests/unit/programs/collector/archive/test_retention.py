"""Retention by source: where an event goes, what a kill at any moment leaves behind, and what deletion records."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import tempfile
import time
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.doubles.killed_process import KilledError, killed_at

from vaern_programs.collector.archive import find, partition, retention, segments

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
KEPT = {b"web": 90, b"door": 30}
SOURCES = ("firewall", "web", "door", "nobody")


class Programs(NamedTuple):
    segments: ModuleType
    partition: ModuleType
    retention: ModuleType
    find: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(segments, partition, retention, find)


def event(source: str, number: int) -> bytes:
    """As a relay writes it, with a device that tries to be another source."""
    text = f'x {number} "source":"door"'
    return json.dumps({"sequence": number, "source": source, "message": text}, separators=(",", ":")).encode()


def opened(programs: Programs, directory: Path, segment_bytes: int = 1 << 20) -> Any:
    return programs.partition.Partition(directory, "logs.0710", 0, segment_bytes, KEPT)


def archived(programs: Programs, directory: Path) -> dict[int, tuple[int | None, bytes]]:
    """By offset: the retention of the file it is in, and the line. Fails when an offset is there twice."""
    found: dict[int, tuple[int | None, bytes]] = {}
    for path in directory.glob("*/*.zst"):
        content = memoryview(path.read_bytes())
        whole = list(programs.segments.blocks(content))
        assert (whole[-1].end if whole else 0) == len(content), f"{path} ends within a block"
        for block in whole:
            lines = zstandard.ZstdDecompressor().decompress(content[block.data : block.end]).splitlines()
            for offset, line in zip(programs.segments.offsets(content, block), lines, strict=True):
                assert offset not in found, f"offset {offset} is archived twice"
                found[offset] = (programs.segments.segment_of(path.name).days, line)
    return found


def test_each_source_is_in_files_of_its_retention(programs: Programs, tmp_path: Path) -> None:
    partition = opened(programs, tmp_path)
    partition.expect(5)
    lines = [event(SOURCES[number % 4], number) for number in range(40)]
    partition.add(lines, time.monotonic())
    partition.close()
    names = sorted(path.name for path in tmp_path.glob("*/*"))
    start = "logs.0710-0-00000000000000000005"
    assert names == [f"{start}.jsonl.zst", f"{start}.r30.jsonl.zst", f"{start}.r90.jsonl.zst"]
    days = {b"web": 90, b"door": 30}
    for offset, (kept, line) in archived(programs, tmp_path).items():
        assert line == lines[offset - 5]
        assert kept == days.get(json.loads(line)["source"].encode())
    assert not list(tmp_path.glob(".pending*"))
    assert opened(programs, tmp_path).next == 45


def test_without_own_retentions_nothing_is_written_another_way(programs: Programs, tmp_path: Path) -> None:
    partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20)
    partition.expect(0)
    partition.add([event("web", 1), event("door", 2)], time.monotonic())
    partition.close()
    (path,) = tmp_path.glob("*/*")
    (block,) = programs.segments.blocks(memoryview(path.read_bytes()))
    assert (block.offset, block.lines, block.covered, block.data - block.start) == (
        0,
        2,
        2,
        programs.segments.LABEL.size,
    )


def test_a_changed_retention_holds_from_then_on(programs: Programs, tmp_path: Path) -> None:
    partition = opened(programs, tmp_path)
    partition.expect(0)
    partition.add([event("web", 0)], time.monotonic())
    partition.flush()
    partition.kept = {b"web": 14}
    partition.add([event("web", 1)], time.monotonic())
    partition.close()
    assert {offset: kept for offset, (kept, _) in archived(programs, tmp_path).items()} == {0: 90, 1: 14}


@settings(max_examples=15)
@given(
    st.lists(st.lists(st.sampled_from(SOURCES), min_size=1, max_size=5), min_size=1, max_size=5),
    st.lists(st.tuples(st.integers(0, 25), st.integers(0, 400)), max_size=3),
    st.sampled_from([150, 1 << 20]),
)
def test_a_kill_at_any_moment_loses_and_doubles_nothing(
    programs: Programs, batches: list[list[str]], kills: list[tuple[int, int]], segment_bytes: int
) -> None:
    """The process ends at its nth change of the disk, in the middle of a write too, and begins again; several times."""
    names = [source for batch in batches for source in batch]
    lines = [event(source, number) for number, source in enumerate(names)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for kill in [*kills, None]:
            with suppress(KilledError), killed_at(kill):
                deliver(opened(programs, directory, segment_bytes), lines, [len(batch) for batch in batches])
        found = archived(programs, directory)
        assert [found[offset][1] for offset in sorted(found)] == lines
        assert {offset: kept for offset, (kept, _) in found.items()} == {
            offset: KEPT.get(source.encode()) for offset, source in enumerate(names)
        }
        assert not list(directory.glob(".pending*.json"))


def deliver(partition: Any, lines: list[bytes], sizes: list[int]) -> None:
    """What a broker that keeps everything would do: go on where the archive ends."""
    if partition.next < 0:
        partition.expect(0)
    for size in [*sizes, len(lines)]:
        batch = lines[partition.next : partition.next + size]
        if batch:
            partition.add(batch, time.monotonic())
            partition.flush()
    partition.close()


def test_a_disk_that_fills_between_two_files_takes_both_back(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = opened(programs, tmp_path)
    partition.expect(0)
    partition.add([event("web", 0), event("firewall", 1)], time.monotonic())
    partition.flush()
    before = {path: path.stat().st_size for path in tmp_path.glob("*/*")}
    real, written = os.write, []

    def second_fails(descriptor: int, data: memoryview) -> int:
        written.append(descriptor)
        if len(written) > 1:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    partition.add([event("web", 2), event("firewall", 3)], time.monotonic())
    with monkeypatch.context() as full:
        full.setattr(os, "write", second_fails)
        with pytest.raises(programs.partition.DiskFullError, match="No space left"):
            partition.flush()
    assert {path: path.stat().st_size for path in tmp_path.glob("*/*")} == before
    partition.close()
    assert sorted(archived(programs, tmp_path)) == [0, 1, 2, 3]


def test_an_old_block_that_is_damaged_is_left_and_not_written_behind(programs: Programs, tmp_path: Path) -> None:
    """Its events cannot be read from the broker again, so what can still be had of it is not cut off."""
    partition = opened(programs, tmp_path)
    partition.expect(0)
    partition.add([event("door", 0)], time.monotonic())
    partition.flush()
    partition.add([event("firewall", 1)], time.monotonic())
    partition.close()
    (path,) = tmp_path.glob("*/*.r30.*")
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 0xFF
    path.write_bytes(damaged)
    again = opened(programs, tmp_path)
    assert again.next == 2
    again.add([event("door", 2)], time.monotonic())
    again.close()
    assert path.read_bytes() == bytes(damaged)
    assert len(list(tmp_path.glob("*/*.r30.*"))) == 2


def made(directory: Path, name: str) -> Path:
    path = directory / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_what_is_due_follows_the_name_and_else_the_municipality(programs: Programs, tmp_path: Path) -> None:
    usual, short, long = (f"logs.0710-0-{0:020d}{kept}.jsonl.zst" for kept in ("", ".r30", ".r900"))
    for day in ("2026-01-01", "2026-01-02", "2026-03-01"):
        for name in (usual, short, long):
            made(tmp_path, f"{day}/{name}")
    made(tmp_path, "2026-13-01/x")
    made(tmp_path, "deleted.jsonl")

    def names(today: date) -> list[tuple[str, int]]:
        return [(str(path.relative_to(tmp_path)), kept) for path, kept in programs.retention.due(tmp_path, today, 60)]

    assert names(date(2026, 1, 31)) == []
    assert names(date(2026, 2, 1)) == [(f"2026-01-01/{short}", 30)]
    assert names(date(2026, 3, 3)) == [
        (f"2026-01-01/{usual}", 60),
        (f"2026-01-01/{short}", 30),
        (f"2026-01-02/{short}", 30),
    ]


@settings(max_examples=30)
@given(st.integers(1, 3660), st.integers(0, 4000), st.one_of(st.none(), st.integers(1, 3660)))
def test_nothing_is_due_before_its_days_are_over(programs: Programs, usual: int, age: int, own: int | None) -> None:
    day = date(2020, 1, 1)
    with tempfile.TemporaryDirectory() as name:
        made(Path(name), f"{day}/{programs.segments.Segment('logs.0710', 0, 1, own).name}")
        found = list(programs.retention.due(Path(name), date.fromordinal(day.toordinal() + age), usual))
    assert bool(found) is (age > (usual if own is None else own))


def test_a_deletion_is_recorded_with_what_the_file_held(programs: Programs, tmp_path: Path) -> None:
    partition = opened(programs, tmp_path)
    partition.expect(0)
    partition.add([event("door", 0), event("door", 1), event("web", 2)], time.monotonic())
    partition.close()
    (path,) = tmp_path.glob("*/*.r30.*")
    content = path.read_bytes()
    programs.retention.delete(tmp_path, path, 30)
    (record,) = [json.loads(line) for line in (tmp_path / "deleted.jsonl").read_text().splitlines()]
    assert not path.exists()
    assert record["file"] == str(path.relative_to(tmp_path))
    assert (record["events"], record["bytes"], record["reason"]) == (2, len(content), "older than 30 days")
    assert record["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(record["written"]) == 2
    (other,) = tmp_path.glob("*/*.r90.*")
    programs.retention.delete(tmp_path, other, 90)
    assert [entry.name for entry in tmp_path.iterdir()] == ["deleted.jsonl"]


def test_the_search_gives_the_offset_of_a_line_among_others(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "0710").mkdir()
    partition = opened(programs, tmp_path / "0710")
    partition.expect(0)
    partition.add([event(("firewall", "web")[number % 2], number) for number in range(6)], time.monotonic())
    partition.close()
    found = list(programs.find.find(tmp_path, "0710", time.time() - 60, {"x 4 ", "x 5 "}))
    assert sorted((match["offset"], match["event"]["sequence"]) for match in found) == [(4, 4), (5, 5)]
