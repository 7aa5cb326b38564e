"""What of a municipality could not be archived: where it was, why, and as much of it as there is room for.

    <archive>/<code>/quarantine/list.jsonl     one record for each batch or event; the older half is in list.old.jsonl
    <archive>/<code>/quarantine/state.json     how many there were ever, and where reading goes on in each partition
    <archive>/<code>/quarantine/<topic>-<partition>-<first offset>.batch     the bytes, as the broker gave them

The list is bounded and so are the bytes: who sends what cannot be read fills no disk. The state is on the disk before
reading goes on, so that nothing that stopped a worker is read again after a restart.
"""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.times import stamp

NAME = "quarantine"
LIST_BYTES = 2**20
"""Of the list; as much again is kept of what was in it before."""
KEPT_BYTES, KEPT_FILES = 16 * 2**20, 1000
"""Of one municipality, at most."""
KEPT_EACH = 2**20
"""Bytes. A batch is no bigger, as the broker takes no bigger one; of an event that unpacks to more, the beginning."""
HOLD_SECONDS = 3600.0
"""So long after the last one, something in quarantine is an alarm; the next after that is a new one."""
DAY = 86400


class Place(NamedTuple):
    """Where in the broker something is."""

    topic: str
    partition: int
    first: int
    """First offset."""
    last: int
    """Last offset."""


class Quarantine:
    """The quarantine of one municipality. Methods raise OSError."""

    def __init__(self, directory: Path) -> None:
        """`directory` is that of the municipality in the archive; nothing is made before something is kept."""
        self.directory = directory / NAME
        state = read_json(self.directory / "state.json", {})
        self.batches: int = state.get("batches", 0)
        self.events: int = state.get("events", 0)
        self.latest: float = state.get("latest", 0.0)
        """Unix time at which something was kept last."""
        self.since: float = state.get("since", 0.0)
        """Unix time of the first of those that followed each other within an hour."""
        self.next: dict[str, int] = state.get("next", {})
        self.bytes = self.files = 0
        self._measure()

    def after(self, topic: str, partition: int, offset: int) -> int:
        """Where to read on: at `offset`, or behind what has been quarantined."""
        return max(offset, self.next.get(f"{topic}-{partition}", offset))

    def keep(self, place: Place, reason: str, content: bytes, *, behind: bool) -> dict[str, Any]:
        """Put something into quarantine; the record of it.

        With `behind`, reading goes on behind it, also after a restart: that is on the disk when this returns.
        """
        now = time.time()
        if now - self.latest >= HOLD_SECONDS:
            self.since = now
        self.directory.mkdir(mode=0o750, exist_ok=True)
        record = {
            "time": stamp(now),
            **place._asdict(),
            "events": place.last - place.first + 1,
            "reason": reason,
            "bytes": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "file": self._content(place, content),
        }
        self._list(record)
        self.batches += 1
        self.events += record["events"]
        self.latest = now
        if behind:
            self.next[f"{place.topic}-{place.partition}"] = place.last + 1
        state = {name: getattr(self, name) for name in ("batches", "events", "latest", "since", "next")}
        replace(self.directory / "state.json", json.dumps(state), durable=behind)
        return record

    def forget(self, days: int) -> None:
        """Remove bytes older than the retention; what was where stays in the list."""
        limit = time.time() - days * DAY
        for path in self._kept():
            if path.stat().st_mtime < limit:
                path.unlink(missing_ok=True)
        self._measure()

    def records(self) -> list[dict[str, Any]]:
        """What is in the list, oldest first; a line that a crash cut off is left out."""
        found = []
        for name in ("list.old.jsonl", "list.jsonl"):
            try:
                lines = (self.directory / name).read_bytes().splitlines()
            except FileNotFoundError:
                continue
            for line in lines:
                try:
                    found.append(json.loads(line))
                except ValueError:
                    continue
        return found

    def _content(self, place: Place, content: bytes) -> str | None:
        """Keep the bytes, as long as there is room for them; the name of the file."""
        content = content[:KEPT_EACH]
        if self.bytes + len(content) > KEPT_BYTES or self.files >= KEPT_FILES:
            return None
        path = self.directory / f"{place.topic}-{place.partition}-{place.first:020d}.batch"
        path.write_bytes(content)
        self.bytes, self.files = self.bytes + len(content), self.files + 1
        return path.name

    def _list(self, record: dict[str, Any]) -> None:
        path = self.directory / "list.jsonl"
        if path.exists() and path.stat().st_size > LIST_BYTES:
            path.replace(path.with_name("list.old.jsonl"))
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def _measure(self) -> None:
        sizes = [path.stat().st_size for path in self._kept()]
        self.bytes, self.files = sum(sizes), len(sizes)

    def _kept(self) -> list[Path]:
        return sorted(self.directory.glob("*.batch"))
