"""When each source was last heard, for the alarm service: a small file beside the archiver, written once a second.

    {"logs.0710": {"as_of": 1795549034.8, "seen": {"firewall1": 1795549034.2, ...}, "told": {"vaern-gw1": "{...}"}}}

The archiver reads every event anyway. The Kafka key of an event is its source and its timestamp is the broker's clock,
so no event of a source is parsed: one dictionary a batch. `as_of` is the time up to which the topic has been read: now
when there is nothing left to read, the last event's time otherwise. It stands still while the broker or the archiver
does, so that nobody is called silent who could not be heard. Sources that begin with `vaern-` are hosts of ours; the
newest message of each is handed on as it is. A relay's queue that drains, and a repair, bring old ones after new.
"""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from vaern_programs.shared.files import replace
from vaern_programs.shared.reports import Sighting

DIRECTORY = Path(os.environ.get("RUNTIME_DIRECTORY", "/run/vaern-archiver"))
OWN = "vaern-"
MOST_SOURCES = 2000
"""Names of one topic that are remembered: a relay gone wrong must not fill the memory of all."""
LONGEST = 65536
"""Bytes of a message that is handed on."""
BOOTS = 8
"""Earlier starts of a relay that are remembered for each host."""


class Newest:
    """The newest message of a host, by the order its relay numbered them in and not by that of their arrival."""

    def __init__(self) -> None:
        """None yet."""
        self.text = ""
        self.boot, self.sequence = "", 0
        self.gone: deque[str] = deque(maxlen=BOOTS)

    def take(self, text: str) -> None:
        """Keep it, unless it is from before the one that is kept."""
        boot, sequence = _number(text)
        if boot in self.gone or (boot == self.boot and sequence < self.sequence):
            return
        if self.boot not in {boot, ""}:
            self.gone.append(self.boot)
        self.text, self.boot, self.sequence = text, boot, sequence


def _number(text: str) -> tuple[str, int]:
    """Start of the relay and number of an event; of what is none, nothing and 0."""
    try:
        event = json.loads(text)
        return str(event["boot"]), int(event["sequence"])
    except (ValueError, TypeError, KeyError, RecursionError):
        return "", 0


class Topic:
    """What was heard in one topic."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.seen: dict[str, float] = {}
        self.told: dict[str, Newest] = {}
        self.partitions: dict[int, float] = {}

    def take(self, partition: int, batch: Sequence[Any]) -> None:
        """Remember a batch of messages of one partition, in the order they were in."""
        latest = {message.key(): message for message in batch}
        for key, message in latest.items():
            at = message.timestamp()[1] / 1000
            self.partitions[partition] = max(at, self.partitions.get(partition, 0.0))
            name = key.decode(errors="replace") if key else ""
            if name in self.seen or len(self.seen) < MOST_SOURCES:
                self.seen[name] = max(at, self.seen.get(name, 0.0))
                if name.startswith(OWN):
                    self._told(name, (one.value() or b"" for one in batch if one.key() == key))

    def _told(self, name: str, messages: Iterable[bytes]) -> None:
        for message in messages:
            if len(message) <= LONGEST:
                self.told.setdefault(name, Newest()).take(message.decode(errors="replace"))


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

    def take(self, topic: str, partition: int, batch: Sequence[Any]) -> None:
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
        heard: dict[str, Sighting] = {
            name: {
                "as_of": at,
                "seen": self.topics[name].seen,
                "told": {host: newest.text for host, newest in self.topics[name].told.items()},
            }
            for name, at in read_to.items()
        }
        replace(self.path, json.dumps(heard), durable=False)
