"""What was sent, what has arrived, and what is missing, per relay, source and day: arithmetic on tallies.

Sent is what the relays state, and whatever arrived besides. A number that is missing is one of these:
under way   sent less than two minutes ago
given up    the relay says that it no longer has it: its spool was full
missing     neither; the relay resends it, unless the archive itself has lost it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, NamedTuple

from vaern_programs.shared.intervals import Interval, Intervals, count, intersect, pairs, subtract, union
from vaern_programs.shared.reports import BalanceRow, Gap, Sums
from vaern_programs.shared.tally import Run, Tally, merged, wider

GRACE_SECONDS = 120.0
"""An event may be so long on its way."""
Source = tuple[str, str, str]
"""Relay, boot, source."""
Stated = tuple[int, int, str, str]
"""First and last number of a day, and their times, as the relay states them."""


class Over(NamedTuple):
    """The last day (UTC) whose events retention has begun to delete: what is not there of such a day was to go."""

    usual: str = ""
    by_source: Mapping[str, str] = {}

    def until(self, name: str) -> str:
        """Of one source; empty when nothing was deleted."""
        return self.by_source.get(name, self.usual)


NOTHING_OVER = Over()


@dataclass
class Books:
    """Everything known about one municipality."""

    received: dict[Source, dict[str, list[Run]]] = field(default_factory=lambda: defaultdict(dict))
    events: dict[tuple[Source, str], int] = field(default_factory=lambda: defaultdict(int))
    stated: dict[Source, dict[str, Stated]] = field(default_factory=lambda: defaultdict(dict))
    given_up: dict[Source, Intervals] = field(default_factory=dict)
    heard: dict[str, str] = field(default_factory=dict)
    """Relay to the time of its last statement."""
    spools: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Relay to what it last said about its spool."""
    others: int = 0

    def enter(self, tally: Tally, *, held: bool = True) -> None:
        """Add a tally. One that is not `held` any more still tells what was stated, and what was sent."""
        for statement in tally.statements:
            self._enter_statement(statement)
        if not held:
            for (relay, boot, name, day), runs in tally.runs.items():
                self._enter_sent((relay, boot, name), day, (runs[0][0], runs[-1][1], runs[0][2], runs[-1][3]))
            return
        self.others += tally.others
        for (relay, boot, name, day), runs in tally.runs.items():
            source = (relay, boot, name)
            days = self.received[source]
            days[day] = merged(days[day] + runs) if day in days else list(runs)
            self.events[source, day] += tally.events[relay, boot, name, day]

    def _enter_statement(self, statement: dict[str, Any]) -> None:
        relay, at = str(statement["relay"]), str(statement["received"])
        for boot, name, day, first, last, begun, ended in statement.get("sent", ()):
            self._enter_sent((relay, boot, name), day, (first, last, begun, ended))
        for boot, name, ranges in statement.get("given_up", ()):
            source = (relay, boot, name)
            self.given_up[source] = union(self.given_up.get(source, []), pairs(ranges))
        if at >= self.heard.get(relay, ""):
            self.heard[relay] = at
            self.spools[relay] = dict(statement.get("spool", {}))

    def _enter_sent(self, source: Source, day: str, sent: Stated) -> None:
        known = self.stated[source].get(day)
        if known is None or sent[1] > known[1] or sent[0] < known[0]:
            self.stated[source][day] = wider(known, sent)

    def sources(self) -> list[Source]:
        """Every source of every relay and boot, sorted."""
        return sorted({*self.received, *self.stated})

    def numbers(self, source: Source) -> Intervals:
        """What has arrived of it, on whatever day."""
        return union(*[[run[:2] for run in runs] for runs in self.received.get(source, {}).values()])


def balance(books: Books, now: datetime, days: set[str] | None = None, over: Over = NOTHING_OVER) -> Sums:
    """Rows by day, relay and source, and every gap with its time span; of those days only, when given.

    Of a day that is over nothing is missing.
    """
    rows: dict[tuple[str, str, str], BalanceRow] = {}
    gaps: list[Gap] = []
    for source in books.sources():
        arrived = books.numbers(source)
        for day, sent in _sent(books, source).items():
            if days is not None and day not in days:
                continue
            runs = books.received.get(source, {}).get(day, [])
            own = [run[:2] for run in runs]
            row = rows.setdefault((day, source[0], source[2]), _empty(day, source))
            row["received"] += count(own)
            row["duplicate"] += books.events.get((source, day), 0) - count(own)
            lacking = [] if day <= over.until(source[2]) else subtract([sent], arrived)
            found = _gaps(books, source, day, lacking, now)
            for gap in found:
                row[gap["state"]] += gap["events"]
            gaps += found
    for row in rows.values():
        row["sent"] = row["received"] + row["given_up"] + row["under_way"] + row["missing"]
    return {
        "rows": [rows[key] for key in sorted(rows)],
        "gaps": sorted(gaps, key=lambda gap: (gap["from"], gap["source"], gap["first"])),
    }


