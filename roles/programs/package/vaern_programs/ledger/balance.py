"""What was sent, what has arrived, and what is missing, per relay, source and day. Pure.

Sent is what the relays state, and whatever arrived besides. A number that is not in the archive is one of these:
under way   sent less than two minutes ago
given up    the relay says that it no longer has it: its spool was full
missing     neither; the relay resends it, unless the archive itself has lost it
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from heapq import nsmallest

from vaern_programs.ledger.books import NOTHING_DELETED, Books, Deleted, Series
from vaern_programs.ledger.gaps import Neighbours, gaps_of
from vaern_programs.ledger.sent import sent_by_day
from vaern_programs.shared.answers import BalanceRow, Gap, Sums
from vaern_programs.shared.intervals import Intervals, count, subtract, union

GAPS_SHOWN = 10_000
"""All of them are in the sums."""


def balance(books: Books, now: datetime, days: set[str] | None = None, deleted: Deleted = NOTHING_DELETED) -> Sums:
    """Rows by day, relay and source, and the first gaps with their time spans; of those days only, when given.

    Of a day that retention has begun to delete, nothing is missing.
    """
    rows: dict[tuple[str, str, str], BalanceRow] = {}
    gaps = nsmallest(
        GAPS_SHOWN, _each(books, now, days, deleted, rows), key=lambda gap: (gap["from"], gap["source"], gap["first"])
    )
    for row in rows.values():
        row["sent"] = row["received"] + row["given_up"] + row["under_way"] + row["missing"]
    return {"rows": [rows[key] for key in sorted(rows)], "gaps": gaps}


def _each(
    books: Books, now: datetime, days: set[str] | None, deleted: Deleted, rows: dict[tuple[str, str, str], BalanceRow]
) -> Iterator[Gap]:
    """Each gap, one after the other, and into `rows` what it and everything else adds to a day of a source."""
    oldest = books.oldest_day()
    for series in books.series():
        arrived, neighbours = books.numbers(series), None
        for day, sent in sent_by_day(books, series, oldest).items():
            if days is not None and day not in days:
                continue
            received = count(run[:2] for run in books.received(series, day))
            row = rows.setdefault((day, series[0], series[2]), _empty(day, series))
            row["received"] += received
            row["duplicate"] += books.events.get((series, day), 0) - received
            lacking = [] if day <= deleted.until(series[2]) else subtract([sent], arrived)
            if not lacking:
                continue
            neighbours = neighbours or Neighbours(books, series)
            for gap in gaps_of(series, day, lacking, books.given_up.get(series, []), neighbours, now):
                row[gap["state"]] += gap["events"]
                yield gap


def confirmable(books: Books, deleted: Deleted = NOTHING_DELETED) -> list[tuple[Series, Intervals]]:
    """What the archive holds of each series, or has deleted in time: what the relay need not keep. Newest first."""
    oldest = books.oldest_day()
    found: list[tuple[Series, Intervals]] = []
    for series in books.newest_first():
        until = deleted.until(series[2])
        past = [sent for day, sent in sent_by_day(books, series, oldest).items() if day <= until] if until else []
        if numbers := union(books.numbers(series), past):
            found.append((series, numbers))
    return found


def _empty(day: str, series: Series) -> BalanceRow:
    return {
        "day": day, "relay": series[0], "source": series[2], "sent": 0, "received": 0, "duplicate": 0,
        "given_up": 0, "under_way": 0, "missing": 0,
    }  # fmt: skip
