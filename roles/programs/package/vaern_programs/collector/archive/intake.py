"""Sorts what was read from the broker into the partitions of the archive, by offset and without a gap unsaid."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Any

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.partition import Partition
from vaern_programs.collector.archive.sightings import Sightings

Key = tuple[str, int]
"""Topic and number of a partition."""


class Intake:
    """Adds messages to the partitions it is given; others may add to these, too."""

    def __init__(self, partitions: Mapping[Key, Partition], sightings: Sightings, alarms: Alarms) -> None:
        """`partitions` may grow; a message of one that is not there raises KeyError."""
        self.partitions = partitions
        self.sightings = sightings
        self.alarms = alarms
        self.halted: set[Key] = set()
        """Partitions of which nothing is archived any more."""

    def take(self, messages: Iterable[Any], paused: Container[Key]) -> None:
        """Sort a batch of messages into their partitions by the topic they came in, whatever they say.

        Those of a paused partition are left out: they are read again when it is resumed.
        """
        now = time.monotonic()
        batches: dict[Key, list[Any]] = defaultdict(list)
        for message in messages:
            batches[message.topic(), message.partition()].append(message)
        for key, batch in batches.items():
            if key not in paused and key not in self.halted:
                self._add(self.partitions[key], batch, now)
                self.sightings.take(*key, batch)

    def _add(self, partition: Partition, batch: list[Any], now: float) -> None:
        """Append a batch of one partition; a jump in the offsets begins a new segment."""
        expected = partition.next
        if batch[0].offset() == expected and batch[-1].offset() == expected + len(batch) - 1:
            partition.add([message.value() for message in batch], now)
            return
        for message in batch:
            offset = message.offset()
            if offset < partition.next:
                self._halt(partition, offset)
                return
            if offset != partition.next:
                skipped = partition.expect(offset)
                if skipped:
                    self.alarms.raise_alarm(
                        f"{partition.topic} gap",
                        f"{partition.topic}: {skipped} events before offset {offset} "
                        "were gone from the broker before they could be archived",
                    )
            partition.add([message.value()], now)

    def _halt(self, partition: Partition, offset: int) -> None:
        """Stop with a partition whose offsets went back: the broker's storage is not the one that was archived."""
        self.halted.add((partition.topic, partition.partition))
        self.alarms.raise_alarm(
            f"{partition.topic} halted",
            f"{partition.topic}: the broker is at offset {offset}, the archive already at "
            f"{partition.next}; the storage of the broker was replaced. Nothing is archived until this is settled",
        )
