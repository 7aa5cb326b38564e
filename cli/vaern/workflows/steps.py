"""Times a stage and reports its progress to a listener."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from vaern.model.progress import Listener, Phase, Progress


class Step:
    """A running stage. Call it with a line of text to report a detail; set `done` to its result in words."""

    def __init__(self, listener: Listener, stage: str) -> None:
        self._listener, self._stage, self._started = listener, stage, time.monotonic()
        self.done = "done"

    def __call__(self, text: str) -> None:
        """Report a detail."""
        self.emit(Phase.DETAIL, text)

    def emit(self, phase: Phase, text: str) -> None:
        """Report one step with the seconds since the stage began."""
        self._listener(Progress(self._stage, phase, text, self.seconds))

    @property
    def seconds(self) -> float:
        """Since the stage began."""
        return round(time.monotonic() - self._started, 2)


@contextmanager
def step(listener: Listener, stage: str, text: str, durations: dict[str, float] | None = None) -> Iterator[Step]:
    """Report the start and end of a stage, and add its seconds to `durations`. Errors pass through unreported."""
    running = Step(listener, stage)
    running.emit(Phase.STARTED, text)
    yield running
    running.emit(Phase.FINISHED, running.done)
    if durations is not None:
        durations[stage] = running.seconds
