"""The spool as the delivery reads it: in order, no line twice or left out, remembered as far as acknowledged."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.doubles.spool_writer import Writer, line

from vaern_programs.relay.delivery import segments as delivery_segments
from vaern_programs.relay.spool.index import segments

MIB = 2**20


@pytest.fixture(scope="module")
def module() -> ModuleType:
    return delivery_segments


class Reader:
    """One run of the delivery, as far as the spool is concerned."""

    def __init__(self, module: ModuleType, directory: Path) -> None:
        self.module, self.directory = module, directory
        self.spool, self.now = module.Spool(directory), 0.0
        self.under_way: list[tuple[Any, list[bytes]]] = []
        self.next: Reader | None = None

    def look(self) -> None:
        self.now += 1
        self.spool.look(self.now)

    def read(self) -> list[bytes]:
        """One turn of every priority."""
        found = []
        for segment in self.spool.turn():
            if text := segment.take():
                lines = [one for one in text.splitlines() if one.startswith(b"{")]
                self.under_way.append((segment.hand_out(len(lines)), lines))
                found += lines
        return found

    def drain(self) -> list[bytes]:
        """A look, and all there is to read."""
        self.look()
        found: list[bytes] = []
        before = -1
        while before != (before := sum(segment.read + segment.ended for segment in self.spool.known.values())):
            found += self.read()
        return found

    def acknowledge(self, place: int = 0) -> list[bytes]:
        """All of one part."""
        part, lines = self.under_way.pop(place)
        for _ in lines:
            part.acknowledge()
        return lines

    def again(self) -> Reader:
        """The next run."""
        self.next = Reader(self.module, self.directory)
        return self.next

    def end(self) -> None:
        if self.next:
            self.next.end()
        for segment in self.spool.known.values():
            os.close(segment.file)


@pytest.fixture
def writer(tmp_path: Path) -> Writer:
    return Writer(tmp_path)


@pytest.fixture
def reader(module: ModuleType, writer: Writer) -> Iterator[Reader]:
    one = Reader(module, writer.directory)
    yield one
    one.end()


def lines(*numbers: int) -> list[bytes]:
    return [line(number) for number in numbers]


def test_closed_segments_come_in_the_order_of_their_times_and_the_open_one_last(writer: Writer, reader: Reader) -> None:
    for number in (1, 2, 3):
        writer.write(line(number))
        writer.close()
    writer.write(line(4))
    assert reader.drain() == lines(1, 2, 3, 4)
    assert reader.drain() == []


def test_what_comes_closed_does_not_wait_for_the_end_of_the_open_one(writer: Writer, reader: Reader) -> None:
    """`vaern-unread` makes segments beside the one that rsyslog writes."""
    writer.write(line(1))
    assert reader.drain() == lines(1)
    (writer.directory / "segments" / "20261129T120000.1-2.jsonl").write_bytes(line(7) + b"\n")
    assert reader.drain() == lines(7)
    writer.write(line(2))
    assert reader.drain() == lines(2)


def test_no_priority_waits_for_the_backlog_of_another(
    module: ModuleType, writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2 * len(line(300)) + 2)
    for priority, numbers in ((3, range(300, 306)), (1, range(100, 102))):
        writer.write(*map(line, numbers), priority=priority)
    reader.look()
    turns = [reader.read() for _ in range(4)]
    assert [sorted(turn) for turn in turns] == [lines(100, 101, 300, 301), lines(302, 303), lines(304, 305), []]


def test_a_segment_of_an_older_relay_is_of_the_second_priority(writer: Writer, reader: Reader) -> None:
    (writer.segments / "20261124T090000.1.jsonl").write_bytes(line(1) + b"\n")
    (writer.segments / "20261124T090000.2.jsonl").write_bytes(line(2) + b"\n")
    writer.write(line(3))
    reader.look()
    assert len(reader.spool.turn()) == 1
    assert reader.drain() == lines(1, 2, 3)


def test_a_segment_that_is_closed_meanwhile_is_read_on_where_it_was(writer: Writer, reader: Reader) -> None:
    writer.write(line(1), line(2))
    assert reader.drain() == lines(1, 2)
    writer.write(line(3))
    writer.close()
    writer.write(line(4))
    assert reader.drain() == lines(3, 4)


def test_two_that_are_closed_between_two_looks_keep_their_order(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    reader.look()
    for number in (2, 4):
        writer.write(line(number), line(number + 1))
        writer.close()
    writer.write(line(6))
    assert reader.drain() == lines(1, 2, 3, 4, 5, 6)


def test_a_segment_is_opened_by_the_name_it_was_listed_under_or_not_at_all(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was closed between the listing and the opening: under its old name there is the next one already."""
    writer.write(line(1))
    enter = reader.spool._enter

    def closed_just_then(*arguments: Any) -> None:
        writer.close()
        writer.write(line(2))
        enter(*arguments)

    monkeypatch.setattr(reader.spool, "_enter", closed_just_then)
    reader.look()
    monkeypatch.undo()
    assert reader.read() == []
    assert reader.drain() == lines(1, 2)


