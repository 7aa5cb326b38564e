"""Alarms that are raised once and cleared once: what changes, and the files that are also the memory of it.

    /var/lib/vaern/alarms/<code>.jsonl      one record a change, only ever appended; shared.jsonl for the shared hosts

An alarm is open when its last record says raised. The record on the disk is the change, so that a sentry that dies
anywhere neither repeats an alarm nor forgets one.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

SHARED = "shared"
Record = dict[str, Any]


class Key(NamedTuple):
    """What an alarm is about; the same key is the same alarm."""

    municipality: str
    """Four-digit code, or `shared`."""
    kind: str
    subject: str


class Condition(NamedTuple):
    """That something is not as declared."""

    since: float
    """Unix time, seconds."""
    value: float | None = None
    limit: float = 0.0


def changes(
    opened: Mapping[Key, Record], conditions: Mapping[Key, Condition], unknown: Iterable[Key]
) -> tuple[dict[Key, Condition], list[Key]]:
    """What to raise and what to clear. An open alarm of which nothing is known now stays as it is."""
    raised = {key: condition for key, condition in conditions.items() if key not in opened}
    kept = {*conditions, *unknown}
    return raised, sorted(key for key in opened if key not in kept)


class AlarmLog:
    """The files of alarms, and which alarms are open."""

    def __init__(self, directory: Path) -> None:
        """Read what is there, and cut off a record that was half written. Raises OSError."""
        self.directory = directory
        self.open: dict[Key, Record] = {}
        for path in sorted(directory.glob("*.jsonl")):
            for record in _complete(path):
                self._remember(record)

    def append(self, record: Record) -> None:
        """Write one change; it has happened when this returns. Raises OSError."""
        path = self.directory / f"{record['municipality']}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, json.dumps(record, ensure_ascii=False).encode() + b"\n")
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        self._remember(record)

    def _remember(self, record: Record) -> None:
        key = Key(record["municipality"], record["kind"], record["subject"])
        if record["state"] == "raised":
            self.open[key] = record
        else:
            self.open.pop(key, None)


def _complete(path: Path) -> Iterator[Record]:
    text = path.read_bytes()
    whole = text.rfind(b"\n") + 1
    if whole < len(text):
        os.truncate(path, whole)
    for line in text[:whole].splitlines():
        record = json.loads(line)
        if record.get("municipality") == path.stem:
            yield record
