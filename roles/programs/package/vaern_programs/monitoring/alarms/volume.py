"""How many lines of each source came in each hour of the last five weeks, to compare an hour with those before it.

An hour is compared with the same hour of the week, as nights and weekends are quieter: with the middle one of those of
the last four weeks, so that one odd week changes nothing. An hour in which not everything was heard is not known, and
is neither judged nor remembered as usual. Pure; times are Unix seconds.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Mapping
from statistics import median
from typing import Annotated, Any, NamedTuple, TypedDict

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Between, Most
from vaern_programs.shared.reports import Count, Seconds
from vaern_programs.shared.schema import Schema

SECONDS, PERIOD, PERIODS = 3600.0, 168, 4
"""Length of an hour, hours of a week, weeks. The settings of the alarm service may have the first two otherwise."""
ENOUGH_PERIODS = 2
"""Weeks that have to be known: one alone may have been the odd one."""
GAP_SECONDS = 120.0
"""Nothing was told for longer: what came meanwhile is not known."""
NOT_KNOWN = -1
MOST_SLOTS = 100_000


class Volume(NamedTuple):
    """The last whole hour of one source, and what is usual for it; None for what is not known."""

    events: float | None = None
    usual: float | None = None
    since: float = 0.0
    """When that hour began."""
    seconds: float = SECONDS


class StoredVolumes(TypedDict):
    """The hours of one municipality, as their file has them."""

    seconds: Annotated[float, Between(0.1, 10**6)]
    period: Count
    slot: Count
    """The last hour, counted from 1970."""
    counts: Annotated[
        dict[Annotated[str, Most(64)], Annotated[list[Annotated[int, Between(-1, 10**15)]], Most(MOST_SLOTS)]],
        Most(10_000),
    ]


STORED = Schema(StoredVolumes, 2**28)


class Told(NamedTuple):
    """What the archiver has told last."""

    began: Seconds
    """When it began to count."""
    lines: Mapping[str, int]
    """Source to lines since then."""


class Volumes:
    """The hours of the sources of one municipality."""

    def __init__(self, seconds: float = SECONDS, period: int = PERIOD) -> None:
        """`seconds` is the length of an hour, `period` how many of them make a week."""
        self.seconds, self.period = seconds, max(1, period)
        self.length = (PERIODS + 1) * self.period
        self.counts: dict[str, array[int]] = {}
        self.closed = NOT_KNOWN
        """The last hour that is over."""
        self.slot = NOT_KNOWN
        self.told: Told | None = None
        self.told_at = 0.0
        self.sums: dict[str, int] = {}
        self.is_whole = False

    @classmethod
    def restored(cls, found: object, seconds: float = SECONDS, period: int = PERIOD) -> Volumes:
        """What a file of it holds; nothing for one of other hours, or a damaged one."""
        volumes = cls(seconds, period)
        try:
            stored = STORED.take(found)
        except UnfitError:
            return volumes
        if (stored["seconds"], stored["period"]) == (volumes.seconds, volumes.period):
            volumes.closed = stored["slot"]
            volumes.counts = {
                name: array("q", those) for name, those in stored["counts"].items() if len(those) == volumes.length
            }
        return volumes

    def stored(self) -> dict[str, Any]:
        """As a file has it."""
        counts = {name: list(those) for name, those in self.counts.items()}
        return {"seconds": self.seconds, "period": self.period, "slot": max(self.closed, 0), "counts": counts}

    def look(self, told: Told | None, now: float, unheard: Collection[str] = ()) -> bool:
        """Take in what was told, None where nothing was; whether an hour has ended by it.

        `unheard` are sources of which not everything that was sent has come: the hour is not known of them.
        """
        slot = int(now // self.seconds)
        ended = self.slot not in {slot, NOT_KNOWN}
        if slot != self.slot:
            self._begin(slot)
        if told is None or now - self.told_at > GAP_SECONDS or self.told is None:
            self.is_whole = False
        else:
            for name, lines in told.lines.items():
                known = told.began == self.told.began
                before = self.told.lines.get(name) if known else 0
                if before is not None and name in self.sums:
                    self.sums[name] += max(0, lines - before)
        for name in unheard:
            self.sums.pop(name, None)
        if told is not None:
            self.told, self.told_at = told, now
        return ended

    def of(self, name: str) -> Volume:
        """The last hour of a source, and the usual one."""
        counts = self.counts.get(name)
        if counts is None or self.closed < 0:
            return Volume(seconds=self.seconds)
        events = counts[self.closed % self.length]
        earlier = [counts[(self.closed - back * self.period) % self.length] for back in range(1, PERIODS + 1)]
        known = [count for count in earlier if count >= 0]
        usual = median(known) if len(known) >= ENOUGH_PERIODS else None
        return Volume(events if events >= 0 else None, usual, self.closed * self.seconds, self.seconds)

    def declare(self, names: Iterable[str]) -> None:
        """Remember these sources, and forget all others."""
        wanted = set(names)
        for name in self.counts.keys() - wanted:
            del self.counts[name]
        for name in wanted - self.counts.keys():
            self.counts[name] = array("q", [NOT_KNOWN]) * self.length

    def _begin(self, slot: int) -> None:
        """End the hour before; what lies between is not known."""
        follows = slot == self.slot + 1 and self.slot >= 0
        for name, counts in self.counts.items():
            if self.slot >= 0 or self.closed >= 0:
                known = self.is_whole and follows and name in self.sums
                first = (self.closed if self.closed >= 0 else self.slot - 1) + 1
                for one in range(max(first, slot - self.length), slot):
                    counts[one % self.length] = NOT_KNOWN
                if known:
                    counts[self.slot % self.length] = self.sums[name]
        self.closed = slot - 1
        # Whoever is there at its beginning is counted; the first hour after a start is not whole.
        self.is_whole = follows
        self.sums = dict.fromkeys(self.told.lines if self.told else (), 0)
        self.slot = slot
