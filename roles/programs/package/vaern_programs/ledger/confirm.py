"""Tells the relays of a municipality what the archive holds, on a topic that they alone may read."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from confluent_kafka import Producer

from vaern_programs.shared.local_broker import as_user
from vaern_programs.shared.reports import Confirmation

SECONDS = 30.0
BIGGEST = 900_000
"""Bytes of a message that the broker takes, with room to spare."""


def message(code: str, told: dict[str, Any], now: datetime) -> bytes:
    """The confirmation as one message, without the oldest boots when it would be too big for one."""
    told = {relay: dict(boots) for relay, boots in told.items()}
    while True:
        whole: Confirmation = {"code": code, "time": now.isoformat(), "relays": told}
        text = json.dumps(whole, separators=(",", ":")).encode()
        wide = {
            relay: max(boots, key=lambda boot: len(json.dumps(boots[boot]))) for relay, boots in told.items() if boots
        }
        if len(text) <= BIGGEST or not wide:
            return text
        # What is left out is confirmed by nobody: the relay keeps it and resends it, and duplicates are dropped.
        relay = max(wide, key=lambda one: len(json.dumps(told[one][wide[one]])))
        del told[relay][wide[relay]]


def confirm(code: str, told: dict[str, Any], now: datetime, password: str) -> None:
    """Write it to the broker. Raises OSError when the broker does not take it."""
    failed: list[str] = []
    producer = Producer(
        {
            **as_user("ledger", password),
            "acks": "all",
            "compression.type": "gzip",
            "message.timeout.ms": int(SECONDS * 1000),
        }
    )
    producer.produce(
        f"confirm.{code}",
        message(code, told, now),
        partition=0,
        on_delivery=lambda error, _: failed.append(str(error)) if error is not None else None,
    )
    if producer.flush(SECONDS + 5):
        failed.append("the broker does not answer")
    if failed:
        raise OSError(f"the relays of {code} could not be told: {failed[0]}")
