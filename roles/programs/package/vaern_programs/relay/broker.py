"""The relay's own word with the broker: reads what is confirmed, sends statements and what has to be sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import CONFIRMATION, STATEMENT_SOURCE, Confirmation

SECONDS = 20.0
BOTH = ("bootstrap.", "client.", "security.", "ssl.", "sasl.", "reconnect.", "socket.", "connections.")
"""How the names of settings begin that say how to connect."""
SECTOR = re.compile(rb'"sector":"([a-z0-9_-]+)"')
"""The relay's template writes it before anything a device has said, and a quotation mark in a message is escaped."""


class BrokerError(Exception):
    """The broker does not answer, or refuses."""


def connection(settings: dict[str, Any], topic: str = "") -> dict[str, Any]:
    """For a producer of librdkafka, of one topic where that has a key of its own. The service has the floor of TLS."""
    secret = settings["password_file"]
    own = keys_of_topics(settings).get(topic)
    password = {"sasl.password": own or Path(secret).read_text(encoding="utf-8").strip()} if secret else {}
    librdkafka: dict[str, Any] = settings["librdkafka"]
    return librdkafka | password


def keys_of_topics(settings: dict[str, Any]) -> dict[str, str]:
    """The key of each topic that is not sent to by the relay's usual one; none for a broker that knows one key."""
    place = settings.get("topic_passwords_file")
    if not place:
        return {}
    return {str(topic): str(key) for topic, key in json.loads(Path(place).read_text(encoding="utf-8")).items()}


def _reading(settings: dict[str, Any]) -> dict[str, Any]:
    """For a consumer, which is told of nothing that is about producing."""
    return {name: value for name, value in connection(settings).items() if name.startswith(BOTH)}


def confirmation(settings: dict[str, Any]) -> Confirmation | None:
    """The newest confirmation of the collector, None when it has given none. Raises BrokerError."""
    settled = {"group.id": settings["relay"], "enable.auto.commit": False, "auto.offset.reset": "error"}
    heard: list[str] = []
    consumer = Consumer(_reading(settings) | settled | {"error_cb": lambda error: heard.append(error.str())})
    try:
        partition = TopicPartition(settings["confirmations"], 0)
        low, high = consumer.get_watermark_offsets(partition, timeout=SECONDS)
        if high <= low:
            return None
        consumer.assign([TopicPartition(settings["confirmations"], 0, high - 1)])
        return _first(consumer)
    except KafkaException as error:
        consumer.poll(0)  # What was heard is handed over only when asked for.
        reason = next((text for text in heard if "SSL" in text), error.args[0].str())
        raise BrokerError(f"the broker does not say what is confirmed: {reason}") from error
    finally:
        consumer.close()


def _first(consumer: Consumer) -> Confirmation:
    for _ in range(int(SECONDS)):
        message = consumer.poll(1.0)
        # A group is asked for as soon as the library connects; none is used, and the refusal means nothing.
        if message is not None and message.error() is None:
            try:
                return CONFIRMATION.parse(message.value() or b"")
            except UnfitError as fault:
                raise BrokerError(f"the newest confirmation is none: {fault}") from None
    raise BrokerError("the broker does not say what is confirmed: no answer in time")


def topic_of(settings: dict[str, Any], source: str, line: bytes) -> str:
    """Where an event belongs: the topic of its sector where a SOC reads that by itself, else the municipality's.

    What the relay states of itself is the ledger's, and no sector's.
    """
    sector = SECTOR.search(line) if settings["topics"] and source != STATEMENT_SOURCE else None
    return str(settings["topics"].get(sector[1].decode(), settings["topic"]) if sector else settings["topic"])


def send(settings: dict[str, Any], events: Iterable[tuple[str, bytes]]) -> int:
    """Deliver events to their topics, each with its source as key; how many were acknowledged.

    Raises BrokerError when any was not.
    """
    done = [0, 0]
    reasons: list[str] = []

    def delivered(error: Any, _: Any) -> None:
        done[error is not None] += 1
        if error is not None:
            reasons[:] = [error.str()]

    def producer(topic: str = "") -> Producer:
        return Producer(connection(settings, topic) | {"message.timeout.ms": int(SECONDS * 1000)})

    usual, others = producer(), {topic: producer(topic) for topic in keys_of_topics(settings)}
    for source, line in events:
        topic = topic_of(settings, source, line)
        way = others.get(topic, usual)
        while True:
            try:
                way.produce(topic, line, key=source, on_delivery=delivered)
                break
            except BufferError:
                way.poll(0.5)
        way.poll(0)
    waiting = sum(way.flush(SECONDS + 5) for way in (usual, *others.values()))
    if waiting or reasons:
        raise BrokerError(
            f"{waiting + done[1]} events were not taken: {reasons[0] if reasons else 'no answer in time'}"
        )
    return done[0]
