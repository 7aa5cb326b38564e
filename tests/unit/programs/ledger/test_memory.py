"""The limits of a count fit together: what they let in fits the memory that a count may take."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
from vaern_programs.ledger import books, count, rounds, summary
from vaern_programs.ledger.count import Municipality

SCALE = 250
"""The test lets in so many times less."""
REST_BYTES = 200 * 2**20
"""For the interpreter, a block of events, and what the allocator holds and does not use."""
ENTRIES = summary.MOST_RUNS_A_DAY // SCALE


def full_day(number: int, day: str) -> dict[str, Any]:
    """A tally with all that the limits of a day let in: each run and row is of a start of its own."""

    def start(index: int) -> str:
        return f"{number:016x}{index:016x}"

    def at(index: int) -> str:
        return f"{day}T10:00:{index % 60:02d}.{index:06d}+00:00"

    run = [[2**40 + index, 2**40 + index + 1, at(index), at(index + 1)] for index in range(ENTRIES)]
    sent = [[start(index), f"s{index % 50}", day, 1, 2**40 + index, at(0), at(index)] for index in range(ENTRIES // 2)]
    given = [[start(index), f"s{index % 50}", [[2**41, 2**41 + index]]] for index in range(ENTRIES // 2)]
    statement = {"relay": "gw1", "received": at(0), "sent": sent, "given_up": given, "spool": {}}
    return {
        "keys": [["gw1", start(index), f"s{index % 50}", day, 2, [run[index]]] for index in range(ENTRIES)],
        "statements": [statement], "checked": True, "refused": 0, "unlisted": 0, "unlisted_rows": 0, "others": 0,
        "broken": 0,
    }  # fmt: skip


def municipality(folder: Path, days: int, *, gone: bool) -> Municipality:
    """One whose days were all filled up; their segments were deleted in time, or have disappeared."""
    today, lines = datetime.now(UTC).date(), []
    (folder / "archive" / "0710").mkdir(parents=True)
    (folder / "state" / "0710").mkdir(parents=True)
    for number in range(days):
        day = (today - timedelta(days=number)).isoformat()
        name = f"logs.0710-0-{number:020d}.jsonl.zst"
        segments = {name: {"end": 1, "tally": full_day(number, day)}}
        (folder / "state" / "0710" / f"{day}.json").write_text(json.dumps({"segments": segments}))
        lines.append(json.dumps({"file": f"{day}/{name}"}) + "\n")
    if not gone:
        (folder / "archive" / "0710" / "deleted.jsonl").write_text("".join(lines))
    declared = [{"code": "0710", "principals": ["gw1"]}]
    return Municipality(
        "0710", {"archive": {"directory": str(folder / "archive")}, "tenants": declared}, folder / "state"
    )


def measured(one: Municipality) -> tuple[int, int, str]:
    """Most bytes that a count and a balance took, what the count left out, and the balance."""
    tracemalloc.start()
    try:
        unlisted = one.confirmation().unlisted
        text = json.dumps(one.balance(None))
        return tracemalloc.get_traced_memory()[1], unlisted, text
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("gone", [False, True])
@pytest.mark.parametrize("days", [4])
def test_however_many_days_are_filled_up_a_count_fits_its_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, days: int, gone: bool
) -> None:
    """Three days at their limits ended every count: what exceeds is left out, and counted."""
    monkeypatch.setattr(books, "MOST_RUNS", books.MOST_RUNS // SCALE)
    monkeypatch.setattr(count, "MOST_RUNS", books.MOST_RUNS)
    one = municipality(tmp_path, days, gone=gone)
    # The least of three: a table of the interpreter that all programs share may grow meanwhile.
    peak, unlisted, text = min(measured(one) for _ in range(3))
    assert SCALE * peak + REST_BYTES < rounds.MEMORY_BYTES, f"{SCALE * peak / 2**20:.0f} MiB"
    assert unlisted >= days * ENTRIES - books.MOST_RUNS
    assert json.loads(text)["unlisted"] > 0
