"""What a relay reports about its sending: whether the collector accepts it, and if not, why."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from vaern_programs.shared.reports import DELIVERY_STATISTICS, DeliveryStatistics, UnfitError

REASONS = {
    "key": "the key or certificate of the relay is refused",
    "tls": "TLS with the collector fails",
    "size": "events are refused as too large",
    "topic": "the topic is not there, or closed to the relay",
    "disk": "what is delivered cannot be written down",
    "unreachable": "the collector does not answer",
    "timeout": "the collector does not acknowledge in time",
}
"""Error words of vaern-delivery and their meaning, the most useful first. Stated again on purpose: its texts differ."""
PATIENCE_SECONDS = 10
"""A relay that keeps up is behind by less than one second."""
SILENT_SECONDS = 60
"""It writes a line every ten seconds."""
UNITS = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10}


class Sample(DeliveryStatistics):
    """A line of the statistics, and the Unix time of it."""

    at: float


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last minute of the relay's output, or as much of it as its program has run."""

    acknowledged: int
    """Events the collector has acknowledged in that time."""
    refused: int
    """Deliveries refused in that time; each event is tried again, so it may count several times."""
    waiting_bytes: int
    """Bytes of the spool that are not acknowledged yet."""
    behind_seconds: float
    """Seconds since everything in the spool had been acknowledged."""
    reasons: tuple[str, ...]
    """What has gone wrong since the program started, with the number of times."""
    silent_seconds: float
    """Seconds since its newest line: negative for a line from the future, infinite without one, 0 without a clock."""
    keys_refused: int = 0
    """How often a key was refused between the last two lines; a relay may have a key of each topic."""

    @property
    def accepted(self) -> bool:
        """Whether events are known to be accepted: not when the newest line is too old to say so."""
        return not self.silent and not self.stopped

    @property
    def silent(self) -> bool:
        """Whether the program has not written a line lately, by the host's clock."""
        return abs(self.silent_seconds) > SILENT_SECONDS

    @property
    def stopped(self) -> bool:
        """Whether events wait and none is accepted.

        A relay with nothing to send is not stopped, nor one that is still waiting for an acknowledgement.
        """
        return self.acknowledged == 0 and (self.refused > 0 or self.behind_seconds > PATIENCE_SECONDS)

    def __str__(self) -> str:
        if self.silent:
            return _silence(self.silent_seconds)
        if not self.stopped:
            return "accepted"
        why = "; ".join(self.reasons) or "no reason given"
        return f"nothing is accepted and {_size(self.waiting_bytes)} wait: {why}"


def delivery(lines: Iterable[str], now: float | None = None) -> Delivery:
    """Parse lines of delivery.json, oldest first; incomplete lines are skipped.

    Counters begin at 0 when the program starts, so only lines since its newest start count. `now` is the host's own
    time in seconds since 1970, to tell how old the newest line is; without it, the line counts as new.
    """
    samples = [sample for line in lines if (sample := _sample(line)) is not None]
    if not samples:
        return Delivery(0, 0, 0, 0.0, (), math.inf)
    newest = samples[-1]
    of_start = [sample for sample in samples if sample["started"] == newest["started"]]
    # A program that started among these lines has counted from 0 since; otherwise the first line is the starting point.
    oldest = of_start[0] if len(of_start) == len(samples) else {"acknowledged": 0, "refused": 0}
    return Delivery(
        acknowledged=newest["acknowledged"] - oldest["acknowledged"],
        refused=newest["refused"] - oldest["refused"],
        waiting_bytes=newest["waiting_bytes"],
        behind_seconds=newest["behind_seconds"],
        reasons=tuple(
            f"{why} ({times} times)" for word, why in REASONS.items() if (times := newest["errors"].get(word))
        ),
        silent_seconds=0.0 if now is None else now - newest["at"],
        keys_refused=newest["errors"].get("key", 0) - (of_start[-2]["errors"].get("key", 0) if of_start[1:] else 0),
    )


def _sample(line: str) -> Sample | None:
    """One line; None when it does not fit the schema: cut off by a full disk, or where what is read begins."""
    try:
        found = DELIVERY_STATISTICS.parse(line)
    except UnfitError:
        return None
    return {**found, "at": datetime.fromisoformat(found["time"]).timestamp()}


def _silence(seconds: float) -> str:
    if seconds < 0:
        return f"the newest line of vaern-delivery is {-seconds:.0f} s ahead of the host's clock"
    return "vaern-delivery has written nothing" + (f" for {seconds:.0f} s" if math.isfinite(seconds) else "")


def _size(count: int) -> str:
    """Bytes as people read them."""
    unit, factor = next(((unit, factor) for unit, factor in UNITS.items() if count >= factor), ("bytes", 1))
    return f"{count / factor:.1f} {unit}" if factor > 1 else f"{count} {unit}"
