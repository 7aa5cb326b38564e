"""Everything known about what one municipality has sent, and how much of that may be kept in memory.

The limits are far above what honest relays need, and a municipality that passes one harms its own count only: what is
left out is counted, confirmed to nobody, and an alarm.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from vaern_programs.shared.intervals import Intervals, union
from vaern_programs.shared.relay_names import MOST_UNDECLARED, RelayNames
from vaern_programs.shared.runs import Run, merged, put, touches, wider
from vaern_programs.shared.tally import Tally
from vaern_programs.shared.times import unix

MOST_SOURCES = 2000
"""Sources of all relays of a municipality together."""
MOST_RUNS = 100_000
"""Runs of received events, and as many rows and ranges of statements."""
Series = tuple[str, str, str]
"""Relay, boot and source: a sequence number means one event of it."""


class Deleted(NamedTuple):
    """The last day (UTC) whose events retention has begun to delete: what is not there of such a day was to go."""

    usual: str = ""
    by_source: Mapping[str, str] = {}

    def until(self, source: str) -> str:
        """Of one source; empty when nothing was deleted."""
        return self.by_source.get(source, self.usual)


NOTHING_DELETED = Deleted()


class Books:
    """Adds up the tallies of one municipality."""

    def __init__(self, latest: float = math.inf, relays: Iterable[str] = ()) -> None:
        """Nothing is entered yet.

        `relays` are those that are declared. Of statements made after `latest`, Unix seconds, the time is not believed.
        """
        self.latest, self._names = latest, RelayNames(relays, MOST_UNDECLARED)
        self.events: dict[tuple[Series, str], int] = defaultdict(int)
        """Series and day to how many events have arrived, copies included."""
        self.stated: dict[Series, dict[str, Run]] = defaultdict(dict)
        """By day."""
        self.given_up: dict[Series, Intervals] = {}
        self.statement_times: dict[str, str] = {}
        """Relay to the time of its last statement."""
        self.spools: dict[str, dict[str, Any]] = {}
        """Relay to how full it said its spool was."""
        self.others = 0
        """Lines that are no events."""
        self.broken = 0
        """Events whose line is no JSON."""
        self.unlisted = 0
        """Events and rows that were left out, as a limit was reached."""
        self._received: dict[Series, dict[str, list[Run]]] = defaultdict(dict)
        self._sources: set[tuple[str, str]] = set()
        self._runs = self._rows = 0

    def enter(self, tally: Tally, *, held: bool = True) -> None:
        """Add a tally. `held` is false when its events are gone from the archive: they were sent, and that is all."""
        self._enter_statements(tally)
        for (relay, boot, source, day), runs in tally.runs.items():
            series = (relay, boot, source)
            if not held:
                self._enter_sent(series, day, (runs[0][0], runs[-1][1], runs[0][2], runs[-1][3]))
            elif self._runs + len(runs) > MOST_RUNS or not self._has_room_for(relay, source):
                self.unlisted += tally.events[relay, boot, source, day]
            else:
                self._enter_received(series, day, runs)
                self.events[series, day] += tally.events[relay, boot, source, day]
        if held:
            self.others += tally.others
            self.broken += tally.broken or 0
        self.unlisted += tally.unlisted + tally.statements.unlisted

    def _enter_statements(self, tally: Tally) -> None:
        for relay, statement in tally.statements.relays.items():
            if not self._names.admit(relay):
                self.unlisted += 1 + len(statement.sent) + sum(map(len, statement.given_up.values()))
                continue
            for (boot, source, day), sent in statement.sent.items():
                self._enter_sent((relay, boot, source), day, sent)
            for (boot, source), ranges in statement.given_up.items():
                self._enter_given_up((relay, boot, source), ranges)
            if statement.at >= self.statement_times.get(relay, "") and unix(statement.at) <= self.latest:
                self.statement_times[relay], self.spools[relay] = statement.at, statement.spool

    def _enter_received(self, series: Series, day: str, runs: list[Run]) -> None:
        known = self._received[series].setdefault(day, [])
        self._runs += sum(put(known, run, merged) for run in runs)

    def _enter_given_up(self, series: Series, ranges: Intervals) -> None:
        for first, last in ranges:
            known = self.given_up.get(series, [])
            if touches(known, first, last) or self._has_row(series):
                self._rows += put(known, (first, last), union)
                self.given_up[series] = known
            else:
                self.unlisted += 1

    def _enter_sent(self, series: Series, day: str, sent: Run) -> None:
        known = self.stated[series].get(day) if series in self.stated else None
        if known is None:
            if not self._has_row(series):
                self.unlisted += 1
                return
            self._rows += 1
        if known is None or sent[1] > known[1] or sent[0] < known[0]:
            self.stated[series][day] = wider(known, sent)

    def _has_row(self, series: Series) -> bool:
        return self._rows < MOST_RUNS and self._has_room_for(series[0], series[2])

    def _has_room_for(self, relay: str, source: str) -> bool:
        if not self._names.admit(relay):
            return False
        if (relay, source) not in self._sources and len(self._sources) >= MOST_SOURCES:
            return False
        self._sources.add((relay, source))
        return True

    def series(self) -> list[Series]:
        """Every series of which something was sent, sorted."""
        return sorted({*self._received, *self.stated})

    def all_days(self) -> set[str]:
        """Every day on which something has arrived or was stated to be sent."""
        return {day for known in (self._received, self.stated) for days in known.values() for day in days}

    def days(self, series: Series) -> list[str]:
        """Days on which something of it has arrived, sorted."""
        return sorted(self._received[series]) if series in self._received else []

    def received(self, series: Series, day: str) -> list[Run]:
        """Runs of it that arrived on a day, in order."""
        return self._received.get(series, {}).get(day, [])

    def runs(self, series: Series) -> list[Run]:
        """What has arrived of it, on whatever day, in order."""
        return merged(run for day in self.days(series) for run in self.received(series, day))

    def numbers(self, series: Series) -> Intervals:
        """The same, without times."""
        return union(run[:2] for day in self.days(series) for run in self.received(series, day))

    def oldest_day(self) -> str:
        """The first day on which anything has arrived; empty when nothing has."""
        return min((day for days in self._received.values() for day in days), default="")

    def newest_first(self) -> list[Series]:
        """Every series, those with the newest event first."""
        return sorted(self.series(), key=self._last_time, reverse=True)

    def _last_time(self, series: Series) -> str:
        received = (runs[-1][3] for runs in self._received.get(series, {}).values())
        return max((*received, *(sent[3] for sent in self.stated.get(series, {}).values())), default="")
