"""Hands events to the broker and hears what becomes of each: acknowledged, or given back and tried again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

from confluent_kafka import KafkaError, KafkaException, Message, Producer

from vaern_programs.relay.broker import connection, keys_of_topics
from vaern_programs.relay.delivery.records import Record, lines_of
from vaern_programs.relay.delivery.segments import Part

WINDOW = 16 * 2**20
"""Bytes of events that are under way at once. They are in the spool, so none is lost when this process is."""
AGAIN_SECONDS = 2.0
"""So long after it was given back an event is tried again; one that is too large by itself, as long as below."""
LARGE_AGAIN_SECONDS = 30.0
REASONS = {
    "_AUTHENTICATION": "key",
    "SASL_AUTHENTICATION_FAILED": "key",
    "_SSL": "tls",
    "MSG_SIZE_TOO_LARGE": "size",
    "RECORD_LIST_TOO_LARGE": "size",
    "TOPIC_AUTHORIZATION_FAILED": "topic",
    "UNKNOWN_TOPIC_OR_PART": "topic",
    "_UNKNOWN_TOPIC": "topic",
    "_ALL_BROKERS_DOWN": "unreachable",
    "_TRANSPORT": "unreachable",
    "_RESOLVE": "unreachable",
}
"""What librdkafka says, as it is counted and told; anything else is `timeout`."""
BROKEN = ("SSL transport error", "SSL handshake failed: Disconnected")
"""So it speaks of a connection that broke, whatever code it has for it: no certificate was looked at."""


def reason_of(error: KafkaError) -> str:
    """The word for it."""
    if any(text in error.str() for text in BROKEN):
        return "unreachable"
    return "tls" if "SSL" in error.str() else REASONS.get(error.name(), "timeout")


class Given(NamedTuple):
    """A record that came back, and when it is tried again."""

    record: Record
    part: Part
    alone: bool
    due: float


class Sender:
    """The way to the broker. `clock` gives seconds that never go back."""

    def __init__(self, settings: dict[str, Any], clock: Callable[[], float]) -> None:
        """Connects by itself, as soon as it is polled."""
        self.settings, self.clock = settings, clock
        self.acknowledged = self.refused = self.under_way = 0
        self.reasons: Counter[str] = Counter()
        self.given: list[Given] = []
        self.usual = self._producer("")
        self.others = {topic: self._producer(topic) for topic in keys_of_topics(settings)}
        self.alone: dict[str, Producer] = {}

    def _producer(self, topic: str, **others: Any) -> Producer:
        return Producer(connection(self.settings, topic) | others | {"error_cb": self._on_error})

    def _way(self, topic: str, *, alone: bool = False) -> Producer:
        """The connection to a topic: one for all, but for those that have a key of their own.

        `alone`: one that sends each record by itself.
        """
        if not alone:
            return self.others.get(topic, self.usual)
        key = topic if topic in self.others else ""
        if key not in self.alone:
            self.alone[key] = self._producer(key, **{"batch.num.messages": 1})
        return self.alone[key]

    def _on_error(self, error: KafkaError) -> None:
        self.reasons[reason_of(error)] += 1

    @property
    def has_room(self) -> bool:
        """Whether more may be sent before something is acknowledged."""
        return self.under_way < WINDOW

    def send(self, part: Part, records: list[Record]) -> None:
        """The records of a part."""
        usual, others, told = self.usual, self.others, partial(self._delivered, part, False)
        for record in records:
            self.under_way += len(record.value)
            if record.lines > 1:
                self._produce(Given(record, part, alone=False, due=0.0))
                continue
            try:
                others.get(record.topic, usual).produce(record.topic, record.value, record.key, on_delivery=told)
            except (BufferError, KafkaException):
                self._produce(Given(record, part, alone=False, due=0.0))

    def _produce(self, given: Given) -> None:
        record, producer = given.record, self._way(given.record.topic, alone=given.alone)
        told = partial(self._delivered, given.part, given.alone)
        if record.lines > 1:
            told = partial(self._block_delivered, given)
        while True:
            try:
                producer.produce(record.topic, record.value, record.key, on_delivery=told)
            except BufferError:
                producer.poll(0.1)
            except KafkaException as error:
                self._give_back(given, error.args[0])
                return
            else:
                return

    def _delivered(self, part: Part, alone: bool, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self.acknowledged += 1
            self.under_way -= len(message)
            part.acknowledge()
        else:
            self._give_back(Given(Record(message.topic(), message.key(), message.value()), part, alone, 0.0), error)

    def _block_delivered(self, given: Given, error: KafkaError | None, _: Message) -> None:
        if error is None:
            self.acknowledged += given.record.lines
            self.under_way -= len(given.record.value)
            given.part.acknowledge()
        else:
            self._give_back(given, error)

    def _give_back(self, given: Given, error: KafkaError) -> None:
        """What the broker refuses as too large was refused with all that it was sent with: each is tried alone.

        A block that is too large is its lines from then on.
        """
        reason = reason_of(error)
        self.refused += given.record.lines
        self.reasons[reason] += not (reason == "size" and not given.alone)
        if reason == "size" and given.record.lines > 1:
            lines = lines_of(given.record)
            self.under_way += sum(len(line.value) for line in lines) - len(given.record.value)
            given.part.divide(len(lines))
            self.given += [Given(line, given.part, False, self.clock() + AGAIN_SECONDS) for line in lines]
            return
        wait = LARGE_AGAIN_SECONDS if given.alone else AGAIN_SECONDS
        self.given.append(given._replace(alone=given.alone or reason == "size", due=self.clock() + wait))

    def poll(self, seconds: float) -> None:
        """Hear what has become of events, for so long at most when nothing does; try those again that are due."""
        for producer in (*self.others.values(), *self.alone.values()):
            producer.poll(0)
        self.usual.poll(seconds)
        if not self.given:
            return
        now, given = self.clock(), self.given
        self.given = [one for one in given if one.due > now]
        for one in given:
            if one.due <= now:
                self._produce(one)

    def probe_broker(self, seconds: float) -> None:
        """Have the broker answer, so that a refused key is heard of also while there is nothing to send.

        The keys of single topics are asked for each time.
        """
        for topic, producer in ((self.settings["topic"], self.usual), *self.others.items()):
            try:
                producer.list_topics(topic, timeout=seconds)
            except KafkaException:
                producer.poll(0)

    def finish(self, seconds: float) -> None:
        """Wait for what is under way, for so long at most."""
        for producer in (*self.others.values(), self.usual):
            producer.flush(seconds / (1 + len(self.others)))
