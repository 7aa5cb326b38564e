"""Gaps of one series: numbers that are not in the archive, with the times of their neighbours and why."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from vaern_programs.ledger.books import Books, Series
from vaern_programs.shared.answers import Gap
from vaern_programs.shared.intervals import Interval, Intervals, intersect, subtract

GRACE_SECONDS = 120.0
"""An event may be under way for so long, and the clock of a relay be so far ahead."""


class Neighbours:
    """Finds when the events around a gap were received, in time that goes with the logarithm of their number."""

    def __init__(self, books: Books, series: Series) -> None:
        """Sort what is known of a series."""
        stated = sorted(books.stated.get(series, {}).values())
        known = [*books.runs(series), *stated]
        self.starts = sorted((run[0], run[2]) for run in known)
        self.ends = sorted((run[1], run[3]) for run in known)
        self.stated_starts = {run[0]: run[2] for run in reversed(stated)}
        self.stated_ends = {run[1]: run[3] for run in reversed(stated)}

    def before(self, first: int) -> str:
        """Time of the nearest known event before a number, or of the number itself where it is stated; else empty."""
        position = bisect_left(self.ends, (first, ""))
        return self.stated_starts.get(first) or (self.ends[position - 1][1] if position else "")

    def after(self, last: int) -> str:
        """The same of the nearest event after it."""
        position = bisect_left(self.starts, (last + 1, ""))
        return self.stated_ends.get(last) or (self.starts[position][1] if position < len(self.starts) else "")


def gaps_of(
    series: Series, day: str, lacking: Intervals, given_up: Intervals, neighbours: Neighbours, now: datetime
) -> Iterable[Gap]:
    """Each interval that is lacking of a day, and whether it was given up, is under way, or is missing."""
    parts: list[tuple[Interval, Literal["given_up", "missing"]]]
    parts = [(part, "given_up") for part in intersect(lacking, given_up)]
    parts += [(part, "missing") for part in subtract(lacking, given_up)]
    for (first, last), state in sorted(parts):
        begun, ended = neighbours.before(first), neighbours.after(last)
        # A time to come is none at which anything can have been sent: only the relay says so, and could for ever.
        recent = abs(_age(ended or begun, now)) < GRACE_SECONDS
        yield {
            "day": day, "relay": series[0], "boot": series[1], "source": series[2], "first": first, "last": last,
            "events": last - first + 1, "from": begun or ended, "until": ended or begun,
            "state": "under_way" if recent and state == "missing" else state,
        }  # fmt: skip


def _age(time: str, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(time)).total_seconds()
    except (ValueError, TypeError, OverflowError):
        return GRACE_SECONDS
