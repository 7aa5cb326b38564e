"""Where the programs of a collector find each other's files."""

from __future__ import annotations

from pathlib import Path

SETTINGS = Path("/etc/vaern/collector/collector.json")
"""What the role declares: the archive, the municipalities with their relays, sources and shares."""
ARCHIVE = Path("/var/lib/vaern/archive")
"""The archive, where the settings name no other place."""
REPORTS = Path("/run/vaern-archiver")
"""What the archiver says of each municipality, in a file `<code>.json`."""
