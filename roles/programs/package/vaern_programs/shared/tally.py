"""Which events a text of JSON lines holds: runs of sequence numbers, by relay, boot, source and day.

The same on the relay, over its spool, and on the collector, over the archive: what one states it has sent is compared
with what the other holds. The day is that on which the relay received the event, UTC.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from sys import intern
from typing import Any

from vaern_programs.shared.identity import IDENTITY, Identity, identity_of, last_event
from vaern_programs.shared.relay_names import RelayNames
from vaern_programs.shared.reports import ALARM_SOURCE, STATEMENT_SOURCE
from vaern_programs.shared.runs import Run, merged, put, touches
from vaern_programs.shared.statements import MARK, Statements

Key = tuple[str, str, str, str]
"""Relay, boot, source, day."""
OWN_SOURCES = frozenset({STATEMENT_SOURCE.encode(), ALARM_SOURCE.encode()})
"""Not numbered by a relay's rsyslog, so there is nothing to balance."""


class Tally:
    """Counts events; a part of a spool or an archive that has been read once need not be read again."""

    def __init__(self, most: float = math.inf) -> None:
        """Nothing is counted yet. At most `most` runs are listed, and as many rows and ranges of statements."""
        self.most = self.most_rows = most
        self.names, self.latest = RelayNames(), math.inf
        self.clear()

    def limit(self, runs: float, rows: float, names: RelayNames, latest: float) -> None:
        """From now on at most so many runs are listed, and so many rows and ranges of statements, of relays admitted.

        `latest` is as statements take it.
        """
        self.most, self.most_rows, self.names, self.latest = runs, rows, names, latest
        self.statements.limit(rows, names, latest)

    def without_statements(self) -> Tally:
        """The events alone."""
        events = Tally()
        events.events, events.runs, events.listed = self.events, self.runs, self.listed
        return events

    def relays(self) -> set[str]:
        """Those of which it has anything."""
        return {key[0] for key in self.runs} | self.statements.relays.keys()

    def clear(self) -> None:
        """Forget everything."""
        self.events: dict[Key, int] = {}
        self.runs: dict[Key, list[Run]] = {}
        self.listed = 0
        """Runs, of all keys together."""
        self.statements = Statements()
        self.statements.limit(self.most_rows, self.names, self.latest)
        self.others = 0
        """Lines that are no events."""
        self.broken: int | None = 0
        """Events whose line is no JSON, where somebody looks for them; None when nobody has."""
        self.unlisted = 0
        """Events that were left out, as there were too many runs."""

    def add(self, text: bytes) -> None:
        """Count the complete lines of a text."""
        lines = text.count(b"\n")
        found = IDENTITY.findall(text)
        if len(found) == lines:
            self._count((received, relay, boot, int(number), source) for received, relay, boot, number, source in found)
        else:
            self._count(self._read_each(text))
        if MARK in text:
            self.statements.read(text)

    def _count(self, identities: Iterable[Identity]) -> None:
        """Extend the last run of each source for as long as its numbers follow one another."""
        current: dict[tuple[bytes, bytes, bytes, bytes], list[Any]] = {}
        runs: list[tuple[tuple[bytes, bytes, bytes, bytes], list[Any]]] = []
        for received, relay, boot, number, source in identities:
            key = (relay, boot, source, received[:10])
            run = current.get(key)
            if run is not None and number == run[1] + 1:
                run[1] = number
                run[3] = received
            else:
                current[key] = run = [number, number, received, received]
                runs.append((key, run))
        self._enter(runs)

    def _enter(self, runs: Iterable[tuple[tuple[bytes, bytes, bytes, bytes], list[Any]]]) -> None:
        for key, (first, last, begun, ended) in runs:
            if key[2] in OWN_SOURCES:
                continue
            relay, boot, source, day = (intern(part.decode()) for part in key)
            own: Key = (relay, boot, source, day)
            # Where the list is full, honest sources are counted on.
            full = self.listed >= self.most and not touches(self.runs.get(own, []), first, last)
            if full or not self.names.admit(relay):
                self.unlisted += last - first + 1
                continue
            self.events[own] = self.events.get(own, 0) + last - first + 1
            self.listed += put(self.runs.setdefault(own, []), (first, last, begun.decode(), ended.decode()), merged)

    def _read_each(self, text: bytes) -> Iterator[Identity]:
        for line in text.splitlines():
            identity = identity_of(last_event(line))
            if identity is None:
                self.others += 1
            else:
                yield identity

    def written(self) -> dict[str, Any]:
        """For a JSON file; `read` takes it back."""
        return {
            "keys": [[*key, self.events[key], self.runs[key]] for key in sorted(self.runs)],
            "statements": self.statements.written(),
            "checked": True,
            "refused": self.statements.refused,
            "unlisted": self.unlisted,
            "unlisted_rows": self.statements.unlisted,
            "others": self.others,
            "broken": self.broken,
        }

    @classmethod
    def read(cls, written: dict[str, Any]) -> Tally:
        """What `written` gave, in this version or an earlier one. Raises KeyError, TypeError, ValueError."""
        tally = cls()
        for relay, boot, source, day, events, runs in written["keys"]:
            key: Key = (intern(relay), intern(boot), intern(source), intern(day))
            tally.events[key] = events
            tally.runs[key] = [(first, last, begun, ended) for first, last, begun, ended in runs]
            tally.listed += len(runs)
        tally.statements.restore(written["statements"], checked=written.get("checked", False))
        tally.statements.refused += written.get("refused", 0)
        tally.statements.unlisted += written.get("unlisted_rows", 0)
        tally.unlisted = written.get("unlisted", 0)
        tally.others = written["others"]
        tally.broken = written.get("broken")
        return tally
