"""Files of a relay that several of its programs read."""

from __future__ import annotations

from pathlib import Path

from vaern_programs.shared.reports import DELIVERY_FILE

SETTINGS = Path("/etc/vaern/log_shipper/spool.json")
"""What the role has written about spool and delivery."""
READER = Path("/etc/vaern/log_shipper/reader.json")
"""What the role has written for what reads events: the sources, each with its parser."""
STATISTICS = Path(DELIVERY_FILE)
"""A line of JSON every ten seconds, written by vaern-delivery."""
