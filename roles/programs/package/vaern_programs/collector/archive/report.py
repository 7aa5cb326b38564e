"""What the archiver says of one municipality, once a second, for the alarm service: what was heard, what is wrong.

    {"topics": {"logs.0710": {"as_of": 1795549034.8, "seen": {"firewall1": 1795549034.2}, "told": {"vaern-gw1": "{}"}}},
     "blocks": true,
     "findings": [{"kind": "quarantine", "value": 3, "limit": 0, "since": "2026-11-24T08:15:00.250Z"}],
     "statistics": {"quarantined_batches": 3, "quarantined_events": 900, "used_bytes": 5, "share_bytes": 9}}

`blocks` says that this archiver reads blocks of lines: the ledger tells the relays.
Each municipality has a file of its own, in memory and not on the disk, of a size that its declaration bounds.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from vaern_programs.collector.archive.capacity import Capacity
from vaern_programs.collector.archive.quarantine import HOLD_SECONDS, Quarantine
from vaern_programs.collector.archive.reading import Key
from vaern_programs.shared.collector_paths import REPORTS
from vaern_programs.shared.files import replace
from vaern_programs.shared.reports import Sighting
from vaern_programs.shared.times import stamp

LEFTOVERS = REPORTS / "leftovers"
"""Bytes of the municipalities in the archive that are gone, counted for all workers by the one that starts them."""
EVERY_SECONDS = 1.0
SHARE_PERCENT = 90
"""Of its share; from here on it is an alarm, so that somebody can act before archiving pauses."""


class Report:
    """The file of one municipality."""

    def __init__(self, code: str) -> None:
        """Nothing is written before `write`."""
        self.path = REPORTS / f"{code}.json"
        self.written = -EVERY_SECONDS
        self.text = ""
        self.full_since = 0.0

    def is_due(self) -> bool:
        """Whether it is time to write it."""
        return time.monotonic() - self.written >= EVERY_SECONDS

    def write(
        self, heard: dict[str, Sighting], quarantine: Quarantine, capacity: Capacity, paused: Iterable[Key]
    ) -> None:
        """Replace the file, when there is something new in it. Raises OSError."""
        self.written = time.monotonic()
        text = json.dumps(
            {
                "topics": heard,
                "blocks": True,
                "findings": self._findings(quarantine, capacity.percent, time.time()),
                "statistics": {
                    "quarantined_batches": quarantine.batches,
                    "quarantined_events": quarantine.events,
                    "used_bytes": capacity.used,
                    "share_bytes": capacity.share if capacity.share != float("inf") else None,
                    "paused": sorted(f"{topic}/{number}" for topic, number in paused),
                },
            }
        )
        if text != self.text:
            replace(self.path, text, durable=False)
            self.text = text

    def _findings(self, quarantine: Quarantine, percent: int, now: float) -> list[dict[str, Any]]:
        found = []
        if quarantine.batches and now - quarantine.latest < HOLD_SECONDS:
            found.append(finding("quarantine", quarantine.batches, 0, quarantine.since))
        if percent < SHARE_PERCENT:
            self.full_since = 0.0
        else:
            self.full_since = self.full_since or now
            found.append(finding("share", percent, SHARE_PERCENT, self.full_since))
        return found


def finding(kind: str, value: int, limit: int, since: float) -> dict[str, Any]:
    """One finding; `since` in Unix seconds."""
    return {"kind": kind, "value": value, "limit": limit, "since": stamp(since)}
