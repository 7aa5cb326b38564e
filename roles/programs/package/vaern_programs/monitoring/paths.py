"""Files that several programs of the monitoring read."""

from __future__ import annotations

from pathlib import Path

WATCH_SETTINGS = Path("/etc/vaern/watch/watch.json")
"""What the role `watch` has written about this host: its name, its limits, and whom its tunnel leads to."""
ALARMS = Path("/var/lib/vaern/alarms")
"""What was raised and cleared, a file for each municipality."""
NOTIFY_SETTINGS = Path("/etc/vaern/collector/notify.json")
"""Whom the role has been told to tell."""
NOTIFY_HEALTH = Path("/run/vaern-notify/health.json")
"""How each channel fares."""
