"""Sorts what was read from the broker into the partitions of the archive, by offset; each gap is an alarm."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.partition import Partition
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.reading import Key, Message
from vaern_programs.collector.archive.sightings import Sightings

LONGEST = 2**20
"""Bytes of an event. A relay sends no longer one, as the broker takes no bigger batch; packed, it would."""


class Intake:
    """Adds messages to the partitions it is given; others may add to these, too."""

    def __init__(
        self,
        partitions: Mapping[Key, Partition],
        sightings: Sightings,
        alarms: Alarms,
        set_aside: Callable[[Place, str, bytes], None],
    ) -> None:
        """`partitions` may grow; a message of one that is not there raises KeyError.

        `set_aside` is given an event that is too long, with its place and the reason.
        """
        self.partitions = partitions
        self.sightings = sightings
        self.alarms = alarms
        self.set_aside = set_aside
        self.halted: set[Key] = set()
        """Partitions of which nothing is archived any more."""

    def take(self, messages: Iterable[Message], paused: Container[Key]) -> None:
        """Sort a batch of messages into their partitions by the topic they came in, whatever they say.

        Those of a paused partition are left out: they are read again when it is resumed.
        """
        now = time.monotonic()
        batches: dict[Key, list[Message]] = defaultdict(list)
        for message in messages:
            batches[message.topic(), message.partition()].append(message)
        for key, batch in batches.items():
            if key not in paused and key not in self.halted:
                self._add(self.partitions[key], batch, now)
                self.sightings.take(*key, batch)

    def _add(self, partition: Partition, batch: list[Message], now: float) -> None:
        """Append a batch of one partition; a jump in the offsets begins a new segment."""
        expected = partition.next
        if batch[0].offset() == expected and batch[-1].offset() == expected + len(batch) - 1:
            partition.add(self._values(partition, batch), now)
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
            partition.add(self._values(partition, [message]), now)

    def _values(self, partition: Partition, batch: Sequence[Message]) -> list[bytes | None]:
        """The events of a batch; for one that is too long, a line that says where it was."""
        values = [message.value() for message in batch]
        for number, value in enumerate(values):
            if value is not None and len(value) > LONGEST:
                offset = batch[number].offset()
                place = Place(partition.topic, partition.partition, offset, offset)
                self.set_aside(place, f"an event of {len(value)} bytes, {LONGEST} at most are archived", value)
                values[number] = b'{"quarantined":"%s/%d/%d"}' % (place.topic.encode(), place.partition, offset)
        return values

    def _halt(self, partition: Partition, offset: int) -> None:
        """Stop with a partition whose offsets went back: the broker's storage is not the one that was archived."""
        self.halted.add((partition.topic, partition.partition))
        self.alarms.raise_alarm(
            f"{partition.topic} halted",
            f"{partition.topic}: the broker is at offset {offset}, the archive already at "
            f"{partition.next}; the storage of the broker was replaced. Nothing is archived until this is settled",
        )
