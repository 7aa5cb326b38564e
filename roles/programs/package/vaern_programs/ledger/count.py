"""Counts one municipality: keeps its summaries up to date, and makes balance and confirmation of them."""

from __future__ import annotations

import fcntl
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, NamedTuple

from vaern_programs.ledger.balance import balance, confirmable
from vaern_programs.ledger.books import MOST_RUNS, NOTHING_DELETED, Books, Deleted
from vaern_programs.ledger.confirm import confirmation
from vaern_programs.ledger.gaps import GRACE_SECONDS
from vaern_programs.ledger.sent import by_series
from vaern_programs.ledger.summary import Part, deleted_until, parts
from vaern_programs.shared.answers import BALANCE, Balance, BalanceRow, LostSegment
from vaern_programs.shared.collector_paths import REPORTS
from vaern_programs.shared.files import read_json
from vaern_programs.shared.health import MISSING
from vaern_programs.shared.intervals import count, subtract
from vaern_programs.shared.json_text import UnfitError

DAYS = 35
"""How far back it looks: longer than the longest outage that can be declared."""
SHOWN_DAYS = 7
"""Days that are shown even when they balance."""
COLUMNS: tuple[Literal["sent", "received", "duplicate", "given_up", "under_way", "missing"], ...] = (
    "sent", "received", "duplicate", "given_up", "under_way", "missing",
)  # fmt: skip
RELAYS = 200
"""Of which the sums have the last statement, the newest ones; a municipality has a few."""
TURN_SECONDS = 20.0
"""Longest wait for another count of the same municipality."""
TURN_POLL_SECONDS = 0.1
REFUSED_DAYS = 2
"""Days of the archive of which refused statements are an alarm."""


class BusyError(Exception):
    """Another count of the municipality is at work."""


class Counted(NamedTuple):
    """A count, and what its relays are to be told."""

    message: str
    """The confirmation, as JSON."""
    refused: int
    """Statements of the last days that are none."""
    unlisted: int
    """What was left out, as a limit was reached."""
    balance: Balance | None
    """In sums; None when they are more than can be."""
    missing: list[tuple[str, str, int]]
    """Relay, source and number of the events that are neither in the archive nor under way nor given up."""


@dataclass(frozen=True)
class Count:
    """What the segments of a municipality hold, together."""

    books: Books
    gone: list[Part]
    """Segments that have gone from the archive before their time."""
    refused: int
    """Statements of the last days that are none."""


class Municipality:
    """One municipality and the ledger's own folder of it."""

    def __init__(self, code: str, settings: dict[str, Any], state: Path) -> None:
        """`settings` is what the collector's programs share; `state` the folder of all summaries."""
        self.code, self.settings, self.state = code, settings, state
        self.archive = Path(settings["archive"]["directory"])

    def confirmation(self) -> Counted:
        """Count, and say what the archive holds. Raises OSError."""
        now = datetime.now(UTC)
        found = self.count(now, None)
        deleted = self.deleted()
        series, blocks = confirmable(found.books, deleted), reads_blocks(self.code)
        confirmed, left_out = confirmation(self.code, series, now, blocks=blocks)
        message = json.dumps(confirmed, separators=(",", ":"))
        try:
            whole = report(self.code, found, now, None, deleted)
            sums, missing = in_sums(whole), missing_by_source(whole)
        except MemoryError:  # A relay with far more gaps than one makes: the others still get their confirmation.
            sums, missing = None, []
        return Counted(message, found.refused, found.books.unlisted + left_out, sums, missing)

    def balance(self, day: str | None) -> Balance:
        """The balance of the last days and of every day that does not balance, or of one day. Raises OSError."""
        now = datetime.now(UTC)
        return report(self.code, self.count(now, day), now, day, self.deleted())

    def count(self, now: datetime, day: str | None) -> Count:
        """Bring the summaries up to date, and add them up. Raises OSError."""
        since = min(day or "9999", (now.date() - timedelta(days=DAYS)).isoformat())
        earlier = (date.fromisoformat(since) - timedelta(days=1)).isoformat()
        with _alone(self.state / self.code):
            relays = self._declared().get("principals", [])
            return added_up(parts(self.archive, self.state, self.code, earlier, relays), now, relays)

    def _declared(self) -> dict[str, Any]:
        """What the settings say of it; nothing of one that has left."""
        return next((one for one in self.settings["tenants"] if one["code"] == self.code), {})

    def deleted(self) -> Deleted:
        """Until when events have been deleted, by the retention each source has now."""
        last = deleted_until(self.archive / self.code)
        by_source = {
            one["source"]: last.get(one["days"], "") for one in self._declared().get("retention_by_source", [])
        }
        return Deleted(last.get(None, ""), by_source)


