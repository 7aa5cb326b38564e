"""When each declared source of a municipality was last heard, and the newest heartbeat of each of its hosts.

The archiver reads every event anyway. The Kafka key of an event is its source, the header of a block names all of its
sources, and the timestamp is the broker's clock, so no event of a source is parsed: one dictionary a batch. Only names
that are declared are remembered, so what a relay invents takes no room. A relay's queue that drains, and a repair,
bring old heartbeats after new ones.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from vaern_programs.collector.archive.reading import Key, Message
from vaern_programs.shared.blocks import Said
from vaern_programs.shared.reports import Sighting

LONGEST = 65536
"""Bytes of a heartbeat that is handed on."""
LONGEST_BOOT = 64
MOST_SEQUENCE = 10**18
BOOTS = 8
"""Earlier starts of a relay that are remembered for each host."""


class Newest:
    """The newest heartbeat of a host, by the order its relay numbered them in and not by that of their arrival."""

    def __init__(self) -> None:
        """None yet."""
        self.text = ""
        self.boot, self.sequence = "", -1
        self.earlier: deque[str] = deque(maxlen=BOOTS)

    def take(self, text: str) -> None:
        """Keep it, unless it is from before the one that is kept, or is no event."""
        number = numbered(text)
        if number is None:
            return
        boot, sequence = number
        if boot in self.earlier or (boot == self.boot and sequence < self.sequence):
            return
        if self.boot not in {boot, ""}:
            self.earlier.append(self.boot)
        self.text, self.boot, self.sequence = text, boot, sequence


def numbered(text: str) -> tuple[str, int] | None:
    """Start of the relay and number of an event; None for anything that is none, whatever it holds."""
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(event, dict):
        return None
    boot, sequence = event.get("boot"), event.get("sequence")
    whole = isinstance(boot, str) and 0 < len(boot) <= LONGEST_BOOT
    counted = isinstance(sequence, int) and not isinstance(sequence, bool) and 0 <= sequence < MOST_SEQUENCE
    return (str(boot), int(sequence or 0)) if whole and counted else None


class Sightings:
    """What was heard in the topics of one municipality."""

    def __init__(self, tenant: Mapping[str, Any]) -> None:
        """`tenant` is the municipality in the collector's settings; nothing is declared of one that is gone."""
        self.seen: dict[str, dict[str, float]] = {}
        """Topic and source to when it was heard last, Unix seconds."""
        self.heartbeats: dict[str, dict[str, Newest]] = {}
        """Topic and host's source to its newest heartbeat."""
        self.read_to: dict[Key, float] = {}
        """Partition to the time of the last event read, Unix seconds."""
        self.declare(tenant)

    def declare(self, tenant: Mapping[str, Any]) -> None:
        """Listen to these sources and hosts from now on, and forget all others."""
        self.hosts = {host["source"].encode(): str(host["source"]) for host in tenant.get("hosts", [])}
        self.names = {one["name"].encode(): str(one["name"]) for one in tenant.get("sources", [])} | self.hosts
        names = set(self.names.values())
        for seen in self.seen.values():
            for name in seen.keys() - names:
                del seen[name]
        for heartbeats in self.heartbeats.values():
            for name in heartbeats.keys() - names:
                del heartbeats[name]

    def take(self, topic: str, partition: int, batch: Sequence[Message]) -> None:
        """Remember a batch of events of one partition, in the order they were in."""
        for source, message in {message.key(): message for message in batch}.items():
            self._heard(message, [source or b""])
            if source in self.hosts:
                told = (one.value() or b"" for one in batch if one.key() == source)
                self._heartbeats(topic, self.hosts[source], told)

    def take_block(self, message: Message, said: Said) -> None:
        """Remember the sources of a block, which is what it says."""
        self._heard(message, (row[0].encode() for row in said["sources"]))

    def _heard(self, message: Message, sources: Iterable[bytes]) -> None:
        key, at = (message.topic(), message.partition()), message.timestamp()[1] / 1000
        seen = self.seen.setdefault(key[0], {})
        self.read_to[key] = max(at, self.read_to.get(key, 0.0))
        for source in sources:
            name = self.names.get(source)
            if name is not None:
                seen[name] = max(at, seen.get(name, 0.0))

    def _heartbeats(self, topic: str, name: str, messages: Iterable[bytes]) -> None:
        newest = self.heartbeats.setdefault(topic, {}).setdefault(name, Newest())
        for message in messages:
            if len(message) <= LONGEST:
                newest.take(message.decode(errors="replace"))

    def report(
        self, partitions: Iterable[Key], all_read: Callable[[Key], bool], answered: float
    ) -> dict[str, Sighting]:
        """Topic to what was heard in it.

        Args:
            partitions: those that are read.
            all_read: whether a partition has been read to its end.
            answered: Unix time at which the broker answered last. A topic with nothing left to read has been read up
                to then; otherwise up to its last event. That stands still while broker or archiver are away, so that
                nobody is called silent who could not be heard.
        """
        as_of: dict[str, float] = {}
        for key in partitions:
            if all_read(key):
                self.read_to[key] = max(answered, self.read_to.get(key, 0.0))
            at = self.read_to.get(key, 0.0)
            as_of[key[0]] = min(at, as_of.get(key[0], at))
        return {
            topic: {
                "as_of": at,
                "seen": self.seen.get(topic, {}),
                "told": {name: one.text for name, one in self.heartbeats.get(topic, {}).items() if one.text},
            }
            for topic, at in as_of.items()
        }
