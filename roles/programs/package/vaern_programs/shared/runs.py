"""Runs: sequence numbers that follow one another, with the times at which the relay received the first and the last."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any

Run = tuple[int, int, str, str]
"""First and last sequence number, and the times of those two."""
_FIRST, _LAST = itemgetter(0), itemgetter(1)


def merged(runs: Iterable[Run]) -> list[Run]:
    """Runs in order, those that touch or overlap made one."""
    result: list[Run] = []
    for run in sorted(runs):
        if result and run[0] <= result[-1][1] + 1:
            if run[1] > result[-1][1]:
                result[-1] = (result[-1][0], run[1], result[-1][2], run[3])
        else:
            result.append(run)
    return result


def put(known: list[Any], run: Any, join: Callable[[list[Any]], list[Any]]) -> int:
    """Add one to runs, or to ranges of numbers, that are in order, and keep them so; by how many they have grown.

    `join` makes one of those that touch. It takes steps as the logarithm of their number, however they arrive.
    """
    low = bisect_left(known, run[0] - 1, key=_LAST)
    high = bisect_right(known, run[1] + 1, lo=low, key=_FIRST)
    joined = join([*known[low:high], run]) if high > low else [run]
    known[low:high] = joined
    return len(joined) - (high - low)


def touches(known: Sequence[Any], first: int, last: int) -> bool:
    """Whether those numbers follow or overlap one that is known, so that they take no run of their own."""
    at = bisect_left(known, first - 1, key=_LAST)
    return at < len(known) and known[at][0] <= last + 1


def wider(known: Run | None, more: Run) -> Run:
    """The span of numbers and times that holds both; `known` is None when there is only one."""
    if known is None:
        return more
    low, high = min(known, more), max(known, more, key=lambda run: run[1])
    return low[0], high[1], low[2], high[3]
