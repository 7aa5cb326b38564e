"""Runs on the collector: says when so many more events have arrived, on the clock both ends share (CLOCK_MONOTONIC).

broker COUNT    acknowledged by the broker, and in the archive: prints both times
plain COUNT     lines in the file of the plain receiver
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

TOPIC = "logs.0710"
ARCHIVE = Path("/var/lib/vaern/archive/0710")
PLAIN = Path("/var/log/bench/plain.log")
SECONDS = 240.0


def offsets() -> Callable[[], int]:
    """Asks the broker for the end of the topic."""
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({
        "bootstrap.servers": "127.0.0.1:9092",
        "group.id": "bench",
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanisms": "PLAIN",
        "sasl.username": "local.broker",
        "sasl.password": Path("/var/lib/vaern-kafka/secrets/broker").read_text(encoding="ascii"),
    })  # fmt: skip
    return lambda: int(consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=30, cached=False)[1])


def archived() -> int:
    """The end of the archive, as an offset of the topic."""
    from vaern_programs.collector.archive import segments

    ends = [0]
    for path in segments.newest(ARCHIVE, TOPIC, 0).values():
        content = memoryview(path.read_bytes())
        ends += [block.offset + block.covered for block in segments.blocks(content)][-1:]
    return max(ends)


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
    """The first and the last of the events."""
    end = offsets()
    before = end()
    print("ready", flush=True)
    first = wait(lambda: end() > before, 0.05)
    return {
        "first": first,
        "broker": wait(lambda: end() >= before + count, 0.05),
        "archive": wait(lambda: archived() >= before + count, 0.1),
        "more": end() - before - count,
    }


def plain(count: int) -> dict[str, float]:
    """The file grows by whole buffers; it is counted once it has the size, and once it has the lines."""
    PLAIN.touch()
    before, size = lines(), PLAIN.stat().st_size
    print("ready", flush=True)
    wait(lambda: PLAIN.stat().st_size > size, 0.05)
    # No line is shorter than this, so that the file is read seldom.
    wait(lambda: PLAIN.stat().st_size >= size + 400 * count, 0.05)
    return {"broker": wait(lambda: lines() >= before + count, 0.05)}


if __name__ == "__main__":
    print(json.dumps({"broker": broker, "plain": plain}[sys.argv[1]](int(sys.argv[2]))))
