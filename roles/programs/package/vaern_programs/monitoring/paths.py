"""Files that several programs of the monitoring read."""

from __future__ import annotations

from pathlib import Path

WATCH_SETTINGS = Path("/etc/vaern/watch/watch.json")
"""What the role `watch` has written about this host: its name, its limits, and whom its tunnel leads to."""
