"""Sorts what was read from the broker into the partitions of the archive, by offset; each gap is an alarm."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping
from itertools import groupby

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.observing import Observations
from vaern_programs.collector.archive.partition import Partition
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.reading import Key, Message
from vaern_programs.collector.archive.segments import code_of
from vaern_programs.collector.archive.sightings import Sightings
from vaern_programs.shared.blocks import is_block, opened
from vaern_programs.shared.json_text import UnfitError

LONGEST = 2**20
"""Bytes of an event. A relay sends no longer one, as the broker takes no bigger batch; packed, it would."""


class Intake:
    """Adds messages to the partitions it is given; others may add to these, too."""

    def __init__(
        self,
        partitions: Mapping[Key, Partition],
        sightings: Sightings,
        observations: Observations,
        alarms: Alarms,
        set_aside: Callable[[Place, str, bytes], None],
    ) -> None:
        """`partitions` may grow; a message of one that is not there raises KeyError.

        `set_aside` is given an event that is too long, or a block that is none, with its place and the reason.
        """
        self.partitions = partitions
        self.sightings = sightings
        self.observations = observations
        self.alarms = alarms
        self.set_aside = set_aside
        self.halted: set[Key] = set()
        """Partitions of which nothing is archived any more."""

    def take(
        self, messages: Iterable[Message], paused: Container[Key], alive: Callable[[], None] = lambda: None
    ) -> None:
        """Sort a batch of messages into their partitions by the topic they came in, whatever they say.

        Those of a paused partition are left out: they are read again when it is resumed. `alive` is called again and
        again, as what the blocks of a batch unpack to may be thousands of times the batch.
        """
        now = time.monotonic()
        batches: dict[Key, list[Message]] = defaultdict(list)
        for message in messages:
            batches[message.topic(), message.partition()].append(message)
        for key, batch in batches.items():
            # Blocks one at a time: unpacked, many of them take more memory than a worker has.
            for are_blocks, part in groupby(batch, lambda message: is_block(message.value())):
                for together in ([one] for one in part) if are_blocks else [list(part)]:
                    alive()
                    if key not in paused and key not in self.halted:
                        (self._take_block if are_blocks else self._take_events)(self.partitions[key], together, now)

    def _take_events(self, partition: Partition, batch: list[Message], now: float) -> None:
        values = [message.value() for message in batch]
        for number, value in enumerate(values):
            if value is not None and len(value) > LONGEST:
                reason = f"an event of {len(value)} bytes, {LONGEST} at most are archived"
                values[number] = self._stand_in(partition, batch[number], reason)
        expected = partition.next
        if batch[0].offset() == expected and batch[-1].offset() == expected + len(batch) - 1:
            partition.add(values, now)
        else:
            for message, value in zip(batch, values, strict=True):
                if not self._follows(partition, message.offset()):
                    return
                partition.add([value], now)
        self.sightings.take(partition.topic, partition.partition, batch)
        self.observations.take(batch)

    def _take_block(self, partition: Partition, batch: list[Message], now: float) -> None:
        (message,) = batch
        if not self._follows(partition, message.offset()):
            return
        try:
            block = opened(message.value() or b"", code_of(partition.topic) or "")
        except UnfitError as error:
            partition.add([self._stand_in(partition, message, f"a block that is none: {error}")], now)
            self.sightings.take(partition.topic, partition.partition, batch)
        else:
            partition.add_block(block, now)
            self.sightings.take_block(message, block.said)
            self.observations.take_block(message, block)

    def _follows(self, partition: Partition, offset: int) -> bool:
        """Whether a record can be archived; a jump in the offsets begins a new segment."""
        if offset < partition.next:
            self._halt(partition, offset)
            return False
        if offset != partition.next:
            skipped = partition.expect(offset)
            if skipped:
                self.alarms.raise_alarm(
                    f"{partition.topic} gap",
                    f"{partition.topic}: {skipped} records before offset {offset} "
                    "were gone from the broker before they could be archived",
                )
        return True

    def _stand_in(self, partition: Partition, message: Message, reason: str) -> bytes:
        """Set a record aside; what is archived in its place."""
        offset = message.offset()
        self.set_aside(Place(partition.topic, partition.partition, offset, offset), reason, message.value() or b"")
        return b'{"quarantined":"%s/%d/%d"}' % (partition.topic.encode(), partition.partition, offset)

    def _halt(self, partition: Partition, offset: int) -> None:
        """Stop with a partition whose offsets went back: the broker's storage is not the one that was archived."""
        self.halted.add((partition.topic, partition.partition))
        self.alarms.raise_alarm(
            f"{partition.topic} halted",
            f"{partition.topic}: the broker is at offset {offset}, the archive already at "
            f"{partition.next}; the storage of the broker was replaced. Nothing is archived until this is settled",
        )
