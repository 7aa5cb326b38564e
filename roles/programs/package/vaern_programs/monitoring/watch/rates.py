"""How fast counters grow, by what they were some minutes ago; pure."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, NamedTuple, TypeVar

Key = TypeVar("Key", bound=Hashable)
SECONDS = 600.0
"""A rate is of so long up to twice as long: a device that sends every minute has one, and one that has stopped none."""


class Counted(NamedTuple, Generic[Key]):
    """What had been counted at a time, on the clock that never jumps."""

    at: float
    values: Mapping[Key, int]


class Rates(Generic[Key]):
    """What was counted before, so that there are rates."""

    def __init__(self) -> None:
        """Nothing has been counted."""
        self._older: Counted[Key] | None = None
        self._newer: Counted[Key] | None = None

    def look(self, counted: Mapping[Key, int], now: float) -> dict[Key, float]:
        """How much more of each a second; nothing before there is anything to compare with.

        `now` is on the clock that never jumps. A counter that has become less has begun from nothing again.
        """
        if self._newer is None or now - self._newer.at >= SECONDS:
            self._older, self._newer = self._newer or self._older, Counted(now, dict(counted))
        before = self._older or self._newer
        if now <= before.at:
            return {}
        since = {key: before.values.get(key, 0) for key in counted}
        new = {key: value - since[key] if value >= since[key] else value for key, value in counted.items()}
        return {key: value / (now - before.at) for key, value in new.items()}