def confirmation(books: Books, over: Over = NOTHING_OVER) -> dict[str, dict[str, dict[str, list[Interval]]]]:
    """Relay, boot and source to what the archive holds of it, or has deleted in time: what the relay need not keep."""
    told: dict[str, dict[str, dict[str, list[Interval]]]] = {}
    for source in books.sources():
        relay, boot, name = source
        past = [sent for day, sent in _sent(books, source).items() if day <= over.until(name)]
        numbers = union(books.numbers(source), past)
        if numbers:
            told.setdefault(relay, {}).setdefault(boot, {})[name] = numbers
    return told


def _empty(day: str, source: Source) -> BalanceRow:
    return {
        "day": day, "relay": source[0], "source": source[2], "sent": 0, "received": 0, "duplicate": 0,
        "given_up": 0, "under_way": 0, "missing": 0,
    }  # fmt: skip


def _sent(books: Books, source: Source) -> dict[str, Interval]:
    """The numbers of each day: as stated, or as far as they have arrived where that is further."""
    stated, received = books.stated.get(source, {}), books.received.get(source, {})
    sent: dict[str, Interval] = {}
    before = 0
    for day in sorted({*stated, *received}):
        spans = [run[:2] for run in received.get(day, [])]
        if day in stated:
            spans.append(stated[day][:2])
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        # A boot counts from 1, and days follow one another. A boot that began before what is read cannot tell.
        if before:
            first = min(first, before + 1)
        elif day not in stated and _new(books, day):
            first = 1
        sent[day] = (first, max(last, first))
        before = max(before, last)
    return sent


def _new(books: Books, day: str) -> bool:
    """Whether the boot began within what is read: some other source or day of the archive is older."""
    oldest = min((one for days in books.received.values() for one in days), default=day)
    return day > oldest


def _gaps(books: Books, source: Source, day: str, lacking: Intervals, now: datetime) -> list[Gap]:
    """What is lacking of one day, each interval with the times of its neighbours and why it is not there."""
    if not lacking:
        return []
    given = books.given_up.get(source, [])
    known = merged([run for runs in books.received.get(source, {}).values() for run in runs])
    stated = sorted(books.stated.get(source, {}).values())
    parts: list[tuple[Interval, Literal["given_up", "missing"]]]
    parts = [(part, "given_up") for part in intersect(lacking, given)]
    parts += [(part, "missing") for part in subtract(lacking, given)]
    result: list[Gap] = []
    for (first, last), state in sorted(parts):
        begun, ended = _begun(first, known, stated), _ended(last, known, stated)
        late = state == "given_up" or _age(ended or begun, now) >= GRACE_SECONDS
        result.append(
            {
                "day": day, "relay": source[0], "boot": source[1], "source": source[2], "first": first, "last": last,
                "events": last - first + 1, "from": begun or ended,
                "until": ended or begun,
                "state": state if late else "under_way",
            }
        )  # fmt: skip
    return result


def _begun(first: int, known: list[Run], stated: list[Stated]) -> str:
    """When the nearest known event before a gap was taken in; that of the gap's own first one where it is stated."""
    exact = [one[2] for one in stated if one[0] == first]
    before = [(run[1], run[3]) for run in known if run[1] < first] + [
        (one[1], one[3]) for one in stated if one[1] < first
    ]
    return exact[0] if exact else max(before)[1] if before else ""


def _ended(last: int, known: list[Run], stated: list[Stated]) -> str:
    exact = [one[3] for one in stated if one[1] == last]
    after = [(run[0], run[2]) for run in known if run[0] > last] + [(one[0], one[2]) for one in stated if one[0] > last]
    return exact[0] if exact else min(after)[1] if after else ""


def _age(time: str, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(time)).total_seconds()
    except (ValueError, TypeError):
        return GRACE_SECONDS


def spans(tally: Tally) -> Iterable[tuple[Source, list[Run]]]:
    """Source to its runs over all days, of a part of the archive that is gone."""
    found: dict[Source, list[Run]] = defaultdict(list)
    for (relay, boot, name, _), runs in tally.runs.items():
        found[relay, boot, name] += runs
    return ((source, merged(runs)) for source, runs in sorted(found.items()))
