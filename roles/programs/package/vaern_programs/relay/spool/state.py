"""What this relay has sent, what of it is confirmed, and what it had to give up: arithmetic, and one file.

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
from vaern_programs.shared.tally import Tally, wider

Day = tuple[int, int, str, str]
"""First and last number of a day, and their times."""
DAYS = 35
"""Older days are forgotten: longer than the longest outage that can be declared."""


class State:
    """Kept in <spool>/ledger/state.json."""

    def __init__(self, written: dict[str, Any] | None = None) -> None:
        """From what `written` gave."""
        written = written or {}
        self.sent: dict[Source, dict[str, Day]] = defaultdict(dict)
        for boot, name, day, *rest in written.get("sent", ()):
            self.sent[boot, name][day] = tuple(rest)
        self.confirmed: dict[Source, Intervals] = {}
        """By the newest confirmation; not kept, as only what the archive holds now may be let go of."""
        self.once = _from_rows(written.get("once", ()))
        """By any confirmation: whatever becomes of the archive, the relay has not given it up."""
        self.given_up = _from_rows(written.get("given_up", ()))
        self.told = {tuple(row[:3]): list(row) for row in written.get("told", ())}
        self.told_given_up: list[list[Any]] = list(written.get("told_given_up", ()))
        self.settled: list[tuple[float, list[Any]]] = [(at, rows) for at, rows in written.get("settled", ())]
        self.queue: tuple[int, float] = tuple(written.get("queue", (0, 0.0)))
        """Bytes that the delivery had yet to send, and since when so many."""
        self.empty = str(written.get("empty", ""))
        """Time of the confirmation that was the newest when it first had nothing to send; none while it has."""
        self.statements = int(written.get("statements", 0))

    def written(self) -> dict[str, Any]:
        """For the file."""
        return {
            "sent": self.rows(),
            "once": _rows(self.once),
            "given_up": _rows(self.given_up),
            "told": list(self.told.values()),
            "told_given_up": self.told_given_up,
            "settled": self.settled,
            "queue": self.queue,
            "empty": self.empty,
            "statements": self.statements,
        }

    def rows(self) -> list[list[Any]]:
        """Everything sent, one row for boot, source and day."""
        return [
            [*source, day, *self.sent[source][day]] for source in sorted(self.sent) for day in sorted(self.sent[source])
        ]

    def enter(self, found: Iterable[Tally], since: str) -> None:
        """Learn from what is in the spool, or was, what has been sent from a day on."""
        known = set(self.sent)
        for tally in found:
            for (_, boot, name, day), runs in tally.runs.items():
                if day >= since:
                    days = self.sent[boot, name]
                    days[day] = wider(days.get(day), (runs[0][0], runs[-1][1], runs[0][2], runs[-1][3]))
        for source, days in self.sent.items():
            _close_up(days, new=source not in known)

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
        for kept in (self.once, self.given_up):
            for source in [source for source in kept if source not in self.sent]:
                del kept[source]
        self.told = {key: row for key, row in self.told.items() if key[2] in self.sent.get(key[:2], {})}

    def confirm(self, told: dict[str, Any]) -> None:
        """Learn what the archive holds: boot and source to intervals."""
        for boot, names in told.items():
            for name, ranges in names.items():
                source = (boot, name)
                self.confirmed[source] = pairs(ranges)
                self.once[source] = union(self.once.get(source, []), self.confirmed[source])
                if source in self.given_up:
                    self.given_up[source] = subtract(self.given_up[source], self.once[source])

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
        """What has been sent long enough ago and is not confirmed."""
        found = {}
        for source, days in self.sent.items():
            limit = settled.get(source, 0)
            whole = union((row[0], min(row[1], limit)) for row in days.values() if row[0] <= limit)
            left = subtract(whole, self.confirmed.get(source, []))
            if left:
                found[source] = left
        return found

    def moves(self, queued: int, now: float, stuck: float) -> bool:
        """Whether the delivery has something to send, and more or less of it than `stuck` seconds ago."""
        if self.queue[0] != queued or self.queue[1] > now:
            self.queue = (queued, now)
        return queued > 0 and now - self.queue[1] < stuck

    def speaks(self, confirmed: str, moves: bool, after: float) -> bool:
        """Whether a confirmation of that time can tell what is lacking: it was made well after all was delivered.

        Both times are the collector's, so no clock of the relay counts.
        """
        if moves:
            self.empty = ""
        elif not self.empty:
            self.empty = confirmed
        if not self.empty:
            return False
        passed = datetime.fromisoformat(confirmed) - datetime.fromisoformat(self.empty)
        return passed.total_seconds() >= after

    def give_up(self, lacking: dict[Source, Intervals], spool: dict[Source, Intervals]) -> None:
        """What is lacking and not in the spool any more can never be sent."""
        for source, ranges in lacking.items():
            gone = subtract(subtract(ranges, spool.get(source, [])), self.once.get(source, []))
            if gone:
                self.given_up[source] = union(self.given_up.get(source, []), gone)

    def news(self) -> tuple[list[list[Any]], list[list[Any]]]:
        """Rows of what was sent, and of what was given up, that no statement has told yet."""
        sent = [row for row in self.rows() if self.told.get(tuple(row[:3])) != row]
        given = _rows(self.given_up)
        return sent, [row for row in given if row not in self.told_given_up]

    def tell(self, sent: list[list[Any]], given: list[list[Any]]) -> None:
        """Remember that a statement with these rows has been acknowledged."""
        self.told |= {tuple(row[:3]): row for row in sent}
        self.told_given_up = [row for row in self.told_given_up if row[:2] not in [new[:2] for new in given]] + given
        self.statements += 1


def _close_up(days: dict[str, Day], *, new: bool) -> None:
    """Days follow one another without a gap, and a boot begins with 1: what was never counted was sent all the same."""
    before = 0
    for day in sorted(days):
        first, last, begun, ended = days[day]
        days[day] = (min(first, before + 1) if before or new else first, max(last, before), begun, ended)
        before = max(last, before)


def whole(found: Iterable[Segment]) -> dict[Source, Intervals]:
    """Everything that is in the spool."""
    held: dict[Source, Intervals] = {}
    for segment in found:
        for source, numbers in segment.holds().items():
            held[source] = union(held.get(source, []), numbers)
    return held


def read(path: Path) -> State:
    """The state as it was left; an unreadable one is begun again from the spool."""
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
