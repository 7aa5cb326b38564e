"""How a worker reads after one that died: one batch after the other, each unpacked within bounds.

Fetched by kafka-python, taken apart by batches.py. A batch that cannot be read goes into quarantine, and reading goes
on behind it. What is tried is announced first, so that whatever a batch does to this process, it is known which it was.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Container, Mapping
from typing import Any, NamedTuple

from vaern_programs.collector.archive.batches import Batch, Record, UnreadableError, records, split
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.reading import ANSWER_SECONDS, USER, WAIT_SECONDS, Key, Message
from vaern_programs.shared.local_broker import ADDRESS, credential

FETCH_BYTES = 2**20
"""Of one partition at a time; the broker gives a whole batch, however big it is."""
OUT_OF_RANGE = 1
"""The broker's error for an offset that it does not have any more."""
EARLIEST = -2
"""In the place of a time: the first offset that the broker has."""
REST_SECONDS = 0.1
"""After a batch that could not be read: each costs two writes to the disk that all share."""


class SafeMessage(NamedTuple):
    """A record with the methods of confluent-kafka's."""

    of: Key
    record: Record
    time: int

    def topic(self) -> str:
        """See Message."""
        return self.of[0]

    def partition(self) -> int:
        """See Message."""
        return self.of[1]

    def offset(self) -> int:
        """See Message."""
        return self.record.offset

    def key(self) -> bytes | None:
        """See Message."""
        return self.record.key

    def value(self) -> bytes | None:
        """See Message."""
        return self.record.value

    def timestamp(self) -> tuple[int, int]:
        """See Message."""
        return 2, self.time


class SafeReader:
    """Reads by single requests. Raises ConnectionError when the broker does not answer."""

    def __init__(
        self,
        broker: Broker,
        announce: Callable[[Place], None],
        quarantine: Callable[[Place, str, bytes], None],
        skipped: Container[Place] = (),
    ) -> None:
        """Nothing is read yet.

        Args:
            broker: where to fetch from.
            announce: told of each batch before it is unpacked.
            quarantine: takes a batch that cannot be read, with the reason; what it was given is not read again.
            skipped: batches that are not even unpacked: a worker died of each.
        """
        self.broker, self.announce, self.quarantine, self.skipped = broker, announce, quarantine, skipped
        self.offsets: dict[Key, int] = {}
        self.paused: set[Key] = set()
        self.ends: dict[Key, int] = {}
        self.turn: deque[Key] = deque()

    def start(self, offsets: Mapping[Key, int]) -> None:
        """See Reader."""
        for key, offset in offsets.items():
            self.offsets[key] = offset if offset >= 0 else self.broker.earliest(key)
            self.turn.append(key)

    def read(self) -> tuple[list[Message], list[str]]:
        """See Reader. One request to one partition; they take turns."""
        for _ in range(len(self.turn)):
            self.turn.rotate(-1)
            key = self.turn[0]
            if key in self.paused:
                continue
            content, self.ends[key], error = self.broker.fetch(key, self.offsets[key])
            if error == OUT_OF_RANGE:
                self.offsets[key] = self.broker.earliest(key)
            elif error:
                return [], [f"{key[0]}: the broker refuses with its error {error}"]
            elif content:
                return self._messages(key, content), []
        time.sleep(WAIT_SECONDS)
        return [], []

    def _messages(self, key: Key, content: bytes) -> list[Message]:
        """The records of the first batch that has any from the offset on."""
        for batch in split(content):
            if batch.last < self.offsets[key]:
                continue
            place = Place(*key, max(batch.first, self.offsets[key]), batch.last)
            self.announce(place)
            try:
                found = self._records(place, batch)
            except UnreadableError as error:
                self.quarantine(place, str(error), batch.data)
                time.sleep(REST_SECONDS)
                found = []
            self.offsets[key] = batch.last + 1
            return [SafeMessage(key, record, batch.time) for record in found if record.offset >= place.first]
        return []

    def _records(self, place: Place, batch: Batch) -> list[Record]:
        if place in self.skipped:
            raise UnreadableError("a worker died of it, again and again")
        return records(batch)

    def partitions(self, topic: str) -> list[int]:
        """See Reader."""
        return self.broker.partitions(topic)

    def pause(self, key: Key) -> None:
        """See Reader."""
        self.paused.add(key)

    def resume(self, key: Key, offset: int) -> None:
        """See Reader."""
        self.paused.discard(key)
        self.offsets[key] = offset

    def end(self, key: Key) -> int:
        """See Reader."""
        return self.ends.get(key, -1)

    def is_done(self) -> bool:
        """Whether everything was read that was there at the last look."""
        return all(key in self.ends and self.offsets[key] >= self.ends[key] for key in self.offsets)


class Broker:
    """The listener of this host, asked request by request, by kafka-python. Raises ConnectionError."""

    def __init__(self) -> None:
        """Connect. Raises OSError without the password."""
        from kafka.client_async import KafkaClient
        from kafka.errors import KafkaError

        try:
            self.client = KafkaClient(
                bootstrap_servers=ADDRESS,
                security_protocol="SASL_PLAINTEXT",
                sasl_mechanism="PLAIN",
                sasl_plain_username=f"local.{USER}",
                sasl_plain_password=credential(),
                api_version_auto_timeout_ms=int(ANSWER_SECONDS * 1000),
                request_timeout_ms=int(ANSWER_SECONDS * 1000),
            )
        except KafkaError as error:
            raise ConnectionError(f"the broker does not answer: {error or type(error).__name__}") from error

    def fetch(self, key: Key, offset: int) -> tuple[bytes, int, int]:
        """Batches from an offset on, the end of the partition, and the broker's error or 0."""
        from kafka.protocol.fetch import FetchRequest

        wanted = [(key[0], [(key[1], offset, FETCH_BYTES)])]
        # The oldest version that gives batches of the format 2 as they are.
        answer = self._ask(FetchRequest[4](-1, int(WAIT_SECONDS * 1000), 1, FETCH_BYTES, 0, wanted))
        ((_, ((_, error, end, _, _, content),)),) = answer.topics
        return bytes(content or b""), int(end), int(error)

    def earliest(self, key: Key) -> int:
        """The first offset that the broker has of a partition."""
        from kafka.protocol.offset import OffsetRequest

        answer = self._ask(OffsetRequest[1](-1, [(key[0], [(key[1], EARLIEST)])]))
        ((_, ((_, error, _, offset),)),) = answer.topics
        if error:
            raise ConnectionError(f"{key[0]}: the broker refuses with its error {error}")
        return int(offset)

    def partitions(self, topic: str) -> list[int]:
        """Numbers of the partitions of a topic, none when there is no such topic."""
        from kafka.protocol.metadata import MetadataRequest

        answer = self._ask(MetadataRequest[1]([topic]))
        return sorted(number for error, _, _, parts in answer.topics if not error for _, number, *_ in parts)

    def _ask(self, request: Any) -> Any:
        limit = time.monotonic() + ANSWER_SECONDS
        node = self.client.least_loaded_node()
        while node is None or not self.client.ready(node):
            if time.monotonic() > limit:
                raise ConnectionError("the broker does not answer")
            self.client.poll(timeout_ms=50)
            node = self.client.least_loaded_node()
        future = self.client.send(node, request)
        self.client.poll(future=future, timeout_ms=int(ANSWER_SECONDS * 1000))
        if not future.succeeded():
            raise ConnectionError(f"the broker does not answer: {future.exception or 'in time'}")
        return future.value
