"""Confirms to the relays of a municipality what the archive holds, on a topic that only they may read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from vaern_programs.ledger.books import Series
from vaern_programs.shared.intervals import Intervals
from vaern_programs.shared.local_broker import as_user
from vaern_programs.shared.reports import Confirmation

SECONDS = 30.0
BIGGEST = 900_000
"""Bytes of a message that the broker takes, with room to spare."""


def confirmation(
    code: str,
    series: Iterable[tuple[Series, Intervals]],
    now: datetime,
    biggest: int = BIGGEST,
    *,
    blocks: bool = False,
) -> tuple[Confirmation, int]:
    """A confirmation of at most so many bytes, and how many intervals were left out of it; the first series go first.

    `blocks` is whether the archiver reads blocks of lines. What is left out is confirmed by nobody: the relay keeps it
    and resends it, and duplicates are dropped.
    """
    relays: Confirmation = {"code": code, "time": now.isoformat(), "relays": {}, "blocks": blocks}
    room = biggest - len(json.dumps(relays))
    left_out = 0
    for (relay, boot, source), intervals in series:
        fits: Intervals = []
        rest = room - len(source) - 10
        if relay not in relays["relays"] or boot not in relays["relays"][relay]:
            rest -= len(relay) + len(boot) + 20
        for first, last in intervals:
            rest -= len(str(first)) + len(str(last)) + 4
            if rest < 0:
                break
            fits.append((first, last))
            room = rest
        left_out += len(intervals) - len(fits)
        if fits:
            relays["relays"].setdefault(relay, {}).setdefault(boot, {})[source] = fits
    return relays, left_out


def send(messages: Mapping[str, str], password: str) -> dict[str, str]:
    """Write confirmations to the broker, by code; why it did not take one, by code.

    All of them together, so that a broker that is away is waited for once.
    """
    from confluent_kafka import Producer

    failed = dict.fromkeys(messages, "the broker does not answer")

    def delivered(code: str, error: Any, _: Any) -> None:
        failed[code] = error.str() if error is not None else ""

    producer = Producer(
        {
            **as_user("ledger", password),
            "acks": "all",
            "compression.type": "gzip",
            "message.timeout.ms": int(SECONDS * 1000),
        }
    )
    for code, text in messages.items():
        producer.produce(f"confirm.{code}", text, partition=0, on_delivery=partial(delivered, code))
        producer.poll(0)
    producer.flush(SECONDS + 5)
    return {code: fault for code, fault in failed.items() if fault}
