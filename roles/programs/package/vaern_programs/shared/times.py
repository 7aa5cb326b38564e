"""Times: Unix seconds, and RFC 3339 in UTC."""

from __future__ import annotations

import math
import re
from datetime import UTC, date, datetime

YEARS = (1970, 2099)
"""Of the times that are taken from others: a host without a clock begins in 1970, and arithmetic beyond 9999 fails."""
RFC_3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})")


def utc(seconds: float) -> datetime:
    """A Unix time, seconds, as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def now() -> str:
    """The time now, to the millisecond, as RFC 3339 writes it with an offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def stamp(seconds: float, precision: str = "milliseconds") -> str:
    """A Unix time as RFC 3339 writes it in UTC: `2026-11-24T08:15:00.250Z`, or without fraction for `seconds`."""
    return utc(seconds).isoformat(timespec=precision).replace("+00:00", "Z")


def unix(text: str) -> float:
    """Unix time of a time in RFC 3339 within the years that are allowed; not a number for anything else."""
    if RFC_3339.fullmatch(text) is None:
        return math.nan
    try:
        time = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return math.nan
    return time.timestamp() if YEARS[0] <= time.year <= YEARS[1] else math.nan


def in_utc(text: str) -> str:
    """A time in RFC 3339 as all of them are kept: in UTC, to the microsecond, so that texts compare as times do.

    Empty for what is no time.
    """
    found = unix(text)
    return "" if math.isnan(found) else datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds")


def unix_or(text: object, otherwise: float) -> float:
    """The same, and `otherwise` for anything else."""
    found = unix(text) if isinstance(text, str) else math.nan
    return found if math.isfinite(found) else otherwise


def is_date(text: str) -> bool:
    """Whether it is a date of `YEARS`, written as `2026-11-24`."""
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return False
    return YEARS[0] <= found.year <= YEARS[1] and found.isoformat() == text