def reads_blocks(code: str) -> bool:
    """Whether the archiver that runs now says of a municipality that it reads blocks of lines."""
    report = read_json(REPORTS / f"{code}.json", {})
    return isinstance(report, dict) and report.get("blocks") is True


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One count of a municipality at a time: the timer's and one by hand take turns. Raises BusyError."""
    folder.mkdir(mode=0o750, parents=True, exist_ok=True)
    limit = time.monotonic() + TURN_SECONDS
    with (folder / "lock").open("a") as lock:
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > limit:
                    raise BusyError(f"{folder.name} is being counted just now, since over {TURN_SECONDS:g} s") from None
            time.sleep(TURN_POLL_SECONDS)
        yield


def added_up(found: Iterable[Part], now: datetime, relays: Iterable[str] = ()) -> Count:
    """What those segments hold, together; each tally may be forgotten once it is entered."""
    books, gone, refused, gone_runs = Books(now.timestamp() + GRACE_SECONDS, relays), [], 0, 0
    recent = (now.date() - timedelta(days=REFUSED_DAYS - 1)).isoformat()
    for part in found:
        books.enter(part.tally, held=part.held)
        if not part.held and (gone_runs := gone_runs + part.tally.listed) <= MOST_RUNS:
            gone.append(Part(part.day, part.name, part.tally.without_statements(), part.held))
        elif not part.held:
            books.unlisted += sum(part.tally.events.values())
        if part.day >= recent:
            refused += part.tally.statements.refused
    return Count(books, gone, refused)


def report(code: str, found: Count, now: datetime, day: str | None, deleted: Deleted = NOTHING_DELETED) -> Balance:
    """The balance, as `vaern ledger` reads it."""
    # Of days before, part of what is known has not been read.
    oldest, recent = ((now.date() - timedelta(days=back - 1)).isoformat() for back in (DAYS, SHOWN_DAYS))
    days = {one for one in found.books.all_days() if one >= oldest}
    sums = balance(found.books, now, {day} if day else days, deleted)
    return {
        "code": code,
        "time": now.isoformat(timespec="seconds"),
        "rows": [row for row in sums["rows"] if day or row["day"] >= recent or row["missing"] or row["given_up"]],
        "gaps": sums["gaps"],
        "lost_segments": list(_lost(found, day)),
        "statements": found.books.statement_times,
        "spools": found.books.spools,
        "others": found.books.others,
        "broken": found.books.broken,
        "refused": found.refused,
        "unlisted": found.books.unlisted,
    }


def in_sums(found: Balance) -> Balance | None:
    """The same with one row in place of all, and one lost segment, for who asks how much and not what."""
    row: BalanceRow = {
        "day": "", "relay": "all", "source": "all", "sent": 0, "received": 0, "duplicate": 0, "given_up": 0,
        "under_way": 0, "missing": 0,
    }  # fmt: skip
    for one in found["rows"]:
        for column in COLUMNS:
            row[column] += one[column]
    gone = sum(one["events"] for one in found["lost_segments"])
    lost: list[LostSegment] = [{"file": "all", "events": gone, "from": "", "until": "", "sources": []}] if gone else []
    newest = sorted(found["statements"].items(), key=lambda one: one[1])[-RELAYS:]
    sums: Balance = {
        **found, "rows": [row], "gaps": [], "lost_segments": lost, "statements": dict(newest), "spools": {},
    }  # fmt: skip
    try:
        return BALANCE.take(sums)
    except UnfitError:
        return None


def missing_by_source(found: Balance) -> list[tuple[str, str, int]]:
    """Relay, source and number of missing events of all days, of the first sources by name."""
    events: Counter[tuple[str, str]] = Counter()
    for row in found["rows"]:
        events[row["relay"], row["source"]] += row["missing"]
    return [(relay, source, events[relay, source]) for relay, source in sorted(+events)][:MISSING]


def _lost(found: Count, day: str | None) -> Iterator[LostSegment]:
    """Segments that have gone from the archive before their time, with what was in them and is nowhere else."""
    for part in found.gone:
        if day is not None and day not in {key[3] for key in part.tally.runs}:
            continue
        runs_and_numbers = [
            (series, runs, numbers)
            for series, runs in by_series(part.tally)
            if (numbers := subtract([run[:2] for run in runs], found.books.numbers(series)))
        ]
        if runs_and_numbers:
            yield {
                "file": f"{part.day}/{part.name}",
                "events": sum(count(numbers) for _, _, numbers in runs_and_numbers),
                "from": min(run[2] for _, runs, _ in runs_and_numbers for run in runs),
                "until": max(run[3] for _, runs, _ in runs_and_numbers for run in runs),
                "sources": sorted({series[2] for series, _, _ in runs_and_numbers}),
            }
