"""How full the spool is, what in it waits for a confirmation, and the alarms about both."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vaern_programs.relay.spool import state as spool_state
from vaern_programs.relay.spool.index import RESERVE_PERCENT, Segment, segments
from vaern_programs.shared.intervals import count, subtract
from vaern_programs.shared.reports import HIGH_WATER, Round, SpoolState
from vaern_programs.shared.systemd import alarm


def measure(settings: dict[str, Any], found: list[Segment], gone: list[Any]) -> Round:
    """How full the spool is; raises an alarm when it is nearly full, and when segments were evicted."""
    used, room = sum(segment.size for segment in found), settings["max_bytes"]
    confirming = bool(settings["confirmations"])  # Without confirmations the spool is always full, as intended.
    if gone and confirming:
        names = ", ".join(one["name"] for one in gone[:3])
        alarm(f"The spool is full: {len(gone)} segments were evicted, the least important first: {names}")
    if used > HIGH_WATER * room and confirming:
        oldest = min((run[2] for one in found for runs in one.tally.runs.values() for run in runs), default="")
        alarm(f"The spool is {used / room:.0%} full; the oldest unconfirmed event is from {oldest}")
    return {"bytes": used, "max_bytes": room, "segments": len(found), "gave_way": len(gone)}


def waiting(found: list[Segment], state: spool_state.State) -> int:
    """Number of events in the spool that have never been confirmed."""
    held = spool_state.spooled(found)
    return sum(count(subtract(numbers, state.ever_confirmed.get(source, []))) for source, numbers in held.items())


def look(settings: dict[str, Any]) -> SpoolState:
    """How full the spool is, and how many bytes its disk still has for it."""
    folder = Path(settings["directory"])
    found = segments(folder)
    disk = os.statvfs(folder)
    return {
        "bytes": sum(segment.size for segment in found),
        "max_bytes": settings["max_bytes"],
        "waiting": waiting(found, spool_state.read(folder / "ledger" / "state.json")),
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "free": max(0, (disk.f_bavail - disk.f_blocks * RESERVE_PERCENT // 100) * disk.f_frsize),
    }
