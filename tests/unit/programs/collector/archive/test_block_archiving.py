"""Blocks of lines in the archive: written as they came, each line once, and one that lies stops nobody."""

from __future__ import annotations

import json
import tempfile
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.doubles.kafka_message import KEY, Message
from support.doubles.killed_process import KilledError, killed_at
from support.doubles.spool_writer import line

from vaern_programs.collector.archive import segments
from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.find import recent_lines
from vaern_programs.collector.archive.intake import Intake
from vaern_programs.collector.archive.observing import Observations
from vaern_programs.collector.archive.partition import SMALL_BYTES, Partition
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.ledger.summary import read_on
from vaern_programs.shared import blocks
from vaern_programs.shared.tally import Tally

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
KEPT = {b"web": 90, b"door": 30}
SOURCES = ["web", "door", "dhcp1", "firewall1"]


def block(number: int, events: list[bytes], **lies: Any) -> Message:
    """A record that is a block, whose header may lie."""
    text = b"".join(one + b"\n" for one in events)
    found = blocks.found_in(text)
    assert found is not None
    header, data = blocks.divided(blocks.pack(text, found))
    return Message(number, forged(json.dumps(json.loads(header) | lies).encode(), data))


def forged(header: bytes, data: bytes) -> bytes:
    return blocks.BEGINS + len(header).to_bytes(4, "little") + header + data


class Bench:
    """The archive of a municipality as one run of the archiver has it."""

    def __init__(self, directory: Path) -> None:
        self.aside: list[tuple[Place, str]] = []
        self.partition = Partition(directory, *KEY, 1 << 20, KEPT)
        tenant = {"sources": [{"name": name} for name in SOURCES], "hosts": [{"source": "vaern-gw1"}]}
        self.sightings = Sightings(tenant)
        self.observations = Observations("0710", {"tenants": [{"code": "0710", **tenant}]}, 0.0)
        self.intake = Intake(
            {KEY: self.partition},
            self.sightings,
            self.observations,
            Alarms(),
            lambda place, why, _: self.aside.append((place, why)),
        )

    def take(self, *messages: Message) -> None:
        self.intake.take(messages, paused=())


def archived(directory: Path) -> Iterator[tuple[int | None, int, bytes]]:
    """Retention, offset of its block's first line, and each line, as the files have them."""
    for path in sorted(directory.glob("*/*.zst")):
        content = memoryview(path.read_bytes())
        whole = list(segments.blocks(content))
        assert (whole[-1].end if whole else 0) == len(content)
        named = segments.segment_of(path.name)
        assert named is not None
        for one in whole:
            lines = zstandard.ZstdDecompressor().decompress(content[one.data : one.end]).splitlines()
            assert len(lines) == one.lines
            for offset, text in zip(segments.offsets(content, one), lines, strict=True):
                yield named.days, offset, text


