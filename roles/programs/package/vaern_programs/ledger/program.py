"""Compares what the relays of a municipality say they have sent with what the archive holds.

    vaern-ledger --code 0710 [--day 2026-11-24] [--confirm]   the balance, as one JSON document
    vaern-ledger --all --confirm                              what vaern-ledger.timer runs: no balance, only confirm

--confirm tells the relays what is in the archive, on the topic confirm.<code>: they prune those events
and send missing ones again. Exit code 0 when nothing is missing, 1 when something is, 2 when it could not be found out.
Run by root it becomes vaern-ledger, the user that may read the archives and write nothing but its own summaries.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from vaern_programs.ledger.balance import NOTHING_OVER, Books, Over, balance, confirmation, spans
from vaern_programs.ledger.confirm import confirm
from vaern_programs.ledger.summary import Part, over, parts
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.intervals import count, subtract
from vaern_programs.shared.local_broker import credential
from vaern_programs.shared.privileges import become
from vaern_programs.shared.reports import Balance, LostSegment
from vaern_programs.shared.systemd import say

STATE = Path("/var/lib/vaern-ledger")
USER = "vaern-ledger"
DAYS = 35
"""How far back it looks: longer than the longest outage that can be declared."""
ERROR = 3
SHOWN_DAYS = 7
"""Days that are shown even when they balance."""


@contextmanager
def alone(state: Path) -> Iterator[None]:
    """One run at a time: the timer's and one by hand take turns."""
    with (state / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def books_of(found: list[Part]) -> Books:
    """What those segments say, together."""
    books = Books()
    for part in found:
        books.enter(part.tally, held=part.held)
    return books


def lost(found: list[Part], books: Books, day: str | None) -> list[LostSegment]:
    """Segments that have gone from the archive before their time, with what was in them and is nowhere else."""
    result: list[LostSegment] = []
    for part in found:
        if part.held or (day is not None and day not in {key[3] for key in part.tally.runs}):
            continue
        gone = []
        for source, runs in spans(part.tally):
            numbers = subtract([run[:2] for run in runs], books.numbers(source))
            if numbers:
                gone.append((source, runs, numbers))
        if gone:
            result.append(
                {
                    "file": f"{part.day}/{part.name}",
                    "events": sum(count(numbers) for _, _, numbers in gone),
                    "from": min(run[2] for _, runs, _ in gone for run in runs),
                    "until": max(run[3] for _, runs, _ in gone for run in runs),
                    "sources": sorted({source[2] for source, _, _ in gone}),
                }
            )
    return result


def over_of(archive: Path, settings: dict[str, Any], code: str) -> Over:
    """Until when events of that municipality have been deleted, by the retention each source has now."""
    own: dict[str, Any] = next((tenant for tenant in settings["tenants"] if tenant["code"] == code), {})
    last = over(archive / code)
    by_source = {one["source"]: last.get(one["days"], "") for one in own.get("retention_by_source", [])}
    return Over(last.get(None, ""), by_source)


def report(code: str, found: list[Part], now: datetime, day: str | None, past: Over = NOTHING_OVER) -> Balance:
    """The balance of a municipality; of the last days and of every day that does not balance, or of one day."""
    books = books_of(found)
    # Of days before, part of what is known has not been read.
    read = [(now.date() - timedelta(days=back)).isoformat() for back in range(-1, DAYS)]
    told = balance(books, now, {day} if day else set(read), past)
    recent = set(read[: SHOWN_DAYS + 1])
    rows = [row for row in told["rows"] if day or row["day"] in recent or row["missing"] or row["given_up"]]
    return {
        "code": code,
        "time": now.isoformat(timespec="seconds"),
        "rows": rows,
        "gaps": told["gaps"],
        "lost_segments": lost(found, books, day),
        "statements": books.heard,
        "spools": books.spools,
        "others": books.others,
    }


def keep(archive: Path, state: Path, code: str, now: datetime, day: str | None) -> list[Part]:
    """Bring the summaries of a municipality up to date and return them. Raises OSError."""
    since = min(day or "9999", (now.date() - timedelta(days=DAYS)).isoformat())
    earlier = (date.fromisoformat(since) - timedelta(days=1)).isoformat()
    with alone(state):
        return parts(archive, state, code, earlier)


def main(arguments: list[str]) -> int:
    """Run once; what cannot be found out is said in the journal, and is exit code 2."""
    try:
        return run(arguments)
    except (OSError, ValueError) as error:
        say(ERROR, f"vaern-ledger: {error}")
        return 2


def run(arguments: list[str]) -> int:
    """Keep the summaries, confirm and show the balance. Raises OSError, ValueError."""
    parser = argparse.ArgumentParser(prog="vaern-ledger", description="Balance of what was sent and what has arrived")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--code", help="municipality code, such as 0710")
    which.add_argument("--all", action="store_true", help="every municipality; prints no balance")
    parser.add_argument("--day", type=date.fromisoformat, help="only this day, UTC")
    parser.add_argument("--confirm", action="store_true", help="tell the relays what is in the archive")
    options = parser.parse_args(arguments)
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    codes = [tenant["code"] for tenant in settings["tenants"]] if options.all else [options.code]
    if not all(len(code) == 4 and code.isdecimal() for code in codes):
        parser.error("--code takes four digits")
    password = secret() if options.confirm else ""
    if os.geteuid() == 0:
        become(USER)  # The password of the broker has been read before.
    os.umask(0o027)
    day = options.day.isoformat() if options.day else None
    archive, missing = Path(settings["archive"]["directory"]), False
    for code in codes:
        now = datetime.now(UTC)
        found, past = keep(archive, STATE, code, now, day), over_of(archive, settings, code)
        if options.confirm:
            confirm(code, confirmation(books_of(found), past), now, password)
        if not options.all:
            told = report(code, found, now, day, past)
            print(json.dumps(told, ensure_ascii=False))
            missing = bool(told["lost_segments"]) or any(row["missing"] or row["given_up"] for row in told["rows"])
    return 1 if missing else 0


def secret() -> str:
    """The password for the broker: handed over by systemd, or where the host keeps it."""
    if "CREDENTIALS_DIRECTORY" in os.environ:
        return credential()
    return Path("/var/lib/vaern-kafka/secrets/ledger").read_text(encoding="ascii")
