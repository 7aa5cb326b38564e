"""When a worker is started again, how it reads then, and which batch it is to leave alone. Pure; times are seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from vaern_programs.collector.archive.quarantine import Place

FIRST_SECONDS, LONGEST_SECONDS = 1.0, 60.0
"""Pause after a worker that died; twice as long after each that follows."""
STEADY_SECONDS = 120.0
"""A worker that lived so long was no failure of the ones before it."""
DEATHS = 3
"""So many workers die of the same batch, each reading it by itself, before it is left unread."""


@dataclass
class Restarts:
    """The workers of one municipality, one after the other."""

    safe: bool = False
    """Whether the next reads batch by batch."""
    start_at: float = 0.0
    """When the next may start."""
    failures: int = 0
    skipped: set[Place] = field(default_factory=set)
    """Batches that are not even unpacked."""
    suspect: Place | None = None
    deaths: int = 0

    def ended(self, *, well: bool, lived: float, tried: Place | None, now: float) -> None:
        """A worker has ended.

        Args:
            well: of its own accord, with nothing wrong; else it died, or found what it could not read.
            lived: for so long.
            tried: the batch it announced last, if it read batch by batch.
            now: on a clock that never goes back.
        """
        if well:
            self.safe, self.start_at = False, now
            return
        self.failures = 1 if lived >= STEADY_SECONDS else self.failures + 1
        self.start_at = now + min(LONGEST_SECONDS, FIRST_SECONDS * 2 ** min(self.failures - 1, 10))
        if self.safe and tried is not None:
            self.deaths = self.deaths + 1 if tried == self.suspect else 1
            self.suspect = tried
            if self.deaths >= DEATHS:
                self.skipped = {tried}
        self.safe = True
