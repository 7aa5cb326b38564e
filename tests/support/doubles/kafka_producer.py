"""A double of confluent-kafka's producer, and of the broker behind it: a test says how that answers.

Signatures, and what comes back, are those of confluent-kafka 1.7 (src/confluent_kafka/src: Producer.c, Metadata.c,
confluent_kafka.c). Answers are handed over by `poll` and `flush` only, as there.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from types import ModuleType
from typing import Any, ClassVar


class KafkaError:
    """A code of librdkafka, with its name, and the text it came with."""

    NAMES: ClassVar[dict[int, str]] = {
        -199: "_BAD_MSG",
        -198: "_BAD_COMPRESSION",
        -195: "_TRANSPORT",
        -193: "_RESOLVE",
        -192: "_MSG_TIMED_OUT",
        -188: "_UNKNOWN_TOPIC",
        -187: "_ALL_BROKERS_DOWN",
        -181: "_SSL",
        -169: "_AUTHENTICATION",
        3: "UNKNOWN_TOPIC_OR_PART",
        10: "MSG_SIZE_TOO_LARGE",
        18: "RECORD_LIST_TOO_LARGE",
        29: "TOPIC_AUTHORIZATION_FAILED",
        58: "SASL_AUTHENTICATION_FAILED",
    }

    def __init__(self, error: int, reason: str = "") -> None:
        self._code, self._reason = error, reason

    def code(self) -> int:
        return self._code

    def name(self) -> str:
        return self.NAMES[self._code]

    def str(self) -> str:
        return self._reason


def error(name: str, reason: str = "") -> KafkaError:
    """An error by its name."""
    return KafkaError(next(code for code, known in KafkaError.NAMES.items() if known == name), reason)


class KafkaException(Exception):  # noqa: N818 - the library's name
    """Its first argument is a KafkaError."""


class Message:
    """What is handed to the callback of a delivery."""

    def __init__(self, topic: str, value: bytes, key: bytes | str) -> None:
        self._topic, self._value, self._key = topic, value, key.encode() if isinstance(key, str) else key

    def topic(self) -> str:
        return self._topic

    def value(self) -> bytes:
        return self._value

    def key(self) -> bytes:
        return self._key

    def __len__(self) -> int:
        return len(self._value)


Delivered = Callable[[KafkaError | None, Message], None]


class Broker:
    """What all producers of a test are connected to."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        """Acknowledged, in order."""
        self.batches: list[list[Message]] = []
        """Each request that it has answered, with what was in it."""
        self.holds = False
        """Answers nothing."""
        self.judge: Callable[[list[Message]], KafkaError | None] = lambda batch: None
        """What it says to a request."""
        self.refuses: Callable[[bytes], KafkaError | None] = lambda value: None
        """What the library itself says to an event, before the broker has heard of it."""
        self.room = 100_000
        """Events that a producer takes."""
        self.answers = True
        """Whether it tells of its topics."""
        self.asked: list[tuple[str | None, float]] = []
        self.errors: list[KafkaError] = []
        """What is heard at the next poll."""
        self.polled: Callable[[float], None] = lambda seconds: None
        """What else happens at a poll."""
        self.producers: list[Producer] = []


class Producer:
    """One connection. A test gives the class a broker of its own."""

    broker: Broker

    def __init__(self, config: dict[str, Any]) -> None:
        self.config = config
        self.waiting: list[tuple[Message, Delivered]] = []
        self.broker.producers.append(self)

    def produce(
        self,
        topic: str,
        value: bytes,
        key: bytes | str = b"",
        *,
        partition: int = -1,
        on_delivery: Delivered = lambda error, message: None,
    ) -> None:
        if refused := self.broker.refuses(value):
            raise KafkaException(refused)
        if len(self.waiting) >= self.broker.room:
            raise BufferError("Local: Queue full")
        self.waiting.append((Message(topic, value, key), on_delivery))

    def poll(self, timeout: float) -> int:
        self.broker.polled(timeout)
        heard, self.broker.errors = self.broker.errors, []
        for one in heard:
            self.config["error_cb"](one)
        return len(heard) + (0 if self.broker.holds else self._answer())

    def _answer(self) -> int:
        waiting, self.waiting = self.waiting, []
        for _, group in groupby(waiting, lambda one: one[0].topic()):
            events, most = list(group), self.config.get("batch.num.messages", 10_000)
            for start in range(0, len(events), most):
                self._request(events[start : start + most])
        return len(waiting)

    def _request(self, events: list[tuple[Message, Delivered]]) -> None:
        messages = [message for message, _ in events]
        refused = self.broker.judge(messages)
        self.broker.batches.append(messages)
        if refused is None:
            self.broker.taken += messages
        for message, delivered in events:
            delivered(refused, message)

    def flush(self, timeout: float = -1) -> int:
        self.poll(timeout)
        return len(self.waiting)

    def list_topics(self, topic: str | None = None, timeout: float = -1) -> object:
        self.broker.asked.append((topic, timeout))
        if not self.broker.answers:
            raise KafkaException(error("_TRANSPORT", "Local: Broker transport failure"))
        return object()


class Consumer:
    """A test that reads has one of its own."""


class TopicPartition:
    """Only named in what is under test."""


def library() -> ModuleType:
    """What `import confluent_kafka` gives where Debian's package is not installed, which no control node has."""
    made = ModuleType("confluent_kafka")
    for one in (Consumer, KafkaError, KafkaException, Message, Producer, TopicPartition):
        setattr(made, one.__name__, one)
    made.OFFSET_BEGINNING = -2  # type: ignore[attr-defined]
    return made