def test_a_listing_that_misses_a_renamed_segment_repeats_nothing(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is renamed while a folder is listed may be in the list under neither name (POSIX, readdir)."""
    writer.write(line(1))
    reader.drain()
    closed = writer.close()
    assert closed
    writer.write(line(2))
    aside = writer.directory / closed.name
    closed.rename(aside)
    assert reader.drain() == [], "there may be more in it, which would come before the next one"
    aside.rename(closed)
    writer.write(line(3))
    writer.close()
    writer.write(line(4))
    assert reader.drain() == lines(2, 3, 4)


def test_a_line_that_is_being_written_waits_for_its_end(writer: Writer, reader: Reader) -> None:
    writer.add(line(1)[:40])
    assert reader.drain() == []
    writer.add(line(1)[40:] + b"\n" + line(2)[:40])
    assert reader.drain() == lines(1)
    assert reader.spool.waiting() == len(line(1)) + 1 + 40
    writer.add(line(2)[40:] + b"\n")
    assert reader.drain() == lines(2)


def test_a_line_that_a_kill_cut_off_is_left_out_and_waits_for_nobody(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    writer.add(line(2)[:40])
    reader.drain()
    writer.close()
    writer.write(line(3))
    assert reader.drain() == lines(3)
    for _ in (1, 3):
        reader.acknowledge()
    assert reader.spool.waiting() == 0


def test_a_segment_that_goes_while_it_is_under_way_is_let_go_of(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    writer.write(line(1), priority=3)
    reader.drain()
    for priority in (2, 3):
        closed = writer.close(priority)
        assert closed
        closed.unlink()
    writer.write(line(2))
    (held, _), *_ = reader.under_way
    assert reader.drain() == lines(2)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(held.segment.file)
    for _ in range(3):
        reader.acknowledge()
    assert reader.spool.waiting() == 0
    reader.look()
    reader.look()
    assert reader.spool.caught_up == reader.now - 1


def test_a_segment_that_goes_holds_up_no_other(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    reader.look()
    closed = writer.close()
    assert closed
    closed.unlink()
    assert reader.read() == lines(1), "it was there at the last look"
    writer.write(line(2))
    assert reader.drain() == lines(2)


def test_the_inode_of_a_segment_that_is_gone_may_be_another_ones(
    module: ModuleType, writer: Writer, reader: Reader
) -> None:
    writer.write(line(1), line(2))
    reader.drain()
    (known,) = reader.spool.known
    writer.open().unlink()
    writer.write(line(3))
    assert writer.open().stat().st_ino != known, "nobody has it for as long as the segment is open here"
    writer.open().unlink()
    reader.look()
    writer.write(line(4))
    # Whether or not the file system gives it out again at once.
    other = writer.open().stat().st_ino
    assert reader.drain() == lines(4)
    assert list(reader.spool.known) == [other]


def test_positions_are_kept_over_a_restart(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    reader.drain()
    writer.write(line(2))
    reader.drain()
    reader.acknowledge()
    reader.spool.save()
    writer.close()
    writer.write(line(3))
    assert reader.again().drain() == lines(2, 3)


@pytest.mark.parametrize("moment", ["between listing and opening", "while the folder is listed"])
def test_a_segment_that_is_closed_while_a_run_begins_keeps_its_position(
    writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """The run had not met it when it first saved, forgot where it had been, and all of the segment was sent again."""
    writer.write(line(1), line(2))
    reader.drain()
    reader.acknowledge()
    reader.spool.save()
    begun = reader.again()
    if moment.startswith("between"):
        enter = begun.spool._enter
        monkeypatch.setattr(begun.spool, "_enter", lambda *arguments: (writer.close(), enter(*arguments)))
        begun.look()
        monkeypatch.undo()
    else:
        writer.open().rename(aside := writer.directory / "aside")
        begun.look()
        aside.rename(writer.open())
        writer.close()
    begun.spool.save()
    writer.write(line(3))
    assert begun.drain() == lines(3)


def test_positions_of_segments_that_are_gone_are_forgotten(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    reader.drain()
    reader.acknowledge()
    reader.spool.save()
    writer.open().unlink()
    writer.write(line(2))
    begun = reader.again()
    for _ in range(delivery_segments.WHOLE_LOOKS):
        begun.drain()
    begun.acknowledge()
    begun.spool.save()
    assert list(json.loads(reader.spool.place.read_bytes()).values()) == [len(line(2)) + 1]


@pytest.mark.parametrize("torn", [None, b"", b'{"a": 1', b"\0" * 40, b"[]", b"\xff", b'{"a": null}'])
def test_without_positions_everything_is_read_again(writer: Writer, reader: Reader, torn: bytes | None) -> None:
    writer.write(line(1))
    reader.drain()
    reader.acknowledge()
    reader.spool.save()
    if torn is None:
        reader.spool.place.unlink()
    else:
        reader.spool.place.write_bytes(torn)
    assert reader.again().drain() == lines(1)


def test_a_position_beyond_what_a_power_cut_left_is_no_position(writer: Writer, reader: Reader) -> None:
    writer.write(line(1), line(2))
    reader.drain()
    reader.acknowledge()
    reader.spool.save()
    writer.open().write_bytes(line(1) + b"\n")
    assert reader.again().drain() == lines(1)


def test_positions_move_over_what_is_acknowledged_without_a_gap(
    module: ModuleType, writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", 2 * len(line(1)) + 2)
    writer.write(*lines(1, 2, 3, 4, 5, 6))
    reader.drain()
    (segment,) = reader.spool.known.values()
    parts = [part for part, _ in reader.under_way]
    ends = [part.end for part in parts]
    steps = []
    for part in (parts[1], parts[2], parts[1], parts[0], parts[0], parts[2]):
        part.acknowledge()
        steps.append(segment.acknowledged)
    assert steps == [0, 0, 0, 0, ends[1], ends[2]]


def test_what_has_no_event_is_acknowledged_in_its_turn(
    module: ModuleType, writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "CHUNK", len(line(1)) + 1)
    writer.write(line(1), b"x" * len(line(1)))
    reader.drain()
    assert reader.spool.waiting() == 2 * len(line(1)) + 2
    reader.acknowledge()
    assert reader.spool.waiting() == 0
    writer.write(b"x" * 9)
    reader.drain()
    assert reader.spool.waiting() == 0, "nobody acknowledges it"


def test_what_is_saved_is_a_file_that_is_whole(
    module: ModuleType, writer: Writer, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safe on the disk before it takes the place of the older one, and written only when it is another."""
    steps: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(module.os, "fsync", lambda file: (steps.append("safe"), fsync(file)))
    monkeypatch.setattr(Path, "replace", lambda path, place: (steps.append("there"), replace(path, place)))
    writer.write(line(1))
    reader.drain()
    reader.spool.save()
    reader.spool.save()
    assert steps == ["safe", "there"]
    (segment,) = reader.spool.known.values()
    assert json.loads(reader.spool.place.read_bytes()) == {segment.digest: 0}
    reader.acknowledge()
    reader.spool.save()
    assert steps == ["safe", "there"] * 2
    assert json.loads(reader.spool.place.read_bytes()) == {segment.digest: segment.size()}


def test_what_is_known_of_a_segment_goes_with_it(writer: Writer, reader: Reader) -> None:
    writer.write(line(1))
    reader.drain()
    reader.spool.save()
    writer.open().unlink()
    reader.look()
    reader.spool.save()
    assert json.loads(reader.spool.place.read_bytes()) == {}


@pytest.mark.parametrize("size", [1000, MIB, 4 * MIB + 7])
@pytest.mark.parametrize("begins", [True, False], ids=["first", "later"])
def test_what_a_power_cut_left_is_passed_over(writer: Writer, reader: Reader, size: int, *, begins: bool) -> None:
    """Blocks of zeros, where lines were written and not yet on the disk; also at the beginning of a segment."""
    before = [] if begins else lines(1)
    writer.write(*before)
    writer.add(b"\0" * size + b"\n")
    writer.write(line(2))
    writer.add(b"\0" * size)
    writer.close()
    writer.write(line(3))
    assert reader.drain() == [*before, *lines(2, 3)]
    while reader.under_way:
        reader.acknowledge()
    assert reader.spool.waiting() < size + 1
    reader.spool.save()
    assert reader.again().drain() == []


@pytest.mark.parametrize("size", [100, MIB, 3 * MIB])
def test_two_segments_that_begin_with_zeros_are_two(writer: Writer, reader: Reader, size: int) -> None:
    for number in (1, 2):
        writer.write(b"\0" * size, *lines(number))
        writer.close()
    assert reader.drain() == lines(1, 2)
    first = next(part for part, read in reader.under_way if read)
    while reader.under_way[0][0] is not first:
        reader.acknowledge()
    reader.acknowledge()
    reader.spool.save()
    assert reader.again().drain() == lines(2)


def test_the_longest_event_is_read_whole(module: ModuleType, writer: Writer, reader: Reader) -> None:
    longest = line(2, message="\\u0001" * 65536 + "x" * module.CHUNK)
    writer.write(line(1), longest, line(3))
    assert reader.drain() == [line(1), longest, line(3)]


def test_it_is_behind_from_when_all_that_was_there_was_acknowledged(writer: Writer, reader: Reader) -> None:
    def behind() -> float:
        reader.drain()
        return float(reader.now - reader.spool.caught_up)

    assert behind() == 0
    writer.write(line(1))
    assert [behind(), behind(), behind()] == [1, 2, 3]
    writer.write(line(2))
    assert behind() == 4
    reader.acknowledge()
    # Since the look at which the first was seen, as the second had come meanwhile.
    assert [behind(), behind(), behind()] == [4, 5, 6]
    reader.acknowledge()
    assert [behind(), behind()] == [3, 1]


def test_a_relay_that_is_never_idle_keeps_up_all_the_same(writer: Writer, reader: Reader) -> None:
    """There is something new at each look, and what there was at the one before is acknowledged."""
    for number in range(1, 20):
        writer.write(line(number))
        reader.drain()
        if number > 1:
            reader.acknowledge()
        assert reader.spool.waiting() > 0
        assert reader.now - reader.spool.caught_up <= 4


def test_half_a_line_of_a_relay_that_was_killed_holds_nothing_up(writer: Writer, reader: Reader) -> None:
    """It was there at a look, and nobody will ever acknowledge it."""
    writer.write(line(1))
    writer.add(line(2)[:40])
    reader.drain()
    reader.acknowledge()
    reader.look()
    writer.close()
    reader.drain()
    reader.look()
    reader.look()
    assert reader.spool.caught_up == reader.now - 1


def test_only_segments_are_read(writer: Writer, reader: Reader) -> None:
    (writer.segments / "open-2.jsonl.kept").write_bytes(line(1) + b"\n")
    assert reader.drain() == []


def test_a_spool_that_is_not_there_yet_is_empty(module: ModuleType, tmp_path: Path) -> None:
    spool = module.Spool(tmp_path)
    spool.look(1.0)
    assert (spool.turn(), spool.waiting(), spool.caught_up) == ([], 0, 1.0)


ACTIONS = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 3), st.integers(1, 4)),
    st.tuples(st.just("cut"), st.integers(1, 3)),
    st.tuples(st.just("close"), st.integers(1, 3)),
    st.tuples(st.just("look")),
    st.tuples(st.just("read")),
    st.tuples(st.just("acknowledge"), st.integers(0, 20)),
    st.tuples(st.just("confirm")),
    st.tuples(st.just("save")),
    st.tuples(st.just("restart"), st.booleans()),
)


