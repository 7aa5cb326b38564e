"""What is wrong with one source by what was seen of its lines: data in, findings out. Pure.

Each check has two limits: past the first it is wrong, and it is right again only past the second. Between them, and
where too little is known, everything stays as it is. So a value that wanders about one limit raises one alarm.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from vaern_programs.monitoring.alarms import source_evidence
from vaern_programs.monitoring.alarms.log import Condition, Evidence
from vaern_programs.monitoring.alarms.volume import Volume
from vaern_programs.shared.observed import CLOCK_OFF_SECONDS, FieldSeen, Observed

ENOUGH_LINES = 20
"""Of fewer, a share says nothing."""
ENOUGH_EVENTS = 100
"""In an hour as usual. Of fewer, a tenth is within what chance does."""
ENOUGH_FOR_FIELD = 50
NEVER_THERE = 300
"""Read lines after which a field that was in none of them is missing."""
EXPECTED = 10
"""Times that a field should have been there and was not: by chance once in e^10, 22 000 times."""


class Word(StrEnum):
    """How one check of one source went."""

    RIGHT = "right"
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """Not known yet, or not now."""
    NOT_JUDGED = "not judged"
    """Nothing is declared that it could be compared with."""


class Band(NamedTuple):
    """The two limits of a check; where the first is the lower one, a small value is what is wrong."""

    wrong: float
    right: float

    def judged(self, value: float, *, is_open: bool) -> bool:
        """Whether it is wrong now, given that it was before, or was not."""
        sign = 1 if self.wrong > self.right else -1
        return sign * value >= sign * self.wrong or (is_open and sign * value > sign * self.right)


UNREAD = Band(0.30, 0.15)
"""Fraction of lines. Vendors add kinds of lines that no reader knows; a third of them is more than that. By chance
alone 200 lines are 3 % off, so that no share crosses both limits."""
CLOCK = Band(CLOCK_OFF_SECONDS, CLOCK_OFF_SECONDS / 2)
VOLUME = Band(0.10, 0.25)
"""Fraction of the usual: holidays and vacations halve it, and do not take nine tenths."""
RATE = Band(2.0, 1.2)
"""Times the declared rate, over an hour: the spool is sized by it, and holds half as long as was agreed."""


class Finding(NamedTuple):
    """One check of one source."""

    kind: str
    """Kind of the alarm it raises."""
    about: str
    """A minimum field; empty for the source as a whole."""
    word: Word
    condition: Condition | None = None
    """What is wrong."""


def checked(
    observed: Observed,
    volume: Volume,
    opened: Collection[tuple[str, str]],
    *,
    is_read: bool,
    declared_rate: float | None,
    window: float,
) -> list[Finding]:
    """Every check of one source.

    Args:
        observed: what was seen of its lines.
        volume: how many lines came, and usually come.
        opened: kind and field of its alarms that are open.
        is_read: whether a format is declared for it, by which its lines are read.
        declared_rate: events a second; None when none is known.
        window: seconds within which two changes were at the same time.
    """
    return [
        _unread(observed, opened, window) if is_read else Finding("unread", "", Word.NOT_JUDGED),
        *(_fields(observed, window) if is_read else []),
        _clock(observed, opened),
        *_marked(observed),
        *_volumes(volume, opened, declared_rate),
    ]


def unknown(kinds: Iterable[str]) -> list[Finding]:
    """The checks of a source of which nothing is known."""
    return [Finding(kind, "", Word.UNKNOWN) for kind in kinds]


def _unread(observed: Observed, opened: Collection[tuple[str, str]], window: float) -> Finding:
    if observed["looked"] < ENOUGH_LINES:
        return Finding("unread", "", Word.UNKNOWN)
    share = observed["unread"] / observed["looked"]
    if not UNREAD.judged(share, is_open=("unread", "") in opened):
        return Finding("unread", "", Word.RIGHT)
    since = observed["unread_since"]
    evidence = source_evidence.of_lines(observed, since, window)
    lines = tuple(observed.get("excerpts", ()))
    condition = Condition(since, round(share * 100), UNREAD.wrong * 100, evidence, lines)
    return Finding("unread", "", Word.WRONG, condition)


def _fields(observed: Observed, window: float) -> list[Finding]:
    found = []
    for name, seen in observed["fields"].items():
        word = _field(seen)
        condition = None
        if word is Word.WRONG:
            evidence = source_evidence.of_lines(observed, seen["since"], window)
            condition = Condition(seen["since"], seen["absent"], 0, evidence)
        found.append(Finding("field", name, word, condition))
    return found


def _field(seen: FieldSeen) -> Word:
    absent, usual = seen["absent"], seen["usual"]
    if usual is None:
        # Also after a restart of the archiver: only a line that has the field ends an alarm then.
        return Word.WRONG if absent >= NEVER_THERE else Word.UNKNOWN
    return Word.WRONG if absent >= ENOUGH_FOR_FIELD and absent * usual >= EXPECTED else Word.RIGHT


def _clock(observed: Observed, opened: Collection[tuple[str, str]]) -> Finding:
    off = observed["clock_off"]
    if off is None or observed["looked"] < ENOUGH_LINES:
        return Finding("sender_clock", "", Word.UNKNOWN)
    if not CLOCK.judged(abs(off), is_open=("sender_clock", "") in opened):
        return Finding("sender_clock", "", Word.RIGHT)
    condition = Condition(observed["clock_since"], round(off), CLOCK.wrong, source_evidence.of_clock(off))
    return Finding("sender_clock", "", Word.WRONG, condition)


def _marked(observed: Observed) -> list[Finding]:
    """One line is an alarm, and ends when a window has gone without."""
    counts: Mapping[str, tuple[int, float]] = {
        "withheld": (observed["withheld"], observed["withheld_since"]),
        "cut": (observed["cut"], observed["cut_since"]),
    }
    # Of lines that nobody has sent, none was withheld; but that is not known to be right.
    otherwise = Word.RIGHT if observed["lines"] else Word.UNKNOWN
    return [
        Finding(kind, "", Word.WRONG, Condition(since, lines)) if lines else Finding(kind, "", otherwise)
        for kind, (lines, since) in counts.items()
    ]


def _volumes(volume: Volume, opened: Collection[tuple[str, str]], declared_rate: float | None) -> list[Finding]:
    kinds = ("volume", "rate")
    if volume.events is None:
        return [Finding("volume", "", Word.UNKNOWN), _unrated(declared_rate)]
    found = [Finding(kind, "", Word.UNKNOWN) for kind in kinds]
    if volume.usual is not None and volume.usual >= ENOUGH_EVENTS:
        share = volume.events / volume.usual
        wrong = VOLUME.judged(share, is_open=("volume", "") in opened)
        evidence = Evidence(
            f" {volume.events:g} hændelser, mod {volume.usual:g} samme tid i de sidste fire uger.",
            f" {volume.events:g} events, against {volume.usual:g} at the same time in the last four weeks.",
        )
        condition = Condition(volume.since, round(share * 100, 1), VOLUME.wrong * 100, evidence)
        found[0] = Finding("volume", "", Word.WRONG, condition) if wrong else Finding("volume", "", Word.RIGHT)
    found[1] = _unrated(declared_rate)
    if declared_rate:
        rate = volume.events / volume.seconds
        wrong = RATE.judged(rate / declared_rate, is_open=("rate", "") in opened)
        condition = Condition(volume.since, round(rate, 2), declared_rate)
        found[1] = Finding("rate", "", Word.WRONG, condition) if wrong else Finding("rate", "", Word.RIGHT)
    return found


def _unrated(declared_rate: float | None) -> Finding:
    return Finding("rate", "", Word.UNKNOWN if declared_rate else Word.NOT_JUDGED)
