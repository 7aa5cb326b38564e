"""How a worker of the archiver reads from the broker as long as nothing stops it: by librdkafka, many batches ahead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, TopicPartition

from vaern_programs.shared.local_broker import as_user, credential

USER = "archiver"
MESSAGES = 5000
"""Handed over at once, at most."""
WAIT_SECONDS = 0.1
"""To gather what comes after a first message."""
IDLE_SECONDS = 0.5
"""To wait for a first message: most municipalities send little, and each has a worker that waits."""
ANSWER_SECONDS = 5.0
DAMAGED = frozenset({"_BAD_MSG", "_BAD_COMPRESSION", "_NOT_IMPLEMENTED", "_CRIT_SYS_RESOURCE", "_UNDERFLOW"})
"""What the library says of a batch that it cannot unpack or does not know."""

Key = tuple[str, int]
"""Topic and number of a partition."""


class Message(Protocol):
    """One record, as confluent-kafka gives it."""

    def topic(self) -> str:
        """Where it was."""

    def partition(self) -> int:
        """Where it was."""

    def offset(self) -> int:
        """Where it was."""

    def key(self) -> bytes | None:
        """The source of the event, or the relay of the block."""

    def value(self) -> bytes | None:
        """The event, or the block."""

    def timestamp(self) -> tuple[int, int]:
        """What kind of time, and when the broker took it, Unix milliseconds."""


class DamagedError(Exception):
    """The library cannot read what comes next; the text is its own."""


class Reader(Protocol):
    """Reads partitions from given offsets on."""

    def start(self, offsets: Mapping[Key, int]) -> None:
        """Read these partitions too, each from that offset, or from its beginning when it is negative."""

    def read(self) -> tuple[list[Message], list[str]]:
        """What came, in order within a partition, and what the broker refused. Waits a moment. Raises DamagedError."""

    def partitions(self, topic: str) -> list[int]:
        """Numbers of the partitions of a topic, none when there is no such topic. Raises ConnectionError."""

    def pause(self, key: Key) -> None:
        """Read no more of a partition."""

    def resume(self, key: Key, offset: int) -> None:
        """Read a partition again, from that offset."""

    def end(self, key: Key) -> int:
        """The offset behind the last record of a partition, as of the broker's last answer; -1 when not known."""


class FastReader:
    """Reads by librdkafka, which unpacks batches ahead: a batch that unpacks without bound ends this process."""

    def __init__(self) -> None:
        """A reader that is told where to begin by the archive, never by the broker."""
        self.idle = False
        self.consumer = Consumer(
            {
                **as_user(USER, credential()),
                "group.id": "vaern-archiver",
                "enable.auto.commit": False,
                "enable.auto.offset.store": False,
                "auto.offset.reset": "earliest",
                "check.crcs": True,
                "fetch.wait.max.ms": 500,
                "fetch.error.backoff.ms": 100,
                "reconnect.backoff.ms": 50,
                "reconnect.backoff.max.ms": 1000,
                # Of one municipality; as many workers may be behind at once as there are municipalities.
                "queued.max.messages.kbytes": 4096,
                "queued.min.messages": MESSAGES,
                "fetch.max.bytes": 4 * 2**20,
                "receive.message.max.bytes": 16 * 2**20,
            }
        )

    def start(self, offsets: Mapping[Key, int]) -> None:
        """See Reader."""
        self.consumer.incremental_assign(
            [TopicPartition(*key, offset if offset >= 0 else OFFSET_BEGINNING) for key, offset in offsets.items()]
        )

    def read(self) -> tuple[list[Message], list[str]]:
        """See Reader. What came before something damaged is read again by whoever reads on."""
        messages, refusals = [], []
        found = self.consumer.consume(1, IDLE_SECONDS) if self.idle else []
        if found or not self.idle:
            found += self.consumer.consume(MESSAGES, WAIT_SECONDS)
        self.idle = not found
        for message in found:
            if message.error() is None:
                messages.append(message)
            elif refusal := _refusal(message):
                refusals.append(refusal)
        return messages, refusals

    def partitions(self, topic: str) -> list[int]:
        """See Reader."""
        try:
            found = self.consumer.list_topics(topic, timeout=ANSWER_SECONDS).topics
        except KafkaException as error:
            raise ConnectionError(str(error)) from error
        return sorted(found[topic].partitions) if topic in found and found[topic].error is None else []

    def pause(self, key: Key) -> None:
        """See Reader."""
        self.consumer.pause([TopicPartition(*key)])

    def resume(self, key: Key, offset: int) -> None:
        """See Reader."""
        self.consumer.resume([TopicPartition(*key)])
        self.consumer.seek(TopicPartition(*key, offset))

    def end(self, key: Key) -> int:
        """See Reader."""
        return int(self.consumer.get_watermark_offsets(TopicPartition(*key), cached=True)[1])


def _refusal(message: Any) -> str | None:
    """What the broker refused, in a sentence; None when that is of no concern. Raises DamagedError.

    An offset that is gone means that events were lost, so it must be heard.
    """
    error = message.error()
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return None  # The library asks for a group as soon as it connects; none is used, the archive is the position.
    text = f"{message.topic() or 'The broker'}: {error.str()}"
    if error.name() in DAMAGED:
        raise DamagedError(text)
    return text
