"""lynis's own points, read from its log: which test gave less than it could."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

TEST = re.compile(r"Performing test ID (\S+)")
POINTS = re.compile(r"Currently having (\d+) points \(out of (\d+)\)")


@dataclass(frozen=True)
class Points:
    """Of one host."""

    reached: int
    possible: int
    lost: dict[str, int]
    """Test to the points that it could have given and did not."""

    @property
    def index(self) -> int:
        """The hardening index, as lynis counts it."""
        return self.reached * 100 // self.possible

    def without(self, points: Mapping[str, int]) -> int:
        """The index when so many points that each test has not given are not asked for, and no more than it lost."""
        left = sum(min(number, self.lost.get(test, 0)) for test, number in points.items())
        return self.reached * 100 // (self.possible - left)


def read_points(log: Iterable[str]) -> Points:
    """The points of a whole run of lynis."""
    test, reached, possible = "", 0, 0
    lost: Counter[str] = Counter()
    for line in log:
        if named := TEST.search(line):
            test = named[1]
        elif counted := POINTS.search(line):
            lost[test] += (int(counted[2]) - possible) - (int(counted[1]) - reached)
            reached, possible = int(counted[1]), int(counted[2])
    return Points(reached, possible, dict(+lost))
