"""Runs on the collector: CPU seconds to read everything in a topic, and to remember who was heard in it.

TOPIC; prints {"events", "reading", "hearing"}: what a reader of its own would cost, and what the sightings add to the
archiver, which reads anyway.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition

from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.shared.blocks import SAID, divided, is_block

SETTINGS = {
    "bootstrap.servers": "127.0.0.1:9092",
    "security.protocol": "SASL_PLAINTEXT",
    "sasl.mechanisms": "PLAIN",
    "sasl.username": "local.archiver",
    "sasl.password": Path("/var/lib/vaern-kafka/secrets/archiver").read_text(encoding="ascii"),
    "group.id": "vaern-archiver",
    "enable.auto.commit": False,
    "log_level": 0,
}


def declared(topic: str) -> dict[str, Any]:
    """The municipality of a topic, in the settings of the collector."""
    settings = json.loads(Path("/etc/vaern/collector/collector.json").read_text(encoding="utf-8"))
    found: dict[str, Any] = next(one for one in settings["tenants"] if one["code"] in topic)
    return found


def read(topic: str, sightings: Sightings | None) -> tuple[int, float, float]:
    """Events read, CPU seconds of it all, and of the sightings alone."""
    consumer, events, hearing, at = Consumer(SETTINGS), 0, 0.0, 0
    consumer.assign([TopicPartition(topic, 0, OFFSET_BEGINNING)])
    # Heartbeats never stop: what there is now is read, and no more is waited for.
    _, end = consumer.get_watermark_offsets(TopicPartition(topic, 0), timeout=30)
    began = time.process_time()
    while at < end:
        batch = [message for message in consumer.consume(5000, 0.1) if message.error() is None]
        at = batch[-1].offset() + 1 if batch else at
        blocks = [(one, SAID.parse(divided(one.value())[0])) for one in batch if is_block(one.value())]
        single = [one for one in batch if not is_block(one.value())]
        events += len(single) + sum(said["lines"] for _, said in blocks)
        if sightings is not None:
            before = time.process_time()
            if single:
                sightings.take(topic, 0, single)
            for one, said in blocks:
                sightings.take_block(one, said)
            hearing += time.process_time() - before
    spent = time.process_time() - began
    consumer.close()
    return events, spent, hearing


if __name__ == "__main__":
    count, without, _ = read(sys.argv[1], None)
    _, _, alone = read(sys.argv[1], Sightings(declared(sys.argv[1])))
    sys.stdout.write(json.dumps({"events": count, "reading": round(without, 3), "hearing": round(alone, 4)}) + "\n")
