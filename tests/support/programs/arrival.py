"""Runs on the collector: says when so many more events have arrived, on the clock both ends share (CLOCK_MONOTONIC).

broker COUNT    acknowledged by the broker, and in the archive: prints both times
plain COUNT     lines in the file of the plain receiver
peer COUNT      records in the topic of another program in the relay's place, which is made when it is not there
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

TOPIC = "logs.0710"
PEER_TOPIC = "bench.peer"
ARCHIVE = Path("/var/lib/vaern/archive/0710")
PLAIN = Path("/var/log/bench/plain.log")
SECONDS = 240.0


def connection() -> dict[str, str]:
    """As the broker itself."""
    return {
        "bootstrap.servers": "127.0.0.1:9092",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "local.broker",
        "sasl.password": Path("/var/lib/vaern-kafka/secrets/broker").read_text(encoding="ascii"),
    }


def offsets(topic: str) -> Callable[[], int]:
    """Asks the broker for the end of a topic."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer(connection() | {"group.id": "bench"})
    return lambda: int(consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30, cached=False)[1])


class Archived:
    """Counts the lines of a topic in the archive: a record of the broker may be a block of many."""

    def __init__(self) -> None:
        self.ends: dict[Path, int] = {}
        self.count = 0

    def lines(self) -> int:
        from vaern_programs.collector.archive import segments

        for path in ARCHIVE.glob(f"*/{TOPIC}-*.zst"):
            begin = self.ends.get(path, 0)
            with path.open("rb") as file:
                file.seek(begin)
                content = memoryview(file.read())
            for block in segments.blocks(content):
                self.count += block.lines
                self.ends[path] = begin + block.end
        return self.count


def wait(reached: Callable[[], bool], pause: float) -> float:
    """When it was so; stops the program when it is not within the time."""
    limit = time.monotonic() + SECONDS
    while not reached():
        if time.monotonic() > limit:
            raise SystemExit(f"not arrived within {SECONDS:.0f} s")
        time.sleep(pause)
    return time.monotonic()


def lines() -> int:
    """Lines of the plain receiver's file."""
    with PLAIN.open("rb") as file:
        return sum(part.count(b"\n") for part in iter(lambda: file.read(1 << 20), b""))


def broker(count: int) -> dict[str, float]:
    """When the first of the events came, when the broker had the last, and when the archive had it."""
    end, archive = offsets(TOPIC), Archived()
    before, there = end(), archive.lines()
    print("ready", flush=True)
    first = last = wait(lambda: end() > before, 0.05)
    known, limit = before, time.monotonic() + SECONDS
    while archive.lines() < there + count:
        if time.monotonic() > limit:
            raise SystemExit(f"not arrived within {SECONDS:.0f} s")
        if (now := end()) != known:
            known, last = now, time.monotonic()
        time.sleep(0.05)
    return {"first": first, "broker": last, "archive": time.monotonic(), "more": archive.lines() - there - count}


def plain(count: int) -> dict[str, float]:
    """The file grows by whole buffers; it is counted once it has the size, and once it has the lines."""
    PLAIN.touch()
    before, size = lines(), PLAIN.stat().st_size
    print("ready", flush=True)
    wait(lambda: PLAIN.stat().st_size > size, 0.05)
    # No line is shorter than this, so that the file is read seldom.
    wait(lambda: PLAIN.stat().st_size >= size + 400 * count, 0.05)
    return {"broker": wait(lambda: lines() >= before + count, 0.05)}


def peer(count: int) -> dict[str, float]:
    """When the broker had so many records more."""
    from confluent_kafka.admin import AdminClient, NewTopic

    admin = AdminClient(connection())
    if PEER_TOPIC not in admin.list_topics(timeout=30).topics:
        admin.create_topics([NewTopic(PEER_TOPIC, 1, 1)])[PEER_TOPIC].result()
    end = offsets(PEER_TOPIC)
    before = end()
    print("ready", flush=True)
    return {"broker": wait(lambda: end() >= before + count, 0.05)}


if __name__ == "__main__":
    print(json.dumps({"broker": broker, "plain": plain, "peer": peer}[sys.argv[1]](int(sys.argv[2]))))
