"""How the archiver reads from the broker: its connection, and what the broker refuses."""

from __future__ import annotations

from typing import Any

from confluent_kafka import Consumer, KafkaError

from vaern_programs.shared.local_broker import as_user, credential


def consumer() -> Consumer:
    """A reader that is told where to begin by the archive, never by the broker."""
    return Consumer(
        {
            **as_user("archiver", credential()),
            "group.id": "vaern-archiver",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "check.crcs": True,
            "fetch.wait.max.ms": 100,
            "fetch.error.backoff.ms": 100,
            "reconnect.backoff.ms": 50,
            "reconnect.backoff.max.ms": 1000,
            "queued.max.messages.kbytes": 16384,
            "queued.min.messages": 20000,
        }
    )


def refusal(message: Any) -> tuple[str, str] | None:
    """What the broker refused, and the sentence about it; None when that is of no concern.

    An offset that is gone means that events were lost, so it must be heard.
    """
    error = message.error()
    if error.code() == KafkaError.GROUP_AUTHORIZATION_FAILED:
        return None  # The library asks for a group as soon as it connects; none is used, the archive is the position.
    return f"{message.topic()} {error.code()}", f"{message.topic() or 'The broker'}: {error.str()}"
