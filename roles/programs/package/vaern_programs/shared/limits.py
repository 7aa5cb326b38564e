"""Limits of single values in reports: of numbers, texts, times, and of how many there may be."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.times import YEARS, is_date, unix

Check = Callable[[Any], Any]
"""Returns a value that fits, or raises UnfitError."""
CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
"""What a terminal acts on, and what has no form in UTF-8."""


@dataclass(frozen=True, slots=True)
class Between:
    """Limits of a number, both included."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Most:
    """How many elements a list or an object may have, or characters a text."""

    count: int


@dataclass(frozen=True, slots=True)
class Matching:
    """A regular expression that the whole of a text must match."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Moment:
    """A text is a time with an offset, as RFC 3339 writes it."""


@dataclass(frozen=True, slots=True)
class DayOfYear:
    """A text is a date, `2026-11-24`."""


NUMBER = Between(-(10.0**15), 10.0**15)
ELEMENTS, CHARACTERS = Most(10_000), Most(1_000)


def limit_of(limits: tuple[Any, ...], default: Any) -> Any:
    """The limit of the kind of `default` among some, or the default."""
    return next((one for one in limits if isinstance(one, type(default))), default)


def plain(kind: Any, limits: tuple[Any, ...]) -> Check:
    """A check of a text, a number, or true and false. Raises TypeError for any other type."""
    if kind is Any:
        return lambda value: value
    if kind is bool:
        return _boolean
    if kind is str:
        return _text(limits)
    if kind in {int, float}:
        return _number(kind, limit_of(limits, NUMBER))
    raise TypeError(f"no check for {kind}")


def _boolean(value: Any) -> Any:
    if not isinstance(value, bool):
        raise UnfitError("not true or false")
    return value


def _number(kind: type, limit: Between) -> Check:
    kinds = (int,) if kind is int else (int, float)

    def check(value: Any) -> Any:
        if not isinstance(value, kinds) or isinstance(value, bool) or not limit.low <= value <= limit.high:
            raise UnfitError(f"not {'a whole' if kind is int else 'a'} number from {limit.low:g} to {limit.high:g}")
        return value if kind is int else float(value)

    return check


def _text(limits: tuple[Any, ...]) -> Check:
    most = limit_of(limits, CHARACTERS).count
    patterns = [re.compile(one.pattern) for one in limits if isinstance(one, Matching)]
    is_time, is_day = (any(isinstance(one, kind) for one in limits) for kind in (Moment, DayOfYear))

    def check(value: Any) -> Any:
        if not isinstance(value, str) or len(value) > most:
            raise UnfitError(f"not a text of at most {most} characters")
        if CONTROL.search(value):
            raise UnfitError("has control characters")
        if not all(pattern.fullmatch(value) for pattern in patterns):
            raise UnfitError("not written as it should be")
        if is_time and not math.isfinite(unix(value)):
            raise UnfitError(f"not a time with an offset, of the years {YEARS[0]} to {YEARS[1]}")
        if is_day and not is_date(value):
            raise UnfitError("not a date")
        return value

    return check
