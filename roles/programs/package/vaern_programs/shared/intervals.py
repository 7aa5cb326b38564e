"""Sets of sequence numbers as intervals: sorted lists of (first, last), both included, never touching.

A source numbers its events without a gap, so a day of millions of them is one pair. Every function is pure and takes
time in proportion to the number of intervals, never of the events.
"""

from __future__ import annotations

from collections.abc import Iterable

Interval = tuple[int, int]
Intervals = list[Interval]


def union(*parts: Iterable[Interval]) -> Intervals:
    """Every number that is in any of them; the parts may be unsorted and may overlap."""
    merged: Intervals = []
    for first, last in sorted(pair for part in parts for pair in part):
        if merged and first <= merged[-1][1] + 1:
            if last > merged[-1][1]:
                merged[-1] = (merged[-1][0], last)
        elif first <= last:
            merged.append((first, last))
    return merged


def subtract(whole: Intervals, taken: Intervals) -> Intervals:
    """What is in the first and not in the second. Both must be sorted and disjoint, as `union` gives them."""
    left: Intervals = []
    position = 0
    for first, last in whole:
        while position < len(taken) and taken[position][1] < first:
            position += 1
        at, rest = position, first
        while at < len(taken) and taken[at][0] <= last:
            if taken[at][0] > rest:
                left.append((rest, taken[at][0] - 1))
            rest = max(rest, taken[at][1] + 1)
            at += 1
        if rest <= last:
            left.append((rest, last))
    return left


def intersect(one: Intervals, other: Intervals) -> Intervals:
    """What is in both."""
    return subtract(one, subtract(one, other))


def count(intervals: Iterable[Interval]) -> int:
    """How many numbers there are."""
    return sum(last - first + 1 for first, last in intervals)


def pairs(written: Iterable[Iterable[int]]) -> Intervals:
    """Intervals as JSON gives them, in order and merged whatever was written."""
    return union([(int(first), int(last)) for first, last in written])
