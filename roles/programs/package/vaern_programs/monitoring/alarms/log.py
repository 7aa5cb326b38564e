"""Alarms that are raised once and cleared once: what changes, and the files that are also the memory of it.

    /var/lib/vaern/alarms/<code>.jsonl      one record a change, appended; shared.jsonl for the shared hosts

An alarm is open when its last record says raised. The record on the disk is the change, so that a service that dies
anywhere neither repeats an alarm nor forgets one. Records are numbered from 1 in the life of a file, which has a name
of its own, so that each is one event wherever it is read. Those past the retention go, but for alarms that are open.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from vaern_programs.shared.json_text import UnfitError, loads

Record = dict[str, Any]
LINE_BYTES = 65536
TEXTS = ("municipality", "kind", "subject", "state")
"""What every record has."""


class Key(NamedTuple):
    """What an alarm is about; the same key is the same alarm."""

    municipality: str
    """Four-digit code, or `shared`."""
    kind: str
    subject: str


class Evidence(NamedTuple):
    """What an alarm rests on, as sentences with a space before each."""

    da: str = ""
    en: str = ""


class Condition(NamedTuple):
    """That something is not as declared."""

    since: float
    """Unix time, seconds."""
    value: float | None = None
    limit: float = 0.0
    evidence: Evidence = Evidence()
    lines: tuple[str, ...] = ()
    """Lines that show it, masked."""


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
        """Read what is there, and mend what a crash left half written or half forgotten. Raises OSError."""
        self.directory = directory
        self.open: dict[Key, Record] = {}
        self.last: dict[str, tuple[str, int]] = {}
        """Life and number of the last record of each file."""
        self.damaged = 0
        """Lines that are no records, and say nothing."""
        for kept in directory.glob("*.kept"):
            _put_back(kept)
        for record in self.records():
            self._remember(record)

    def records(self) -> Iterator[Record]:
        """Every record, those of a municipality in order. Raises OSError."""
        for path in sorted(self.directory.glob("*.jsonl")):
            yield from self._complete(path)

    def append(self, record: Record) -> Record:
        """Write one change, numbered; it has happened when this returns. Raises OSError."""
        boot, number = self.last.get(record["municipality"]) or (secrets.token_hex(16), 0)
        record = {**record, "boot": boot, "sequence": number + 1}
        path = self.directory / f"{record['municipality']}.jsonl"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(descriptor, _line(record))
            os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        self._remember(record)
        return record

    def forget(self, municipality: str, before: str) -> int:
        """Drop records older than a time (UTC, RFC 3339); how many. Raises OSError.

        The record of an open alarm stays, and the last one, from which the numbers go on. The file is rewritten where
        it is, as its group is the municipality's; what it will hold is on the disk first.
        """
        path = self.directory / f"{municipality}.jsonl"
        if not path.exists():
            return 0
        draft, dropped = path.with_suffix(".new"), 0
        with draft.open("wb") as file:
            for record in self._complete(path):
                if record.get("time", "") >= before or self._matters(record):
                    file.write(_line(record))
                else:
                    dropped += 1
            file.flush()
            os.fsync(file.fileno())
        if dropped:
            _put_back(draft.replace(path.with_suffix(".kept")))
        else:
            draft.unlink()
        return dropped

    def _complete(self, path: Path) -> Iterator[Record]:
        """The records of a file; what is half written at its end is cut off."""
        with path.open("rb") as file:
            whole = 0
            for line in file:
                if not line.endswith(b"\n"):
                    break
                whole += len(line)
                try:
                    record = loads(line, LINE_BYTES)
                except UnfitError:
                    record = None
                if _is_record(record, path.stem):
                    yield record
                else:
                    self.damaged += 1
        if whole < path.stat().st_size:
            os.truncate(path, whole)

    def _matters(self, record: Record) -> bool:
        key = Key(record["municipality"], record["kind"], record["subject"])
        last = (record.get("boot"), record.get("sequence")) == self.last.get(record["municipality"])
        return last or self.open.get(key) == record

    def _remember(self, record: Record) -> None:
        key = Key(record["municipality"], record["kind"], record["subject"])
        if "sequence" in record:
            self.last[record["municipality"]] = (record["boot"], record["sequence"])
        if record["state"] == "raised":
            self.open[key] = record
        else:
            self.open.pop(key, None)


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def _put_back(kept: Path) -> None:
    """Have the file of alarms hold what was kept of it; done again from the beginning after a crash."""
    with kept.with_suffix(".jsonl").open("r+b") as file:
        file.write(kept.read_bytes())
        file.truncate()
        file.flush()
        os.fsync(file.fileno())
    kept.unlink()


def _is_record(found: Any, municipality: str) -> bool:
    if not isinstance(found, dict) or not all(isinstance(found.get(name), str) for name in TEXTS):
        return False
    is_numbered = "sequence" not in found or (type(found["sequence"]) is int and isinstance(found.get("boot"), str))
    return is_numbered and found["municipality"] == municipality