class Story:
    """A spool, what writes to it, what reads it, and what each line has come to."""

    def __init__(self, module: ModuleType, directory: Path) -> None:
        self.module, self.writer = module, Writer(directory)
        self.reader = Reader(module, directory)
        self.written: dict[int, list[bytes]] = {1: [], 2: [], 3: []}
        self.rests: dict[int, bytes] = {}
        self.read_lines: list[bytes] = []
        self.acknowledged: set[bytes] = set()
        self.number = 0

    def write(self, priority: int, count: int) -> None:
        self.writer.add(self.rests.pop(priority, b""), priority)
        for _ in range(count):
            self.cut(priority)
            self.writer.add(self.rests.pop(priority), priority)

    def cut(self, priority: int) -> None:
        """Half a line, the rest of which follows before anything else unless the relay is killed."""
        self.writer.add(self.rests.pop(priority, b""), priority)
        self.number += 1
        text = line(self.number, f"source{priority}", message="m" * (self.number % 7 * 20))
        self.writer.add(text[:50], priority)
        self.rests[priority] = text[50:] + b"\n"
        self.written[priority].append(text)

    def close(self, priority: int) -> None:
        """At a start after a kill too, with half a line, which is lost."""
        if self.rests.pop(priority, None) is not None:
            self.written[priority].pop()
        self.writer.close(priority)

    def look(self) -> None:
        self.reader.look()

    def read(self) -> None:
        self.read_lines += self.reader.read()

    def acknowledge(self, place: int) -> None:
        if self.reader.under_way:
            self.acknowledged |= set(self.reader.acknowledge(place % len(self.reader.under_way)))

    def confirm(self) -> None:
        """What the broker has all of is removed, as `vaern-spool` does it."""
        for path in self.writer.segments.glob("2*.jsonl"):
            if set(path.read_bytes().splitlines(keepends=True)) <= {one + b"\n" for one in self.acknowledged}:
                path.unlink()

    def save(self) -> None:
        self.reader.spool.save()

    def restart(self, killed: bool) -> None:
        if not killed:
            self.save()
        self.reader.end()
        self.reader = Reader(self.module, self.writer.directory)

    def finish(self) -> None:
        """Everything is closed, read and acknowledged."""
        for priority in self.written:
            self.writer.add(self.rests.pop(priority, b""), priority)
            self.writer.close(priority)
        self.read_lines += self.reader.drain()
        while self.reader.under_way:
            self.acknowledge(0)
        self.reader.look()
        assert self.reader.spool.waiting() == 0
        self.reader.end()


