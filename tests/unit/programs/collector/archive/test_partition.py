"""The archive without a broker: names, blocks, what a crash leaves behind, and the search for new events."""

from __future__ import annotations

import errno
import io
import os
import time
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from vaern_programs.collector.archive import find, partition, segments

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")


class Programs(NamedTuple):
    segments: ModuleType
    partition: ModuleType
    find: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(segments, partition, find)


def lines(path: Path) -> list[bytes]:
    """What any zstd reader sees in a file, across frames and labels."""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        return io.BytesIO(reader.read()).read().splitlines()


def only(directory: Path) -> Path:
    (path,) = directory.glob("*/*.zst")
    return path


def written(programs: Programs, directory: Path, *blocks: list[bytes | None]) -> Path:
    """A segment with these blocks from offset 0, closed."""
    partition = programs.partition.Partition(directory, "logs.0710", 0, 1 << 20)
    partition.expect(0)
    for block in blocks:
        partition.add(block, time.monotonic())
        partition.flush()
    partition.close()
    return only(directory)


@pytest.mark.parametrize(
    ("topic", "code"),
    [
        ("logs.0710", "0710"),
        ("logs.710", None),
        ("logs.0710x", None),
        ("xlogs.0710", None),
        ("logs.../x", None),
        ("__consumer_offsets", None),
    ],
)
def test_only_the_topic_of_a_municipality_has_a_directory(programs: Programs, topic: str, code: str | None) -> None:
    assert programs.segments.code_of(topic) == code


def test_names_sort_like_offsets_and_come_back(programs: Programs) -> None:
    names = [programs.segments.Segment("logs.0710", 0, offset).name for offset in (9, 10, 10**12)]
    assert names == sorted(names)
    assert [programs.segments.segment_of(name).offset for name in names] == [9, 10, 10**12]
    assert programs.segments.segment_of("deleted.jsonl") is None


def test_any_zstd_reader_sees_the_lines(programs: Programs, tmp_path: Path) -> None:
    path = written(programs, tmp_path, [b'{"a":1}', b'{"a":2}'], [b'{"a":3}'])
    assert lines(path) == [b'{"a":1}', b'{"a":2}', b'{"a":3}']
    assert path.name == "logs.0710-0-00000000000000000000.jsonl.zst"


def test_blocks_say_which_offsets_they_hold(programs: Programs, tmp_path: Path) -> None:
    path = written(programs, tmp_path, [b"1", b"2"], [b"3"] * 5)
    found = list(programs.segments.blocks(memoryview(path.read_bytes())))
    assert [(block.offset, block.lines) for block in found] == [(0, 2), (2, 5)]
    assert found[-1].end == path.stat().st_size


def test_large_and_incompressible_blocks_are_walked(programs: Programs, tmp_path: Path) -> None:
    noise = [os.urandom(60000).hex().encode() for _ in range(10)]
    path = written(programs, tmp_path, noise, [b"a" * 3_000_000], [b"end"])
    assert [block.lines for block in programs.segments.blocks(memoryview(path.read_bytes()))] == [10, 1, 1]


@pytest.mark.parametrize("cut", [1, 5, 12, 20, 31, 33, 40])
def test_a_block_cut_off_by_a_crash_is_removed_and_read_again(programs: Programs, tmp_path: Path, cut: int) -> None:
    path = written(programs, tmp_path, [b"one", b"two"], [b"three three three"])
    whole = list(programs.segments.blocks(memoryview(path.read_bytes())))
    os.truncate(path, whole[-1].start + min(cut, whole[-1].end - whole[-1].start - 1))
    partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20)
    assert partition.next == 2
    partition.add([b"again"], time.monotonic())
    partition.close()
    assert lines(path) == [b"one", b"two", b"again"]


def test_every_possible_cut_is_survived(programs: Programs, tmp_path: Path) -> None:
    path = written(programs, tmp_path, [b"one", b"two"], [b"three"])
    content = path.read_bytes()
    ends = [block.end for block in programs.segments.blocks(memoryview(content))]
    for cut in range(len(content)):
        path.write_bytes(content[:cut])
        partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20)
        assert partition.next == (0 if cut < ends[0] else 2)
        partition.close()


def test_a_damaged_last_block_is_removed(programs: Programs, tmp_path: Path) -> None:
    path = written(programs, tmp_path, [b"one"], [b"two" * 20])
    content = bytearray(path.read_bytes())
    content[-1] ^= 0xFF
    path.write_bytes(content)
    assert programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20).next == 1


