"""What a municipality has sent, worked out from what is entered in its books."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from vaern_programs.ledger.books import Books, Series
from vaern_programs.shared.intervals import Interval
from vaern_programs.shared.runs import Run, merged
from vaern_programs.shared.tally import Tally


def sent_by_day(books: Books, series: Series, oldest: str) -> dict[str, Interval]:
    """The numbers of each day: as stated, or as far as they have arrived where that is further.

    A boot counts from 1, and days follow one another. A boot that may have begun before `oldest`, the first day of all
    that is known, begins with what is known of it.
    """
    stated = books.stated.get(series, {})
    sent: dict[str, Interval] = {}
    before = 0
    for day in sorted({*stated, *books.days(series)}):
        spans: list[Interval] = [(run[0], run[1]) for run in books.received(series, day)]
        if day in stated:
            spans.append(stated[day][:2])
        first, last = min(span[0] for span in spans), max(span[1] for span in spans)
        if before:
            first = min(first, before + 1)
        elif day not in stated and oldest and day > oldest:
            first = 1
        sent[day] = (first, max(last, first))
        before = max(before, last)
    return sent


def by_series(tally: Tally) -> Iterator[tuple[Series, list[Run]]]:
    """Each series of a tally with its runs over all days, sorted."""
    found: dict[Series, list[Run]] = defaultdict(list)
    for (relay, boot, source, _), runs in tally.runs.items():
        found[relay, boot, source] += runs
    yield from ((series, merged(runs)) for series, runs in sorted(found.items()))
