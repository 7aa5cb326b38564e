"""Dates of birth in civil registration numbers (CPR), for whatever looks for such numbers."""

from __future__ import annotations

_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_REPLACEMENT = 60


def is_birth(day: int, month: int, year: int, seventh: int) -> bool:
    """Whether these are the first seven digits of a number; of the years it can name, 1900 alone skips its leap day.

    In a replacement number, for somebody who has none, the day is 60 higher.
    Source: https://www.cpr.dk/spoergsmaal-og-svar/personnummer.
    """
    if day > _REPLACEMENT:
        day -= _REPLACEMENT
    if not (1 <= month <= 12 and 1 <= day <= _DAYS[month - 1]):
        return False
    return (month, day) != (2, 29) or (year % 4 == 0 and (year != 0 or seventh > 3))
