"""Writes the topics of one municipality to its directory in the archive: the work of one worker of vaern-archiver.

Settings are read again when they change. On a full disk, or when the municipality has used its share, it reads no more
and raises an alarm: events wait in the broker, and nothing is dropped. Files older than the retention are deleted.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.capacity import MIB, Capacity
from vaern_programs.collector.archive.intake import Intake
from vaern_programs.collector.archive.observing import Observations
from vaern_programs.collector.archive.partition import DiskFullError, Partition
from vaern_programs.collector.archive.quarantine import Place, Quarantine
from vaern_programs.collector.archive.reading import Key, Reader
from vaern_programs.collector.archive.report import LEFTOVERS, Report
from vaern_programs.collector.archive.retention import delete_expired, of_sources
from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.files import read_json

TOPICS_SECONDS = 2.0
HOUSEKEEPING_SECONDS = 60.0
MEASURING_SECONDS = 600.0
DELETING_SECONDS = 2.0
"""Deletion stops reading for at most about so long; the rest is deleted a minute later."""
RETRY_SECONDS = 5.0
MOST_RECORDS = 50_000
"""In memory before they are written: the label of each block has a bit for each."""
LONGEST_RETENTION = 3650
"""Days that the quarantine of a municipality that is gone is kept."""


class Archiver:
    """Reads the topics of one municipality and writes them to its archive until it is told to stop."""

    def __init__(self, code: str, topics: Collection[str]) -> None:
        """Nothing is read before `run`. Raises OSError, ValueError when the settings cannot be read."""
        self.code, self.topics = code, sorted(topics)
        self.changed, self.settings = SETTINGS.stat().st_mtime, json.loads(SETTINGS.read_text(encoding="utf-8"))
        self.directory = Path(self.settings["archive"]["directory"]) / code
        self.partitions: dict[Key, Partition] = {}
        self.paused: dict[Key, float] = {}
        self.answered = 0.0
        self.alarms = Alarms()
        self.capacity = Capacity(code)
        self.quarantine = Quarantine(self.directory)
        self.sightings = Sightings(self.tenant)
        self.observations = Observations(code, self.settings, time.time())
        self.report = Report(code)
        self.intake = Intake(self.partitions, self.sightings, self.observations, self.alarms, self.set_aside)
        self.reader: Reader
        self.alive: Callable[[], None]
        self.stopping = False

    @property
    def tenant(self) -> dict[str, Any]:
        """What is declared of the municipality; only its code when it is gone."""
        return next((one for one in self.settings["tenants"] if one["code"] == self.code), {"code": self.code})

    def run(self, reader: Reader, alive: Callable[[], None], is_done: Callable[[], bool]) -> None:
        """Work until SIGTERM, or until it is done.

        Raises DamagedError for what cannot be read, ConnectionError when the broker stays away, OSError when the disk
        fails.

        Args:
            reader: how to read.
            alive: called again and again, so that somebody may notice when it is not any more.
            is_done: whether to stop.
        """
        self.reader, self.alive = reader, alive
        topics_at = housekeeping_at = measuring_at = 0.0
        done = False
        while not (self.stopping or done):
            alive()
            now = time.monotonic()
            if now >= housekeeping_at:
                deleted = delete_expired(self.settings, self.tenant, DELETING_SECONDS)
                if deleted or now >= measuring_at:
                    self.capacity.measure(self.settings, read_json(LEFTOVERS, 0))
                    self.quarantine.forget(self.tenant.get("retention_days", LONGEST_RETENTION))
                    measuring_at = now + MEASURING_SECONDS
                housekeeping_at = now + HOUSEKEEPING_SECONDS
            if now >= topics_at:
                self.reload()
                self.find_partitions()
                topics_at = now + TOPICS_SECONDS
            self.take()
            self.flush_due()
            if self.report.is_due():
                heard = self.sightings.report(self.partitions, self.all_read, self.answered)
                self.report.write(heard, self.quarantine, self.capacity, self.paused)
                self.observations.write()
            done = is_done()
        for key, partition in self.partitions.items():
            if key not in self.paused:  # What may not be written now is read again by the next worker.
                partition.close()

    def stop(self, *_: object) -> None:
        """Write what is in memory and end; a signal handler."""
        self.stopping = True

    def reload(self) -> None:
        """Take changed settings into use."""
        changed = SETTINGS.stat().st_mtime
        if changed != self.changed:
            self.settings, self.changed = json.loads(SETTINGS.read_text(encoding="utf-8")), changed
            self.sightings.declare(self.tenant)
            self.observations.declare(self.settings)
            self.capacity.measure(self.settings, read_json(LEFTOVERS, 0))
            for (topic, _), partition in self.partitions.items():
                partition.kept = of_sources(self.settings, topic)

    def find_partitions(self) -> None:
        """Begin with partitions that are new, where the archive ends or behind what is in quarantine."""
        offsets: dict[Key, int] = {}
        try:
            for topic in self.topics:
                for number in self.reader.partitions(topic):
                    if (topic, number) not in self.partitions:
                        offsets[topic, number] = self._begin(topic, number)
            self.answered = time.time()
            if offsets:
                self.reader.start(offsets)
        except ConnectionError as error:
            for key in offsets:
                del self.partitions[key]
            self.alarms.raise_alarm("broker", f"The broker does not answer: {error}")
            return
        if offsets:
            where = ", ".join(f"{topic}/{number} from {offset}" for (topic, number), offset in offsets.items())
            print(f"Archiving {where}", flush=True)

    def _begin(self, topic: str, number: int) -> int:
        segment_bytes = int(self.settings["archive"]["segment_mib"] * MIB)
        partition = Partition(self.directory, topic, number, segment_bytes, of_sources(self.settings, topic))
        partition.skip(self.quarantine.after(topic, number, partition.next))
        self.partitions[topic, number] = partition
        return partition.next

    def take(self) -> None:
        """Add what comes to the archive, and say what the broker refused. Raises DamagedError, OSError."""
        try:
            messages, refusals = self.reader.read()
        except ConnectionError as error:
            self.alarms.raise_alarm("broker", f"The broker does not answer: {error}")
            time.sleep(1)
            return
        except DiskFullError:
            return  # What could not be read is tried again when there is room.
        for refusal in refusals:
            self.alarms.raise_alarm(refusal, refusal)
        self.intake.take(messages, self.paused, self.alive)

    def set_aside(self, place: Place, reason: str, content: bytes) -> None:
        """Put one event or block into quarantine. What stands for it is archived in its place. Raises OSError."""
        self.quarantine.keep(place, reason, content, behind=False)
        self._say_quarantined(place, reason)

    def skip(self, place: Place, reason: str, content: bytes) -> None:
        """Put what was fetched into quarantine, and go on behind it. Raises OSError, DiskFullError."""
        key = (place.topic, place.partition)
        try:
            self.partitions[key].flush()
            self.quarantine.keep(place, reason, content, behind=True)
        except DiskFullError as error:
            self.pause(key, self.partitions[key], str(error))
            raise
        self.partitions[key].skip(place.last + 1)
        self._say_quarantined(place, reason)

    def _say_quarantined(self, place: Place, reason: str) -> None:
        self.alarms.raise_alarm(
            f"{place.topic} quarantine",
            f"{place.topic}/{place.partition}: offsets {place.first} to {place.last} are in quarantine and not in the "
            f"archive ({reason}); vaern-archive-quarantine --code {self.code} lists all",
        )

    def all_read(self, key: Key) -> bool:
        """Whether nothing is left to read in a partition, as of the broker's last answer; asks nobody."""
        if key in self.paused or key in self.intake.halted:
            return False
        return 0 <= self.reader.end(key) <= max(self.partitions[key].next, 0)

    def flush_due(self) -> None:
        """Write partitions that have waited long enough or hold enough; pause those that cannot be written."""
        now = time.monotonic()
        archive = self.settings["archive"]
        for key, partition in self.partitions.items():
            if not partition.waiting or now < self.paused.get(key, 0.0):
                continue
            full = partition.buffered >= archive["flush_mib"] * MIB or partition.waiting >= MOST_RECORDS
            if not full and now - partition.since < archive["flush_seconds"]:
                continue
            try:
                self.capacity.require(self.settings)
                self.capacity.add(partition.flush())
            except DiskFullError as error:
                self.pause(key, partition, str(error))
            else:
                self.resume(key, partition)

    def pause(self, key: Key, partition: Partition, reason: str) -> None:
        """Read no more of a partition; what is in memory stays and is tried again in a while."""
        self.alarms.raise_alarm(
            f"{key} paused", f"Archiving of {partition.topic} is paused, its events wait in the broker: {reason}"
        )
        if key not in self.paused:
            self.reader.pause(key)
        self.paused[key] = time.monotonic() + RETRY_SECONDS

    def resume(self, key: Key, partition: Partition) -> None:
        """Read again, from the first event that is not in the archive."""
        if key in self.paused:
            del self.paused[key]
            self.reader.resume(key, partition.next)
            self.alarms.clear(f"{key} paused")
            print(f"Archiving of {partition.topic} goes on", flush=True)