@settings(max_examples=50, database=None)
@given(st.lists(ACTIONS, max_size=40), st.integers(1, 400))
def test_every_line_is_read_in_order_and_only_a_restart_repeats_any(
    module: ModuleType, story: list[tuple[Any, ...]], chunk: int
) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        patch.setattr(module.os, "fsync", lambda file: None)
        told = Story(module, Path(folder))
        for action, *arguments in story:
            getattr(told, action)(*arguments)
        told.finish()
    whole = {one for written in told.written.values() for one in written}
    assert set(told.read_lines) == whole == told.acknowledged
    if not any(action == "restart" for action, *_ in story):
        for priority, written in told.written.items():
            assert [one for one in told.read_lines if f'"source{priority}"'.encode() in one] == written


def test_what_is_no_file_is_no_segment(tmp_path: Path) -> None:
    """From rsyslog's user, taken over: a link to what only the delivery may read, and a pipe nobody writes to."""
    writer = Writer(tmp_path)
    secret = tmp_path / "delivery.key"
    secret.write_bytes(line(7) + b"\n")
    (writer.segments / "20260101T000000.0-1.jsonl").symlink_to(secret)
    os.mkfifo(writer.segments / "20260101T000001.0-1.jsonl")
    writer.write(line(1))
    assert Reader(delivery_segments, tmp_path).drain() == [line(1)]
    assert [segment.path.name for segment in segments(tmp_path)] == ["open-2.jsonl"]
