"""When each source was last heard, for the sentry: a small file beside the archiver, written once a second.

    {"logs.0710": {"as_of": 1795549034.8, "seen": {"firewall1": 1795549034.2, ...}, "told": {"vaern-gw1": "{...}"}}}

The archiver reads every event anyway. The Kafka key of an event is its source and its timestamp is the broker's clock,
so no event is parsed: one dictionary a batch. `as_of` is the time up to which the topic has been read: now when there
is nothing left to read, the last event's time otherwise. It stands still while the broker or the archiver does, so that
nobody is called silent who could not be heard. Sources that begin with `vaern-` are hosts of ours; the last message of
each is handed on as it is.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

DIRECTORY = Path(os.environ.get("RUNTIME_DIRECTORY", "/run/vaern-archiver"))
OWN = "vaern-"
MOST_SOURCES = 2000
"""Names of one topic that are remembered: a relay gone wrong must not fill the memory of all."""
LONGEST = 65536
"""Bytes of a message that is handed on."""


class Topic:
    """What was heard in one topic."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: dict[str, float] = {}
        self.told: dict[str, str] = {}
        self.partitions: dict[int, float] = {}

    def take(self, partition: int, batch: Iterable[Any]) -> None:
        """Remember a batch of messages of one partition, in the order they were in."""
        latest = {message.key(): message for message in batch}
        for key, message in latest.items():
            at = message.timestamp()[1] / 1000
            self.partitions[partition] = max(at, self.partitions.get(partition, 0.0))
            name = key.decode(errors="replace") if key else ""
            if name in self.seen or len(self.seen) < MOST_SOURCES:
                self.seen[name] = max(at, self.seen.get(name, 0.0))
                if name.startswith(OWN) and len(message.value() or b"") <= LONGEST:
                    self.told[name] = (message.value() or b"").decode(errors="replace")


class Sightings:
    """What was heard in all topics, and the file that says so."""

    def __init__(self, path: Path = DIRECTORY / "sightings.json") -> None:
        """Nothing is written before `write`."""
        self.path = path
        self.topics: dict[str, Topic] = {}
        self.answered = 0.0
        self.written = 0.0

    def broker_answered(self) -> None:
        """The broker is there, at this moment."""
        self.answered = time.time()

    def take(self, topic: str, partition: int, batch: Iterable[Any]) -> None:
        """Remember a batch that was read."""
        self.topics.setdefault(topic, Topic()).take(partition, batch)

    def write(self, partitions: Iterable[tuple[str, int]], all_read: Callable[[str, int], bool]) -> None:
        """Once a second, replace the file; `all_read` says whether a partition has been read to its end."""
        if time.monotonic() - self.written < 1:
            return
        self.written = time.monotonic()
        read_to: dict[str, float] = {}
        for name, number in partitions:
            topic = self.topics.setdefault(name, Topic())
            if all_read(name, number):
                topic.partitions[number] = max(self.answered, topic.partitions.get(number, 0.0))
            at = topic.partitions.get(number, 0.0)
            read_to[name] = min(at, read_to.get(name, at))
        text = json.dumps(
            {
                name: {"as_of": at, "seen": self.topics[name].seen, "told": self.topics[name].told}
                for name, at in read_to.items()
            }
        )
        temporary = self.path.with_suffix(".new")
        temporary.write_text(text, encoding="utf-8")
        temporary.replace(self.path)
