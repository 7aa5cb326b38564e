"""What a running stage reports: as data, so that a terminal, a plain log and a program all show the same."""

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
    """One step reported by a stage. `seconds` counts from the start of the stage."""

    stage: str
    phase: Phase
    text: str
    seconds: float


Listener = Callable[[Progress], None]
"""Called with every step; must not raise."""

OnProgress = Callable[[str], None]
"""Called with a line of text for each detail a stage reports."""


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s in the plural: `1 change`, `2 changes`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
