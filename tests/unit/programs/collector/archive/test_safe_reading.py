"""Reading batch by batch: what cannot be read goes into quarantine, and what follows is read."""

from __future__ import annotations

from typing import Any

import pytest

from vaern_programs.collector.archive import safe_reading
from vaern_programs.collector.archive.batches import HEADER
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.safe_reading import OUT_OF_RANGE, SafeReader

KEY, OTHER = ("logs.0710", 0), ("logs.0710.health", 0)


def batch(first: int, count: int, *, good: bool = True) -> bytes:
    """Records with one byte as value, or a batch whose first record ends nowhere."""
    one = b"\x10\0\0%c\x01\x02x\0\0"
    data = b"".join(one % (2 * number) for number in range(count)) if good else b"\xff"
    return HEADER.pack(first, 49 + len(data), 0, 2, 0, 0, count - 1, 0, 1000, -1, -1, -1, count) + data


class Broker:
    """Gives what there is from an offset on."""

    def __init__(self, **log: list[tuple[int, int, bytes]]) -> None:
        self.log: dict[Any, list[tuple[int, int, bytes]]] = {KEY: log.get("own", []), OTHER: log.get("other", [])}
        self.begin = 0

    def fetch(self, key: Any, offset: int) -> tuple[bytes, int, int]:
        end = max((last + 1 for _, last, _ in self.log[key]), default=0)
        if offset < self.begin:
            return b"", end, OUT_OF_RANGE
        return b"".join(content for _, last, content in self.log[key] if last >= offset), end, 0

    def earliest(self, key: Any) -> int:
        return self.begin

    def partitions(self, topic: str) -> list[int]:
        return [0]


class Bench:
    """A reader, and what it said."""

    def __init__(self, broker: Broker, *skipped: Place) -> None:
        self.tried: list[Place] = []
        self.kept: list[tuple[Place, str]] = []
        self.reader = SafeReader(
            broker, self.tried.append, lambda place, why, _: self.kept.append((place, why)), skipped
        )  # type: ignore[arg-type]

    def read(self, times: int) -> list[tuple[str, int]]:
        found = []
        for _ in range(times):
            messages, refusals = self.reader.read()
            assert refusals == []
            found += [(message.topic(), message.offset()) for message in messages]
        return found


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(safe_reading.time, "sleep", lambda _: None)


def test_a_batch_that_cannot_be_read_is_quarantined_and_the_next_is_read() -> None:
    bench = Bench(Broker(own=[(0, 1, batch(0, 2)), (2, 4, batch(2, 3, good=False)), (5, 5, batch(5, 1))]))
    bench.reader.start({KEY: -1})
    assert not bench.reader.is_done()
    assert bench.read(3) == [("logs.0710", 0), ("logs.0710", 1), ("logs.0710", 5)]
    assert bench.kept == [(Place(*KEY, 2, 4), "damaged: IndexError: index out of range")]
    assert bench.tried == [Place(*KEY, 0, 1), Place(*KEY, 2, 4), Place(*KEY, 5, 5)]
    assert bench.reader.is_done()
    assert bench.reader.end(KEY) == 6


def test_reading_begins_within_a_batch() -> None:
    bench = Bench(Broker(own=[(0, 3, batch(0, 4))]))
    bench.reader.start({KEY: 2})
    assert bench.read(1) == [("logs.0710", 2), ("logs.0710", 3)]
    assert bench.tried == [Place(*KEY, 2, 3)]


def test_a_batch_that_workers_died_of_is_not_unpacked() -> None:
    bench = Bench(Broker(own=[(0, 0, batch(0, 1)), (1, 1, batch(1, 1))]), Place(*KEY, 0, 0))
    bench.reader.start({KEY: 0})
    assert bench.read(2) == [("logs.0710", 1)]
    assert bench.kept == [(Place(*KEY, 0, 0), "a worker died of it, again and again")]


def test_partitions_take_turns_and_one_that_pauses_is_left_out() -> None:
    log = [(number, number, batch(number, 1)) for number in range(2)]
    bench = Bench(Broker(own=log, other=log))
    bench.reader.start({KEY: 0, OTHER: 0})
    assert sorted(bench.read(2)) == [("logs.0710", 0), ("logs.0710.health", 0)]
    bench.reader.pause(KEY)
    assert bench.read(2) == [("logs.0710.health", 1)]
    assert not bench.reader.is_done()
    bench.reader.resume(KEY, 0)
    assert bench.read(2) == [("logs.0710", 0), ("logs.0710", 1)]


def test_what_is_gone_from_the_broker_is_passed_over() -> None:
    broker = Broker(own=[(5, 5, batch(5, 1))])
    broker.begin = 5
    bench = Bench(broker)
    bench.reader.start({KEY: 2})
    assert bench.read(2) == [("logs.0710", 5)]


def test_what_stops_a_batch_from_being_kept_leaves_it_to_be_tried_again() -> None:
    """A full disk: the position moves with the quarantine, and not before."""

    def full(*_: object) -> None:
        raise OSError("full")

    reader = SafeReader(Broker(own=[(0, 0, batch(0, 1, good=False))]), lambda _: None, full)  # type: ignore[arg-type]
    reader.start({KEY: 0})
    for _ in range(2):
        with pytest.raises(OSError, match="full"):
            reader.read()
    assert reader.offsets == {KEY: 0}