def big(source: str, first: int) -> list[bytes]:
    """Lines that are not few enough to be packed again."""
    return [line(first + number, source, message=text_of(number)) for number in range(SMALL_BYTES // 2000 + 1)]


def text_of(number: int) -> str:
    """A message of 2100 characters that becomes ten times smaller, and no more."""
    return 3 * sha512(b"%d" % number).hexdigest() + 27 * sha256(b"%d" % number).hexdigest()


def test_a_block_of_one_retention_is_archived_byte_for_byte(tmp_path: Path) -> None:
    bench, one = Bench(tmp_path), block(7, big("web", 1))
    bench.take(one)
    bench.partition.close()
    (path,) = tmp_path.glob("*/*")
    assert path.name == "logs.0710-0-00000000000000000007.r90.jsonl.zst"
    assert path.read_bytes().endswith(blocks.divided(one.text)[1])
    assert [text for _, _, text in archived(tmp_path)] == big("web", 1)
    assert {offset for _, offset, _ in archived(tmp_path)} == {7}
    assert Partition(tmp_path, *KEY, 1 << 20, KEPT).next == 8
    assert not list(tmp_path.glob(".pending*"))


def test_small_blocks_are_packed_together(tmp_path: Path) -> None:
    """Else a municipality that sends little would take many times the room."""
    bench = Bench(tmp_path)
    bench.take(*(block(number, [line(2 * number), line(2 * number + 1)]) for number in range(200)))
    bench.partition.close()
    (path,) = tmp_path.glob("*/*")
    (one,) = segments.blocks(memoryview(path.read_bytes()))
    assert (one.offset, one.lines, one.covered) == (0, 400, 200)
    assert [text for _, _, text in archived(tmp_path)] == [line(number) for number in range(400)]


def test_lines_of_several_retentions_are_sorted_anew(tmp_path: Path) -> None:
    """The retention of a source was changed here before its relay knew."""
    bench = Bench(tmp_path)
    bench.take(block(0, big("web", 1) + big("dhcp1", 1)), block(1, [line(999)]))
    bench.partition.close()
    found = {days: [text for kept, _, text in archived(tmp_path) if kept == days] for days in (90, None)}
    assert found == {90: big("web", 1), None: [*big("dhcp1", 1), line(999)]}


def test_the_ledger_and_the_search_read_its_lines(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.take(block(0, big("dhcp1", 1)), block(1, [line(900), line(901)]), Message(2, line(902)))
    bench.partition.close()
    (path,) = tmp_path.glob("*/*")
    tally = Tally()
    assert read_on(path, 0, tally) == path.stat().st_size
    assert [run[:2] for runs in tally.runs.values() for run in runs] == [(1, len(big("dhcp1", 1))), (900, 902)]
    assert len(list(recent_lines(path, 0.0))) == len(big("dhcp1", 1)) + 3


def test_what_a_block_says_is_heard(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    beat = json.dumps({"boot": "b", "sequence": 1, "message": "{}"}).encode()
    bench.take(
        Message(1, line(1, "door"), b"door"), block(2, [line(1, "web"), line(1)]), Message(3, beat, b"vaern-gw1")
    )
    (heard,) = bench.sightings.report([KEY], lambda _: False, 0.0).values()
    assert heard == {
        "as_of": 3.0, "seen": {"door": 1.0, "web": 2.0, "dhcp1": 2.0, "vaern-gw1": 3.0},
        "told": {"vaern-gw1": beat.decode()},
    }  # fmt: skip


BOMB = zstandard.ZstdCompressor(write_checksum=True).compress(bytes(2**26))


@pytest.mark.parametrize(
    "lying",
    [
        block(1, [line(1), line(2)], lines=3),
        block(1, [line(1), line(2)], relay="gw2"),
        block(1, [line(1), line(2)], sources=[["web", "a" * 32, 1, 2, 2]]),
        block(1, [one.replace(b'"0710"', b'"0751"') for one in (line(1), line(2))]),
        Message(1, forged(b"{}", line(1))),
        Message(1, blocks.BEGINS),
        Message(1, forged(blocks.divided(block(1, [line(1)], bytes=2**20).text)[0], BOMB)),
    ],
)
def test_one_that_lies_is_set_aside_and_those_around_it_are_archived(tmp_path: Path, lying: Message) -> None:
    bench = Bench(tmp_path)
    bench.take(block(0, [line(7), line(8)]), lying, block(2, big("dhcp1", 10)), Message(3, line(999)))
    bench.partition.close()
    ((place, reason),) = bench.aside
    assert place == Place(*KEY, 1, 1)
    assert reason.startswith("a block that is none: ")
    stand_in = b'{"quarantined":"logs.0710/0/1"}'
    assert [text for _, _, text in archived(tmp_path)] == [line(7), line(8), stand_in, *big("dhcp1", 10), line(999)]
    (heard,) = bench.sightings.report([KEY], lambda _: False, 0.0).values()
    assert "web" not in heard["seen"]


def test_a_flood_of_blocks_of_one_line_costs_little(tmp_path: Path) -> None:
    messages = [block(number, [line(number)]) for number in range(2000)]
    bench, begun = Bench(tmp_path), time.process_time()
    bench.take(*messages)
    bench.partition.close()
    assert time.process_time() - begun < 2000 * 0.0005, "half a millisecond each"
    (path,) = tmp_path.glob("*/*")
    assert path.stat().st_size < sum(len(one.text) for one in messages) / 5


def test_many_blocks_are_not_in_memory_together(tmp_path: Path) -> None:
    """Nor is what small ones are packed into as large as they were: the broker gives thousands at a time."""
    lines = [line(number, message=30 * text_of(number)) for number in range(8)]
    few = [line(number, message=30 * text_of(number)) for number in range(1)]
    bench = Bench(tmp_path)
    messages = [block(number, lines if number % 2 else few) for number in range(200)]
    tracemalloc.start()
    bench.take(*messages)
    bench.partition.close()
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert most < 5 * 2**20 < sum(len(text) for _, _, text in archived(tmp_path)) / 10


def test_who_watches_the_worker_hears_of_it_between_blocks(tmp_path: Path) -> None:
    """What one reading gives may unpack to gigabytes, and a worker that is not heard for a minute is ended."""
    heard: list[int] = []
    bench = Bench(tmp_path)
    messages = [block(number, [line(2 * number), line(2 * number + 1)]) for number in range(5)]
    bench.intake.take(messages, (), lambda: heard.append(bench.partition.next))
    assert heard[1:] == [1, 2, 3, 4]


def test_what_labels_take_counts_as_memory(tmp_path: Path) -> None:
    """Each has a bit for every record that is written together."""
    bench = Bench(tmp_path)
    bench.partition.add([b"{}"] * 40_000, 0.0)
    before, one = bench.partition.buffered, block(39_999, big("web", 1))
    bench.partition.add_block(blocks.opened(one.text, "0710"), 0.0)
    assert bench.partition.buffered - before == len(blocks.divided(one.text)[1]) + 5000


RECORDS = st.lists(
    st.tuples(st.sampled_from(["event", "small", "big"]), st.sampled_from(SOURCES), st.booleans()),
    min_size=1, max_size=10,
)  # fmt: skip


@settings(max_examples=40)
@given(RECORDS, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3000)), max_size=3))
def test_a_kill_at_any_moment_loses_and_doubles_no_line(
    records: list[tuple[str, str, bool]], kills: list[tuple[int, int]]
) -> None:
    """Events, small and big blocks of several retentions, written together or not; the archiver is killed and begins
    again where its files end."""
    messages, expected = [], []
    for number, (kind, source, _) in enumerate(records):
        few = [line(1000 * number, source), line(1000 * number + 1, "dhcp1")]
        lines = {"event": few[:1], "small": few, "big": big(source, 1000 * number)}[kind]
        messages.append(Message(number, lines[0]) if kind == "event" else block(number, lines))
        expected += [(KEPT.get(b"dhcp1" if b'"dhcp1"' in one else source.encode()), one) for one in lines]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        for kill in [*kills, None]:
            with suppress(KilledError), killed_at(kill):
                bench = Bench(directory)
                for message in messages[max(bench.partition.next, 0) :]:
                    bench.take(message)
                    if records[message.number][2]:
                        bench.partition.flush()
                bench.partition.close()
        assert sorted((kept or 0, text) for kept, _, text in archived(directory)) == sorted(
            (kept or 0, text) for kept, text in expected
        )
        assert not list(directory.glob(".pending*.json"))
