"""Writes each topic of the broker to the directory of its municipality; runs as vaern-archiver.service.

Settings are read again when /etc/vaern/collector/collector.json changes. On a full disk, or when a municipality has
used its share, it stops reading and says ALARM in the journal: events wait in the broker, and nothing is dropped.
Files older than the retention are deleted, with one line each in <archive>/<code>/deleted.jsonl.
"""

from __future__ import annotations

import json
import os
import signal
import time
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.capacity import MIB, Capacity
from vaern_programs.collector.archive.intake import Intake, Key
from vaern_programs.collector.archive.partition import DiskFullError, Partition
from vaern_programs.collector.archive.reader import consumer, refusal
from vaern_programs.collector.archive.retention import delete_expired, of_sources
from vaern_programs.collector.archive.segments import code_of
from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.shared.systemd import notify

SETTINGS = Path("/etc/vaern/collector/collector.json")
BATCH = 5000
TOPICS_SECONDS = 2.0
HOUSEKEEPING_SECONDS = 60.0
DELETING_SECONDS = 2.0
"""Deletion stops reading for at most about so long; the rest is deleted a minute later."""
RETRY_SECONDS = 5.0


class Archiver:
    """Reads from the broker and writes to the partitions of the archive until it is told to stop."""

    def __init__(self, consumer: Consumer, settings: dict[str, Any]) -> None:
        """Nothing is read before `run`."""
        self.consumer = consumer
        self.settings = settings
        self.changed = SETTINGS.stat().st_mtime
        self.partitions: dict[Key, Partition] = {}
        self.paused: dict[Key, float] = {}
        self.alarms = Alarms()
        self.capacity = Capacity()
        self.sightings = Sightings()
        self.intake = Intake(self.partitions, self.sightings, self.alarms)
        self.stopping = False

    def run(self) -> None:
        """Work until SIGTERM. Raises KafkaException when the broker stays away, OSError when the disk fails."""
        topics_at = housekeeping_at = 0.0
        while not self.stopping:
            now = time.monotonic()
            if now >= topics_at:
                self.reload()
                self.find_topics()
                topics_at = now + TOPICS_SECONDS
            if now >= housekeeping_at:
                delete_expired(self.settings, DELETING_SECONDS)
                self.capacity.measure(self.settings)
                housekeeping_at = now + HOUSEKEEPING_SECONDS
            self.take(self.consumer.consume(BATCH, 0.1))
            self.flush_due()
            self.sightings.write(self.partitions, self.all_read)
        for partition in self.partitions.values():
            partition.close()

    def stop(self, *_: object) -> None:
        """Write what is in memory and end; a signal handler."""
        self.stopping = True

    def reload(self) -> None:
        """Take changed settings into use."""
        changed = SETTINGS.stat().st_mtime
        if changed != self.changed:
            self.settings, self.changed = json.loads(SETTINGS.read_text(encoding="utf-8")), changed
            for (topic, _), partition in self.partitions.items():
                partition.kept = of_sources(self.settings, topic)

    def find_topics(self) -> None:
        """Begin with topics that are new, where the archive ends."""
        try:
            topics = self.consumer.list_topics(timeout=5).topics
        except KafkaException as error:
            self.alarms.raise_alarm("broker", f"The broker does not answer: {error}")
            return
        self.sightings.broker_answered()
        new = []
        for name in sorted(topics):
            code = code_of(name)
            directory = Path(self.settings["archive"]["directory"]) / str(code)
            fresh = [number for number in topics[name].partitions if (name, number) not in self.partitions]
            if code is None or not fresh:
                continue
            if not directory.is_dir():
                self.alarms.raise_alarm(name, f"{name} has no directory in the archive; its events wait in the broker")
                continue
            for number in fresh:
                segment_bytes = int(self.settings["archive"]["segment_mib"] * MIB)
                partition = Partition(directory, name, number, segment_bytes, of_sources(self.settings, name))
                self.partitions[name, number] = partition
                new.append(TopicPartition(name, number, partition.next if partition.next >= 0 else OFFSET_BEGINNING))
        if new:
            self.consumer.incremental_assign(new)
            print(
                f"Archiving {', '.join(f'{part.topic}/{part.partition} from {part.offset}' for part in new)}",
                flush=True,
            )

    def take(self, messages: list[Any]) -> None:
        """Add what was read to the archive, and say what the broker refused."""
        for message in messages:
            if message.error() is not None and (found := refusal(message)):
                self.alarms.raise_alarm(*found)
        self.intake.take((message for message in messages if message.error() is None), self.paused)

    def all_read(self, topic: str, number: int) -> bool:
        """Whether nothing is left to read in a partition, as of the broker's last answer; asks nobody."""
        if (topic, number) in self.paused or (topic, number) in self.intake.halted:
            return False
        high = self.consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)[1]
        return bool(0 <= high <= max(self.partitions[topic, number].next, 0))

    def flush_due(self) -> None:
        """Write partitions that have waited long enough or hold enough; pause those that cannot be written."""
        now = time.monotonic()
        archive = self.settings["archive"]
        for key, partition in self.partitions.items():
            if not partition.lines or now < self.paused.get(key, 0.0):
                continue
            if partition.buffered < archive["flush_mib"] * MIB and now - partition.since < archive["flush_seconds"]:
                continue
            try:
                self.capacity.require(self.settings, partition.topic)
                self.capacity.add(partition.topic, partition.flush())
            except DiskFullError as error:
                self.pause(key, partition, str(error))
            else:
                self.resume(key, partition)

    def pause(self, key: Key, partition: Partition, reason: str) -> None:
        """Read no more of a partition; what is in memory stays and is tried again in a while."""
        self.alarms.raise_alarm(f"{key} paused", f"Archiving is paused, events wait in the broker: {reason}")
        if key not in self.paused:
            self.consumer.pause([TopicPartition(*key)])
        self.paused[key] = time.monotonic() + RETRY_SECONDS

    def resume(self, key: Key, partition: Partition) -> None:
        """Read again, from the first event that is not in the archive."""
        if key in self.paused:
            del self.paused[key]
            self.consumer.resume([TopicPartition(*key)])
            self.consumer.seek(TopicPartition(*key, partition.next))
            self.alarms.clear(f"{key} paused")
            print(f"Archiving of {partition.topic} goes on", flush=True)


def main(_: list[str]) -> int:
    """Run as a service."""
    os.umask(0o027)
    archiver = Archiver(consumer(), json.loads(SETTINGS.read_text(encoding="utf-8")))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, archiver.stop)
    notify("READY=1")
    archiver.run()
    return 0
