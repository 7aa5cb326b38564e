"""Runs on a lab host: what a relay does to the collector, and what a reader finds in the archive.

produce CERTIFICATE TOPIC COUNT PREFIX    deliver events, each within a minute; prints
                                          {"acknowledged": [...], "errors": [...]}
rate CERTIFICATE TOPIC COUNT              deliver events of 300 bytes as fast as it goes; prints the same
steady CERTIFICATE TOPIC PREFIX           deliver five events a second until /root/enough is there; prints the same
archived CODE PREFIX                      the events in the archive of a municipality, with how often
"""

from __future__ import annotations

import collections
import io
import json
import sys
import time
from pathlib import Path

import zstandard
from confluent_kafka import Producer

ADDRESS = Path("/root/collector").read_text(encoding="ascii").strip()


def answer(result: dict[str, object]) -> None:
    """What the test reads."""
    sys.stdout.write(json.dumps(result) + "\n")


def settings(certificate: str) -> dict[str, object]:
    """How a relay with this certificate reaches the broker."""
    return {
        "bootstrap.servers": ADDRESS,
        "security.protocol": "ssl",
        "ssl.ca.location": "/root/ca.crt",
        "ssl.certificate.location": f"/root/{certificate}.crt",
        "ssl.key.location": f"/root/{certificate}.key",
        "ssl.endpoint.identification.algorithm": "none",  # librdkafka compares with the brackets of the address
        "acks": "all",
        "compression.type": "zstd",
    }


def produce(certificate: str, topic: str, count: int, prefix: str) -> None:
    """Deliver `count` events over about eight seconds when there are many, and say which were acknowledged."""
    acknowledged: list[int] = []
    errors: set[str] = set()
    producer = Producer(
        settings(certificate)
        | {
            "enable.idempotence": True,
            "linger.ms": 20,
            "reconnect.backoff.max.ms": 500,
            "message.timeout.ms": 60000,
            "log_level": 0,
        }
    )

    def delivered(error: object, message: object, number: int) -> None:
        if error is None:
            acknowledged.append(number)
        else:
            errors.add(error.name())  # type: ignore[attr-defined]

    for number in range(count):
        value = json.dumps(
            {"municipality": "0751", "source": "firewall1", "sequence": number, "message": f"{prefix}{number}."}
        )
        while True:
            try:
                producer.produce(topic, value, key="firewall1", on_delivery=lambda e, m, n=number: delivered(e, m, n))
                break
            except BufferError:
                producer.poll(0.1)
        producer.poll(0)
        if count > 1000 and number % (count // 80) == 0:
            time.sleep(0.1)
    producer.flush(60)
    answer({"acknowledged": len(acknowledged), "errors": sorted(errors)})


def rate(certificate: str, topic: str, count: int) -> None:
    """Deliver without waiting."""
    producer = Producer(settings(certificate) | {"linger.ms": 50, "queue.buffering.max.messages": 1000000})
    text = "%ASA-6-302013: Built outbound TCP connection for outside:198.51.100.7/443 to inside:192.0.2.44/"
    for number in range(count):
        producer.produce(
            topic,
            json.dumps({"municipality": "0710", "source": "fw", "sequence": number, "message": f"{text}{number} " * 2}),
        )
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush(60)


def message_of(line: bytes) -> str:
    """The message of an event; nothing for what is none, which others put into the archive."""
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return ""


def steady(certificate: str, topic: str, prefix: str) -> None:
    """Deliver five events a second until the file /root/enough is there; the same answer as for `produce`."""
    acknowledged: list[int] = []
    errors: set[str] = set()

    def delivered(error: object, _: object, number: int) -> None:
        if error is None:
            acknowledged.append(number)
        else:
            errors.add(error.name())  # type: ignore[attr-defined]

    producer, number = Producer(settings(certificate) | {"message.timeout.ms": 60000, "log_level": 0}), 0
    while not Path("/root/enough").exists():
        value = json.dumps({"source": "firewall1", "sequence": number, "message": f"{prefix}{number}."})
        producer.produce(topic, value, key="firewall1", on_delivery=lambda e, m, n=number: delivered(e, m, n))
        producer.poll(0.2)
        number += 1
        time.sleep(0.2)
    producer.flush(60)
    answer({"acknowledged": len(acknowledged), "errors": sorted(errors)})


def archived(code: str, prefix: str) -> None:
    """Count events in the archive by what any zstd reader sees, frames with labels included."""
    found: collections.Counter[str] = collections.Counter()
    for path in Path("/var/lib/vaern/archive", code).glob("*/*.zst"):
        with path.open("rb") as file:
            reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
            for line in io.BufferedReader(reader):
                message = message_of(line)
                if message.startswith(prefix):
                    found[message] += 1
    answer({"events": len(found), "more_than_once": [name for name, times in found.items() if times > 1]})


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "produce":
        produce(arguments[0], arguments[1], int(arguments[2]), arguments[3])
    elif command == "steady":
        steady(*arguments)
    elif command == "rate":
        rate(arguments[0], arguments[1], int(arguments[2]))
    else:
        archived(arguments[0], arguments[1])
