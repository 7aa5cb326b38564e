"""What this relay has sent, what of it is confirmed, and what is given up: arithmetic, and one file.

All of it is by boot (start of the relay's service) and source. Numbers begin with 1 at every boot.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from vaern_programs.relay.spool.index import Segment, Source
from vaern_programs.shared.files import replace
from vaern_programs.shared.intervals import Intervals, pairs, subtract, union
from vaern_programs.shared.runs import wider
from vaern_programs.shared.tally import Tally

Day = tuple[int, int, str, str]
"""First and last number of a day, and their times."""
DAYS = 35
"""Older days are forgotten: longer than the longest outage that can be declared."""


class State:
    """Kept in <spool>/ledger/state.json."""

    def __init__(self, written: dict[str, Any] | None = None) -> None:
        """Restore the state from the result of `written`; empty without one."""
        written = written or {}
        self.sent: dict[Source, dict[str, Day]] = defaultdict(dict)
        for boot, name, day, *rest in written.get("sent", ()):
            self.sent[boot, name][day] = tuple(rest)
        self.confirmed: dict[Source, Intervals] = {}
        """By the newest confirmation. It is not stored, since only what the archive holds now may be pruned."""
        self.ever_confirmed = _from_rows(written.get("once", ()))
        """By any confirmation so far: such an event is never given up, whatever happens to the archive."""
        self.given_up = _from_rows(written.get("given_up", ()))
        self.stated = {tuple(row[:3]): list(row) for row in written.get("told", ())}
        self.stated_given_up: list[list[Any]] = list(written.get("told_given_up", ()))
        self.settled: list[tuple[float, list[Any]]] = [(at, rows) for at, rows in written.get("settled", ())]
        self.queue: tuple[int, float] = tuple(written.get("queue", (0, 0.0)))
        """Bytes that the delivery still had to send, and the time since which the number has not changed."""
        self.drained_at = str(written.get("empty", ""))
        """Time of the newest confirmation when the delivery first had nothing left to send; empty while it has."""
        self.statements = int(written.get("statements", 0))

    def written(self) -> dict[str, Any]:
        """The state as JSON values."""
        return {
            "sent": self.rows(),
            "once": _rows(self.ever_confirmed),
            "given_up": _rows(self.given_up),
            "told": list(self.stated.values()),
            "told_given_up": self.stated_given_up,
            "settled": self.settled,
            "queue": self.queue,
            "empty": self.drained_at,
            "statements": self.statements,
        }

    def rows(self) -> list[list[Any]]:
        """Everything sent, one row for boot, source and day."""
        return [
            [*source, day, *self.sent[source][day]] for source in sorted(self.sent) for day in sorted(self.sent[source])
        ]

    def enter(self, found: Iterable[Tally], since: str) -> None:
        """Add the events of these tallies to what has been sent, from the day `since` on."""
        known = set(self.sent)
        for tally in found:
            for (_, boot, name, day), runs in tally.runs.items():
                if day >= since:
                    days = self.sent[boot, name]
                    days[day] = wider(days.get(day), (runs[0][0], runs[-1][1], runs[0][2], runs[-1][3]))
        for source, days in self.sent.items():
            _fill_day_gaps(days, new=source not in known)

    def forget(self, before: str) -> None:
        """Drop days before a day, and all that is known of boots that ended before it.

        The last day of the newest boot of a source stays: a source may be silent for long, and goes on counting.
        """
        newest: dict[str, tuple[str, str]] = {}
        for (boot, name), days in self.sent.items():
            newest[name] = max(newest.get(name, ("", "")), (max(row[3] for row in days.values()), boot))
        for boot, name in list(self.sent):
            days = self.sent[boot, name]
            last = max(days) if newest[name][1] == boot else ""
            self.sent[boot, name] = {day: row for day, row in days.items() if day >= before or day == last}
            if not self.sent[boot, name]:
                del self.sent[boot, name]
        for kept in (self.ever_confirmed, self.given_up):
            for source in [source for source in kept if source not in self.sent]:
                del kept[source]
        self.stated = {key: row for key, row in self.stated.items() if key[2] in self.sent.get(key[:2], {})}

    def confirm(self, confirmations: dict[str, Any]) -> None:
        """Add a confirmation: what the archive holds, as boot to source to intervals of sequence numbers."""
        for boot, names in confirmations.items():
            for name, ranges in names.items():
                source = (boot, name)
                self.confirmed[source] = pairs(ranges)
                self.ever_confirmed[source] = union(self.ever_confirmed.get(source, []), self.confirmed[source])
                if source in self.given_up:
                    self.given_up[source] = subtract(self.given_up[source], self.ever_confirmed[source])

    def settle(self, now: float, grace: float) -> dict[Source, int]:
        """The highest number of each source that was sent longer ago than `grace` seconds; remembers those of now."""
        highest = [
            [*source, max(row[1] for row in days.values())] for source, days in sorted(self.sent.items()) if days
        ]
        # A clock that was set back would leave everything unsettled until it has caught up.
        self.settled = [(min(at, now), rows) for at, rows in self.settled]
        self.settled.append((now, highest))
        past = [entry for entry in self.settled if entry[0] <= now - grace]
        self.settled = past[-1:] + [entry for entry in self.settled if entry[0] > now - grace]
        return {(boot, name): last for boot, name, last in past[-1][1]} if past else {}

    def lacking(self, settled: dict[Source, int]) -> dict[Source, Intervals]:
        """Intervals that were sent long enough ago, up to the numbers in `settled`, and are not confirmed."""
        found = {}
        for source, days in self.sent.items():
            limit = settled.get(source, 0)
            spooled = union((row[0], min(row[1], limit)) for row in days.values() if row[0] <= limit)
            left = subtract(spooled, self.confirmed.get(source, []))
            if left:
                found[source] = left
        return found

    def is_draining(self, queued: int, now: float, stuck: float) -> bool:
        """Whether the delivery has bytes left to send, and their number has changed within `stuck` seconds."""
        if self.queue[0] != queued or self.queue[1] > now:
            self.queue = (queued, now)
        return queued > 0 and now - self.queue[1] < stuck

    def is_conclusive(self, confirmed: str, is_draining: bool, after: float) -> bool:
        """Whether a confirmation of that time shows what is missing, as it was made well after all was delivered.

        Both times are the collector's, so the relay's clock does not matter.
        """
        if is_draining:
            self.drained_at = ""
        elif not self.drained_at:
            self.drained_at = confirmed
        if not self.drained_at:
            return False
        passed = datetime.fromisoformat(confirmed) - datetime.fromisoformat(self.drained_at)
        return passed.total_seconds() >= after

    def give_up(self, lacking: dict[Source, Intervals], spool: dict[Source, Intervals]) -> None:
        """Mark missing events that are no longer in the spool as given up, since they can never be sent."""
        for source, ranges in lacking.items():
            gone = subtract(subtract(ranges, spool.get(source, [])), self.ever_confirmed.get(source, []))
            if gone:
                self.given_up[source] = union(self.given_up.get(source, []), gone)

    def unstated_rows(self) -> tuple[list[list[Any]], list[list[Any]]]:
        """Rows of sent and of given-up events that are in no statement yet."""
        sent = [row for row in self.rows() if self.stated.get(tuple(row[:3])) != row]
        given = _rows(self.given_up)
        return sent, [row for row in given if row not in self.stated_given_up]

    def mark_stated(self, sent: list[list[Any]], given: list[list[Any]]) -> None:
        """Record that a statement with these rows has been acknowledged."""
        self.stated |= {tuple(row[:3]): row for row in sent}
        self.stated_given_up = [
            row for row in self.stated_given_up if row[:2] not in [new[:2] for new in given]
        ] + given
        self.statements += 1


def _fill_day_gaps(days: dict[str, Day], *, new: bool) -> None:
    """Close gaps between days, and start a boot at 1: numbers that were never counted have been sent all the same."""
    before = 0
    for day in sorted(days):
        first, last, begun, ended = days[day]
        days[day] = (min(first, before + 1) if before or new else first, max(last, before), begun, ended)
        before = max(last, before)


def spooled(found: Iterable[Segment]) -> dict[Source, Intervals]:
    """Intervals of sequence numbers in the spool, by boot and source."""
    held: dict[Source, Intervals] = {}
    for segment in found:
        for source, numbers in segment.holds().items():
            held[source] = union(held.get(source, []), numbers)
    return held


def read(path: Path) -> State:
    """The stored state; an unreadable one is rebuilt from the spool."""
    try:
        return State(json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return State()


def write(path: Path, state: State) -> None:
    """Replace the file at once. Raises OSError."""
    replace(path, json.dumps(state.written(), separators=(",", ":")))


def _rows(kept: dict[Source, Intervals]) -> list[list[Any]]:
    return [[*source, [list(pair) for pair in kept[source]]] for source in sorted(kept)]


def _from_rows(rows: Iterable[Any]) -> dict[Source, Intervals]:
    return {(boot, name): pairs(ranges) for boot, name, ranges in rows}
