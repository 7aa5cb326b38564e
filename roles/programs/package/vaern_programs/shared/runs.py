"""Runs: sequence numbers that follow one another, with the times at which the relay received the first and the last."""

from __future__ import annotations

from collections.abc import Iterable

Run = tuple[int, int, str, str]
"""First and last sequence number, and the times of those two."""


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


def wider(known: Run | None, more: Run) -> Run:
    """The span of numbers and times that holds both; `known` is None when there is only one."""
    if known is None:
        return more
    low, high = min(known, more), max(known, more, key=lambda run: run[1])
    return low[0], high[1], low[2], high[3]
