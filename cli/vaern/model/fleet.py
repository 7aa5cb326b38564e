"""Everything declared, read and found right together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vaern.errors import Problem
    from vaern.model.declaration import Municipality
    from vaern.model.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Fleet:
    """The deployment and the municipalities that were asked for, by slug in alphabetical order."""

    deployment: Deployment
    municipalities: dict[str, Municipality]
    warnings: tuple[Problem, ...] = ()
    """What is allowed, but should be looked at."""
