"""Unix times as UTC."""

from __future__ import annotations

from datetime import UTC, datetime


def utc(seconds: float) -> datetime:
    """A Unix time, seconds, as a time in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def now() -> str:
    """The time now, to the millisecond, as RFC 3339 writes it with an offset."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def stamp(seconds: float, precision: str = "milliseconds") -> str:
    """A Unix time as RFC 3339 writes it in UTC: `2026-11-24T08:15:00.250Z`, or without fraction for `seconds`."""
    return utc(seconds).isoformat(timespec=precision).replace("+00:00", "Z")
