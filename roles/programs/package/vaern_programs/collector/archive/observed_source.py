"""What was seen of one source: a sample of its lines, bounded in number and age. Pure; times are Unix seconds."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from statistics import median
from typing import NamedTuple

from vaern_programs.collector.archive.observed_line import Line, line_of
from vaern_programs.shared.observed import CLOCK_OFF_SECONDS, LINES, Change, FieldSeen, Observed

LOOKS, EACH = 50, 4
"""Looks in a window, and lines at each."""
KEPT = LOOKS * EACH
ENOUGH = 20
"""Where fewer lines came in the window, the last ones are judged, as many as this."""
OLDEST_SECONDS = 86_400.0
"""What is older says nothing about today."""
SETTLES = 20
"""Lines one after the other that say the same, before it counts as changed: several devices may share a source."""
MARKS = 200
"""Moments at which lines were withheld or cut that are remembered."""


class Kept(NamedTuple):
    """What is remembered of a line."""

    at: float
    read: bool
    clock_off: float | None


class Settled:
    """One thing that lines say of themselves, and how it has changed."""

    def __init__(self) -> None:
        """Nothing was said yet."""
        self.before = self.now = self.next = ""
        self.since = self.begun = 0.0
        self.run = 0

    def take(self, said: str, at: float) -> None:
        """What the next line says; nothing counts as not knowing."""
        if not said or said == self.now:
            self.next, self.run = "", 0
            return
        if said != self.next:
            self.next, self.run, self.begun = said, 0, at
        self.run += 1
        if not self.now or self.run >= SETTLES:
            self.before, self.now, self.since = self.now, said, self.begun
            self.next, self.run = "", 0

    def report(self) -> Change:
        """As the file has it."""
        return {"before": self.before, "now": self.now, "since": self.since}


class Field:
    """How often one minimum field was there."""

    def __init__(self) -> None:
        """No line was read yet."""
        self.lines = self.there = 0.0
        self.absent = 0
        self.since = 0.0

    def take(self, *, there: bool, at: float) -> None:
        """The next line that was read. What was long ago weighs less and less, so that a changed device is known."""
        if there:
            self.lines, self.there = self.lines + self.absent + 1, self.there + 1
            self.absent = 0
            if self.lines > 2 * KEPT:
                self.lines, self.there = self.lines / 2, self.there / 2
        else:
            self.since = self.since if self.absent else at
            self.absent += 1

    def report(self) -> FieldSeen:
        """As the file has it."""
        usual = round(self.there / self.lines, 4) if self.lines else None
        return {"absent": self.absent, "usual": usual, "since": self.since}


class ObservedSource:
    """One declared source."""

    def __init__(self, window: float, minimum: Iterable[str]) -> None:
        """`window` in seconds; `minimum` are the fields that its lines must have."""
        self.lines = 0
        self.kept: deque[Kept] = deque(maxlen=KEPT)
        self.excerpts: deque[str] = deque(maxlen=LINES)
        self.withheld: deque[float] = deque(maxlen=MARKS)
        self.cut: deque[float] = deque(maxlen=MARKS)
        self.header, self.version = Settled(), Settled()
        self.fields: dict[str, Field] = {}
        self.looked_at = 0.0
        self.declare(window, minimum)

    def declare(self, window: float, minimum: Iterable[str]) -> None:
        """Take a changed declaration into use."""
        self.window = window
        self.fields = {name: self.fields.get(name) or Field() for name in minimum}

    def count(self, lines: int, now: float) -> None:
        """Lines that came. A clock that was put back begins to look anew."""
        self.lines += lines
        self.looked_at = min(self.looked_at, now)

    def is_due(self, now: float) -> bool:
        """Whether it is time to look at some lines."""
        return now - self.looked_at >= self.window / LOOKS or len(self.kept) < ENOUGH

    @property
    def wanted(self) -> int:
        """How many lines to look at: enough at once, where none were seen yet."""
        return EACH if len(self.kept) >= ENOUGH else ENOUGH

    def look(self, lines: Sequence[bytes], now: float) -> None:
        """Read some lines, spread over those that are given."""
        self.looked_at = now
        for text in some_of(lines, self.wanted):
            line = line_of(text)
            if line is not None:
                self._take(line, now)

    def _take(self, line: Line, now: float) -> None:
        self.kept.append(Kept(now, line.read, line.clock_off))
        self.header.take(line.header, now)
        self.version.take(line.version, now)
        if line.read:
            for name, field in self.fields.items():
                field.take(there=name in line.fields, at=now)
        else:
            self.excerpts.append(line.excerpt)

    def mark(self, withheld: bool, cut: bool, now: float) -> None:
        """A line that the reader withheld or cut."""
        if withheld:
            self.withheld.append(now)
        if cut:
            self.cut.append(now)

    def report(self, now: float) -> Observed:
        """What is judged now."""
        judged = self.judged(now)
        unread = [not one.read for one in judged]
        clocks = [(one.at, one.clock_off) for one in judged if one.clock_off is not None]
        off = [abs(seconds) >= CLOCK_OFF_SECONDS for _, seconds in clocks]
        enough = len(clocks) >= min(ENOUGH, max(1, len(judged)))
        withheld = [at for at in self.withheld if now - at < self.window]
        cut = [at for at in self.cut if now - at < self.window]
        found: Observed = {
            "lines": self.lines,
            "looked": len(judged),
            "unread": sum(unread),
            "unread_since": judged[jump(unread)].at if judged else 0.0,
            "clock_off": round(median(seconds for _, seconds in clocks), 3) if clocks and enough else None,
            "clock_since": clocks[jump(off)][0] if clocks else 0.0,
            "withheld": len(withheld),
            "withheld_since": min(withheld, default=0.0),
            "cut": len(cut),
            "cut_since": min(cut, default=0.0),
            "fields": {name: field.report() for name, field in self.fields.items()},
            "header": self.header.report(),
            "version": self.version.report(),
        }
        return found | {"excerpts": list(self.excerpts)} if any(unread) else found

    def judged(self, now: float) -> list[Kept]:
        """The lines of the window, or the last ones where too few came in it."""
        young = [one for one in self.kept if now - one.at < OLDEST_SECONDS]
        within = [one for one in young if now - one.at < self.window]
        return within if len(within) >= ENOUGH else young[-ENOUGH:]


def some_of(lines: Sequence[bytes], most: int) -> Sequence[bytes]:
    """So many of some lines at most, spread over them."""
    return lines[:: max(1, -(-len(lines) // most))]


def jump(wrong: Sequence[bool]) -> int:
    """The place from which on it is wrong more often than before; 0 where it is as often all along."""
    share = sum(wrong) / len(wrong) if wrong else 0.0
    lowest, place, total = -1e-9, 0, 0.0
    for number, one in enumerate(wrong, 1):
        total += one - share
        if total < lowest and number < len(wrong):
            lowest, place = total, number
    return place
