"""Which relays of a municipality are counted: those that are declared, and a few that were declared before."""

from __future__ import annotations

import math
from collections.abc import Iterable

MOST_UNDECLARED = 16
"""Relays that are declared no longer and whose events are in the archive still; beyond that, names are invented."""


class RelayNames:
    """Takes in names of relays as they come."""

    def __init__(self, declared: Iterable[str] = (), others: float = math.inf) -> None:
        """The declared ones always have room, and so many others."""
        self.declared, self.others = frozenset(declared), others
        self._others: set[str] = set()

    def admit(self, name: str) -> bool:
        """Whether what this one sent and stated is counted."""
        if name in self.declared or name in self._others:
            return True
        if len(self._others) >= self.others:
            return False
        self._others.add(name)
        return True
