"""Writes each topic of the broker to the directory of its municipality; runs as vaern-archiver.service.

Settings are read again when /etc/vaern/collector/collector.json changes. On a full disk, or when a municipality has
used its share, it stops reading and says ALARM in the journal: events wait in the broker, and nothing is dropped.
Files older than the retention are deleted, with one line each in <archive>/<code>/deleted.jsonl.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from vaern_programs.collector.archive.partition import DiskFullError, Partition
from vaern_programs.collector.archive.retention import delete, due
from vaern_programs.collector.archive.segments import code_of
from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.shared.local_broker import as_user, credential
from vaern_programs.shared.systemd import alarm, notify
from vaern_programs.shared.times import utc

SETTINGS = Path("/etc/vaern/collector/collector.json")
BATCH = 5000
TOPICS_SECONDS = 2.0
HOUSEKEEPING_SECONDS = 60.0
DELETING_SECONDS = 2.0
"""Deletion stops reading for at most about so long; the rest is deleted a minute later."""
ALARM_SECONDS = 60.0
RETRY_SECONDS = 5.0
MIB = 1024 * 1024


class Archiver:
    """Reads from the broker and writes to the partitions of the archive until it is told to stop."""

    def __init__(self, consumer: Consumer, settings: dict[str, Any]) -> None:
        """Nothing is read before `run`."""
        self.consumer = consumer
        self.settings = settings
        self.changed = SETTINGS.stat().st_mtime
        self.partitions: dict[tuple[str, int], Partition] = {}
        self.paused: dict[tuple[str, int], float] = {}
        self.halted: set[tuple[str, int]] = set()
        self.alarms: dict[str, float] = {}
        self.used: dict[str, int] = {}
        self.sightings = Sightings()
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
                self.delete_expired()
                self.measure()
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
                partition.kept = self.kept(topic)

    def kept(self, topic: str) -> dict[bytes, int]:
        """Days of the sources of a municipality that have a retention of their own."""
        for tenant in self.settings["tenants"]:
            if tenant["code"] == code_of(topic):
                return {one["source"].encode(): one["days"] for one in tenant.get("retention_by_source", [])}
        return {}

    def find_topics(self) -> None:
        """Begin with topics that are new, where the archive ends."""
        try:
            topics = self.consumer.list_topics(timeout=5).topics
        except KafkaException as error:
            self.alarm("broker", f"The broker does not answer: {error}")
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
                self.alarm(name, f"{name} has no directory in the archive; its events wait in the broker")
                continue
            for number in fresh:
                segment_bytes = int(self.settings["archive"]["segment_mib"] * MIB)
                partition = Partition(directory, name, number, segment_bytes, self.kept(name))
                self.partitions[name, number] = partition
                new.append(TopicPartition(name, number, partition.next if partition.next >= 0 else OFFSET_BEGINNING))
        if new:
            self.consumer.incremental_assign(new)
            print(
                f"Archiving {', '.join(f'{part.topic}/{part.partition} from {part.offset}' for part in new)}",
                flush=True,
            )

    def take(self, messages: list[Any]) -> None:
        """Sort a batch of messages into their partitions by the topic they came in, whatever they say."""
        now = time.monotonic()
        batches: dict[tuple[str, int], list[Any]] = defaultdict(list)
        for message in messages:
            if message.error() is not None:
                self.report(message)
            else:
                batches[message.topic(), message.partition()].append(message)
        for key, batch in batches.items():
            if key not in self.paused and key not in self.halted:
                self.add(self.partitions[key], batch, now)
                self.sightings.take(*key, batch)

    def add(self, partition: Partition, batch: list[Any], now: float) -> None:
        """Append a batch of one partition; a jump in the offsets begins a new segment."""
        expected = partition.next
        if batch[0].offset() == expected and batch[-1].offset() == expected + len(batch) - 1:
            partition.add([message.value() for message in batch], now)
            return
        for message in batch:
            offset = message.offset()
            if offset < partition.next:
                self.halt(partition, offset)
                return
            if offset != partition.next:
                skipped = partition.expect(offset)
                if skipped:
                    self.alarm(
                        f"{partition.topic} gap",
                        f"{partition.topic}: {skipped} events before offset {offset} "
                        "were gone from the broker before they could be archived",
                    )
            partition.add([message.value()], now)

    def halt(self, partition: Partition, offset: int) -> None:
        """Stop with a partition whose offsets went back: the broker's storage is not the one that was archived."""
        self.halted.add((partition.topic, partition.partition))
        self.alarm(
            f"{partition.topic} halted",
            f"{partition.topic}: the broker is at offset {offset}, the archive already at "
            f"{partition.next}; the storage of the broker was replaced. Nothing is archived until this is settled",
        )

    def report(self, message: Any) -> None:
        """Say what the broker refused; an offset that is gone means events were lost, so it must be heard."""
        error = message.error()
        if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
            return  # The library asks for a group as soon as it connects; none is used, the archive is the position.
        self.alarm(f"{message.topic()} {error.code()}", f"{message.topic() or 'The broker'}: {error.str()}")

    def all_read(self, topic: str, number: int) -> bool:
        """Whether nothing is left to read in a partition, as of the broker's last answer; asks nobody."""
        if (topic, number) in self.paused or (topic, number) in self.halted:
            return False
        high = self.consumer.get_watermark_offsets(TopicPartition(topic, number), cached=True)[1]
        return bool(0 <= high <= max(self.partitions[topic, number].next, 0))

    def flush_due(self) -> None:
        """Write partitions that have waited long enough or hold enough; pause those that cannot be written."""
        now = time.monotonic()
        archive = self.settings["archive"]
        limits = {tenant["code"]: tenant["max_gib"] * 1024 * MIB for tenant in self.settings["tenants"]}
        for key, partition in self.partitions.items():
            if not partition.lines or now < self.paused.get(key, 0.0):
                continue
            if partition.buffered < archive["flush_mib"] * MIB and now - partition.since < archive["flush_seconds"]:
                continue
            code = str(code_of(partition.topic))
            try:
                if self.used.get(code, 0) > limits.get(code, float("inf")):
                    raise DiskFullError(f"{partition.topic} has used its share of the archive")
                if shutil.disk_usage(archive["directory"]).free < archive["reserve_mib"] * MIB:
                    raise DiskFullError("The disk of the archive is full")
                self.used[code] = self.used.get(code, 0) + partition.flush()
            except DiskFullError as error:
                self.pause(key, partition, str(error))
            else:
                self.resume(key, partition)

    def pause(self, key: tuple[str, int], partition: Partition, reason: str) -> None:
        """Read no more of a partition; what is in memory stays and is tried again in a while."""
        self.alarm(f"{key} paused", f"Archiving is paused, events wait in the broker: {reason}")
        if key not in self.paused:
            self.consumer.pause([TopicPartition(*key)])
        self.paused[key] = time.monotonic() + RETRY_SECONDS

    def resume(self, key: tuple[str, int], partition: Partition) -> None:
        """Read again, from the first event that is not in the archive."""
        if key in self.paused:
            del self.paused[key]
            self.consumer.resume([TopicPartition(*key)])
            self.consumer.seek(TopicPartition(*key, partition.next))
            self.alarms.pop(f"{key} paused", None)
            print(f"Archiving of {partition.topic} goes on", flush=True)

    def measure(self) -> None:
        """Count the bytes of each municipality again."""
        root = Path(self.settings["archive"]["directory"])
        for tenant in self.settings["tenants"]:
            self.used[tenant["code"]] = sum(path.stat().st_size for path in (root / tenant["code"]).glob("*/*.zst"))

    def delete_expired(self) -> None:
        """Delete and record files past their retention; a municipality that is gone keeps its archive."""
        today, limit = utc(time.time()).date(), time.monotonic() + DELETING_SECONDS
        for tenant in self.settings["tenants"]:
            directory = Path(self.settings["archive"]["directory"]) / tenant["code"]
            for path, kept in due(directory, today, tenant["retention_days"]):
                if time.monotonic() > limit:
                    return
                delete(directory, path, kept)

    def alarm(self, about: str, message: str) -> None:
        """Say it in the journal with priority alert, once a minute for as long as it lasts."""
        now = time.monotonic()
        if now - self.alarms.get(about, -ALARM_SECONDS) >= ALARM_SECONDS:
            self.alarms[about] = now
            alarm(message)


def consumer() -> Consumer:
    """A reader that is told where to begin by the archive, never by the broker."""
    return Consumer(
        {
            **as_user("archiver", credential()),
            "group.id": "vaern-archiver",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "check.crcs": True,
            "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 100,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "queued.max.messages.kbytes": 16384,
            "queued.min.messages": 20000,
        }
    )


def main(_: list[str]) -> int:
    """Run as a service."""
    os.umask(0o027)
    archiver = Archiver(consumer(), json.loads(SETTINGS.read_text(encoding="utf-8")))

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, archiver.stop)
    notify("READY=1")
    archiver.run()
    return 0
