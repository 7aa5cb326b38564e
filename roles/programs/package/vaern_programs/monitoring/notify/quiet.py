"""What waits for the morning. Pure."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from vaern_programs.monitoring.notify.records import Numbered
from vaern_programs.monitoring.notify.settings import Quiet

DENMARK = ZoneInfo("Europe/Copenhagen")
WAITS = frozenset(
    {"certificate", "clock", "sender_clock", "rate", "late", "queue", "overflow", "unsteady", "run", "approval", "duty"}
)
"""Kinds by which, until the morning, no event is lost and nobody is blind. Every other kind is told at once."""
DAYS_LEFT = 1
"""A certificate that ends within a day ends before anybody who reads of it in the morning has renewed it."""


def is_quiet(quiet: Quiet | None, now: float) -> bool:
    """Whether it is within those hours of the day in Denmark; `now` is in Unix seconds."""
    if quiet is None:
        return False
    time = datetime.fromtimestamp(now, DENMARK).strftime("%H:%M")
    start, end = quiet["start"], quiet["end"]
    return start <= time < end if start <= end else time >= start or time < end


def can_wait(record: Numbered) -> bool:
    """Whether a change may wait for the end of the quiet hours: what is over may, and what is not pressing."""
    if record["state"] == "cleared":
        return True
    if record["kind"] == "certificate":
        return record["value"] is not None and record["value"] > DAYS_LEFT
    return record["kind"] in WAITS
