"""Alarms as events: every change is produced to the topic of its municipality, and so reaches the archive and the SOC.

An event is known by relay (this host), boot (the life of the municipality's file of alarms) and sequence (the record's
number in it). The file is written first, so what an event says has happened. Up to which record the broker has
acknowledged is in a file too; should that be lost, records are sent again as the same events, and readers drop those.
Nothing here waits for the broker: what it does not take stays, and is tried again.
"""

from __future__ import annotations

import json
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.alarms.log import AlarmLog, Record
from vaern_programs.monitoring.alarms.sources import KINDS
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.local_broker import as_user, credential
from vaern_programs.shared.reports import ALARM_SOURCE
from vaern_programs.shared.systemd import say

SECTOR = "administration"
"""Of what concerns a municipality as a whole, such as its archive."""
RETRY_SECONDS = 10.0
MOST_AT_ONCE = 500
WARNING = 4
OVER = {"da": "Ovre: ", "en": "Over: "}


def event(record: Record, host: str, place: Mapping[str, str]) -> bytes:
    """An alarm's change as an event like any other; the keys that the ledger reads come first, in its order."""
    before = {"da": "", "en": ""} if record["state"] == "raised" else OVER
    text = {language: before[language] + sentence for language, sentence in record["text"].items()}
    ended = {} if record["state"] == "raised" else {"event.end": record["time"]}
    whole = {
        "time": record["time"], "received": record["time"], "municipality": record["municipality"], "relay": host,
        "boot": record["boot"], "sequence": record["sequence"], "site": "collector", "source": ALARM_SOURCE,
        "kind": "alarm", "sector": place.get("sector", SECTOR), "host": host, "message": text["en"], "parser": "vaern",
        "parsed": True,
        "ecs": {
            "@timestamp": record["time"], "event.kind": "alert", "event.provider": "vaern-alarms",
            "event.code": record["kind"], "event.action": f"alarm-{record['state']}", "event.reason": text["en"],
            "event.start": record["since"], **ended,
        },
        "alarm": {key: record[key] for key in ("kind", "subject", "state", "since", "value", "limit")} | {"text": text},
    }  # fmt: skip
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode()


def place_of(record: Record, tenant: Mapping[str, Any]) -> Mapping[str, str]:
    """The declared source or host an alarm is about, with its sector and topic; nothing for one about neither.

    An alarm about a sector's source goes where the events of that source go, and so to no other SOC.
    """
    about = record["subject"].partition(": ")[0]
    which = "sources" if record["kind"] in {"silent", *KINDS} else "hosts"
    return next((one for one in tenant.get(which, []) if one["name"] == about), {})


class Publisher:
    """Brings the records of the alarm log to the broker, in order, each at least once."""

    def __init__(self, log: AlarmLog, path: Path, host: str, connect: Callable[[], Any]) -> None:
        """`path` is the file that says what has been published; `connect` makes a producer. Raises OSError."""
        self.path, self.host, self.connect = path, host, connect
        self.published = _restored(read_json(path, {}))
        self.waiting: dict[str, deque[Record]] = defaultdict(deque)
        self.acknowledged: set[tuple[str, str, int]] = set()
        self.producer: Any = None
        self.flying = 0
        self.retry_at = 0.0
        for record in log.records():
            self.take(record)

    def take(self, record: Record) -> None:
        """A change that is on the disk; those of shared hosts are nobody's events."""
        code = record["municipality"]
        boot, sequence = self.published.get(code, ["", 0])
        if code.isdecimal() and "sequence" in record and (record["boot"] != boot or record["sequence"] > sequence):
            self.waiting[code].append(record)

    def look(self, tenants: list[dict[str, Any]], now: float) -> None:
        """Learn what was taken, and hand over what waits. Raises OSError."""
        if self.producer is not None:
            self.producer.poll(0)
            self._settle()
        if self.flying or now < self.retry_at:
            return
        for record, topic, value in list(self._next(tenants)):
            self.producer = self.producer or self.connect()
            key = (record["municipality"], record["boot"], record["sequence"])
            try:
                self.producer.produce(
                    topic, value, key=ALARM_SOURCE, on_delivery=lambda error, _, key=key: self._delivered(key, error)
                )
            except BufferError:
                break  # The rest is sent once these have been taken.
            self.flying += 1

    def close(self, seconds: float = 2.0) -> None:
        """What is under way is given a moment. Raises OSError."""
        if self.producer is not None:
            self.producer.flush(seconds)
            self._settle()

    def _next(self, tenants: list[dict[str, Any]]) -> Iterator[tuple[Record, str, bytes]]:
        for tenant in tenants:
            for record in list(self.waiting.get(tenant["code"], ()))[:MOST_AT_ONCE]:
                key = (tenant["code"], record["boot"], record["sequence"])
                if key in self.acknowledged:
                    continue
                place = place_of(record, tenant)
                try:
                    yield record, place.get("topic", f"logs.{tenant['code']}"), event(record, self.host, place)
                except (KeyError, TypeError, AttributeError):  # Damaged, and of no use to anybody: the next ones are.
                    self.acknowledged.add(key)

    def _delivered(self, key: tuple[str, str, int], error: Any) -> None:
        self.flying -= 1
        if error is None:
            self.acknowledged.add(key)
        elif time.monotonic() >= self.retry_at:
            self.retry_at = time.monotonic() + RETRY_SECONDS
            say(WARNING, f"Alarms wait for the broker, and stay in their files: {error}")

    def _settle(self) -> None:
        """Forget what was taken, as far as nothing before it waits still."""
        before = dict(self.published)
        for code, waiting in self.waiting.items():
            while waiting and (key := (code, waiting[0]["boot"], waiting[0]["sequence"])) in self.acknowledged:
                self.acknowledged.discard(key)
                self.published[code] = [waiting[0]["boot"], waiting[0]["sequence"]]
                waiting.popleft()
        if self.published != before:
            replace(self.path, json.dumps(self.published))


def _restored(found: Any) -> dict[str, list[Any]]:
    """Code to life and number of the last record that was published; damaged ones are left out."""
    rows = found.items() if isinstance(found, dict) else ()
    return {code: row for code, row in rows if isinstance(row, list) and [type(one) for one in row] == [str, int]}


def producer() -> Any:
    """A producer on the loopback listener, as the alarm service's own user. Raises OSError without its password."""
    from confluent_kafka import Producer

    return Producer(
        {
            **as_user("alarms", credential()),
            "acks": "all",
            "enable.idempotence": True,
            "message.timeout.ms": 20000,
            "reconnect.backoff.max.ms": 2000,
            "log_level": 0,
        }
    )
