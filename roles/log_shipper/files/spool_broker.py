"""The relay's own word with the broker: reads what is confirmed, sends statements and what has to be sent again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from ledger_tally import STATEMENT

SECONDS = 20.0
SECTOR = re.compile(rb'"sector":"([a-z0-9_-]+)"')
"""The relay's template writes it before anything a device has said, and a quotation mark in a message is escaped."""


class BrokerError(Exception):
    """The broker does not answer, or refuses."""


def _connection(settings: dict[str, Any]) -> dict[str, Any]:
    """As rsyslog connects: the same certificate, the same floor of TLS (OPENSSL_CONF of the service)."""
    by_address = any(broker.startswith("[") for broker in settings["brokers"])
    return {
        "bootstrap.servers": ",".join(settings["brokers"]),
        "client.id": settings["relay"],
        "security.protocol": "ssl",
        "ssl.ca.location": settings["tls"]["authority"],
        "ssl.certificate.location": settings["tls"]["certificate"],
        "ssl.key.location": settings["tls"]["key"],
        # librdkafka cannot compare a certificate with an IPv6 literal; see rsyslog/kafka.conf.
        "ssl.endpoint.identification.algorithm": "none" if by_address else "https",
        "reconnect.backoff.max.ms": 2000,
    }


def confirmation(settings: dict[str, Any]) -> dict[str, Any] | None:
    """The newest confirmation of the collector, None when it has given none. Raises BrokerError."""
    settled = {"group.id": settings["relay"], "enable.auto.commit": False, "auto.offset.reset": "error"}
    heard: list[str] = []
    consumer = Consumer(_connection(settings) | settled | {"error_cb": lambda error: heard.append(error.str())})
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


def _first(consumer: Consumer) -> dict[str, Any]:
    for _ in range(int(SECONDS)):
        message = consumer.poll(1.0)
        # A group is asked for as soon as the library connects; none is used, and the refusal means nothing.
        if message is not None and message.error() is None:
            told: dict[str, Any] = json.loads(message.value())
            return told
    raise BrokerError("the broker does not say what is confirmed: no answer in time")


def topic_of(settings: dict[str, Any], source: str, line: bytes) -> str:
    """Where an event belongs: the topic of its sector where a SOC reads that by itself, else the municipality's.

    What the relay states of itself is the ledger's, and no sector's.
    """
    sector = SECTOR.search(line) if source != STATEMENT else None
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

    producer = Producer(
        _connection(settings)
        | {
            "acks": "all",
            "compression.type": settings["compression"],
            "linger.ms": 50,
            "message.max.bytes": 1000000,
            "message.timeout.ms": int(SECONDS * 1000),
        }
    )
    for source, line in events:
        while True:
            try:
                producer.produce(topic_of(settings, source, line), line, key=source, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.5)
        producer.poll(0)
    waiting = producer.flush(SECONDS + 5)
    if waiting or reasons:
        raise BrokerError(
            f"{waiting + done[1]} events were not taken: {reasons[0] if reasons else 'no answer in time'}"
        )
    return done[0]
