"""How many changes of alarms a municipality may cause: each is written to the disk, and takes time from all."""

from __future__ import annotations

from dataclasses import dataclass

BURST = 1000.0
"""Changes at once, such as every source of a large municipality falling silent."""
SECONDS_EACH = 60.0
"""After that one change in so many seconds."""


@dataclass
class _Allowance:
    left: float
    at: float
    exceeded: bool = False


class Pace:
    """Counts the changes of each municipality."""

    def __init__(self) -> None:
        """Nobody has used any."""
        self._allowances: dict[str, _Allowance] = {}

    def allows(self, municipality: str, now: float) -> bool:
        """Whether one more change may be made; it is counted. `now` is on a clock that never goes back, seconds."""
        own = self._refilled(municipality, now)
        if own.left < 1:
            own.exceeded = True
            return False
        own.left -= 1
        return True

    def exceeded(self, now: float) -> list[str]:
        """Municipalities that made too many, and have not been quiet for long since."""
        for name in self._allowances:
            own = self._refilled(name, now)
            own.exceeded = own.exceeded and own.left < BURST / 10
        return [name for name, own in self._allowances.items() if own.exceeded]

    def _refilled(self, municipality: str, now: float) -> _Allowance:
        own = self._allowances.setdefault(municipality, _Allowance(BURST, now))
        own.left = min(BURST, own.left + (now - own.at) / SECONDS_EACH)
        own.at = now
        return own
