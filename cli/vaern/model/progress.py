"""What a running stage tells: data first, so that a terminal, a plain log and a program read the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a stage is."""

    STARTED = "started"
    DETAIL = "detail"
    FINISHED = "finished"


@dataclass(frozen=True, slots=True)
class Progress:
    """One step told by a stage. `seconds` counts from the start of the stage."""

    stage: str
    phase: Phase
    text: str
    seconds: float


Listener = Callable[[Progress], None]
"""Hears every step; must not raise."""

OnProgress = Callable[[str], None]
"""What a stage is given to tell a detail with."""