def test_a_segment_of_that_size_is_closed(programs: Programs, tmp_path: Path) -> None:
    partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 100)
    partition.expect(7)
    for _ in range(3):
        partition.add([os.urandom(80).hex().encode()], time.monotonic())
        partition.flush()
    partition.close()
    assert [programs.segments.segment_of(path.name).offset for path in sorted(tmp_path.glob("*/*"))] == [7, 8, 9]


def test_a_gap_in_the_offsets_begins_a_new_segment(programs: Programs, tmp_path: Path) -> None:
    partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20)
    partition.expect(0)
    partition.add([b"a"], time.monotonic())
    assert partition.expect(50) == 49
    partition.add([b"b"], time.monotonic())
    partition.close()
    assert [lines(path) for path in sorted(tmp_path.glob("*/*"))] == [[b"a"], [b"b"]]
    assert programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20).next == 51


def test_a_full_disk_keeps_the_events_and_the_file(
    programs: Programs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    partition = programs.partition.Partition(tmp_path, "logs.0710", 0, 1 << 20)
    partition.expect(0)
    partition.add([b"first"], time.monotonic())
    partition.flush()
    size = only(tmp_path).stat().st_size
    real = os.write

    def half(descriptor: int, data: memoryview) -> int:
        real(descriptor, bytes(data)[:10])
        raise OSError(errno.ENOSPC, "No space left on device")

    partition.add([b"second"], time.monotonic())
    with monkeypatch.context() as full:
        full.setattr(os, "write", half)
        with pytest.raises(programs.partition.DiskFullError, match="No space left"):
            partition.flush()
    assert only(tmp_path).stat().st_size == size
    partition.close()
    assert lines(only(tmp_path)) == [b"first", b"second"]


@pytest.mark.parametrize(
    ("value", "line"), [(b'{"a":1}', b'{"a":1}'), (b'{\n"a":\r\n1}', b'{ "a":  1}'), (None, b"{}"), (b"", b"{}")]
)
def test_a_message_is_one_line(programs: Programs, value: bytes | None, line: bytes) -> None:
    assert programs.segments.one_line(value) == line


def test_events_are_found_in_the_open_segment_too(programs: Programs, tmp_path: Path) -> None:
    path = written(
        programs,
        tmp_path / "0710" if (tmp_path / "0710").mkdir() is None else tmp_path,
        [b'{"message":"tag-1"}'],
        [b'{"message":"tag-2"}', b'{"message":"tag-3"}'],
    )
    with path.open("ab") as file:
        file.write(path.read_bytes()[:40])
    found = list(programs.find.find(tmp_path, "0710", time.time() - 60, {"tag-1", "tag-3", "tag-9"}))
    assert [(match["text"], match["offset"], match["event"]["message"]) for match in found] == [
        ("tag-3", 2, "tag-3"),
        ("tag-1", 0, "tag-1"),
    ]


def test_what_was_archived_earlier_is_not_searched(programs: Programs, tmp_path: Path) -> None:
    (tmp_path / "0710").mkdir()
    written(programs, tmp_path / "0710", [b'{"message":"tag-1"}'])
    assert list(programs.find.find(tmp_path, "0710", time.time() + 60, {"tag-1"})) == []


def test_the_search_says_by_its_exit_code_what_is_missing(
    programs: Programs, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "0710").mkdir()
    written(programs, tmp_path / "0710", [b'{"message":"tag-1"}'])
    common = ["--archive", str(tmp_path), "--code", "0710"]
    assert programs.find.main([*common, "tag-1"]) == 0
    assert '"text": "tag-1"' in capsys.readouterr().out
    assert programs.find.main([*common, "tag-1", "tag-2"]) == 1


@pytest.mark.parametrize("year", [1970, 2100])
def test_what_an_event_says_of_its_time_does_not_decide_where_and_how_long_it_is_kept(
    programs: Programs, tmp_path: Path, year: int
) -> None:
    """A relay that was taken over cannot have events deleted at once, or kept for a century."""
    event = b'{"time":"%d-01-01T00:00:00Z","source":"firewall1","sequence":1}' % year
    path = written(programs, tmp_path, [event])
    today = {time.strftime("%Y-%m-%d", time.gmtime(time.time() - ago)) for ago in (0, 120)}
    assert path.parent.name in today
    assert lines(path) == [event]
