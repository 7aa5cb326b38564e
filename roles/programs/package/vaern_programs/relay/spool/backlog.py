"""What vaern-delivery still has to send, by its own statistics."""

from __future__ import annotations

from pathlib import Path

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import DELIVERY_STATISTICS

BEHIND_SECONDS = 5.0
"""Younger events are under way."""
TAIL = 8 * 1024
"""Bytes of its statistics: several lines."""


def queued(statistics: Path) -> int:
    """Bytes of the spool that vaern-delivery still has to send, by its newest statistics; 0 while it keeps up."""
    try:
        with statistics.open("rb") as file:
            file.seek(max(0, statistics.stat().st_size - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return 0
    for line in reversed(lines):
        try:
            newest = DELIVERY_STATISTICS.parse(line)
            return newest["waiting_bytes"] if newest["behind_seconds"] > BEHIND_SECONDS else 0
        except UnfitError:
            continue  # Cut off by a full disk, or not written to its end yet.
    return 0
