"""Files of a relay that several of its programs read."""

from __future__ import annotations

from pathlib import Path

SETTINGS = Path("/etc/vaern/log_shipper/spool.json")
"""What the role has written about spool and delivery."""
STATISTICS = Path("/var/log/vaern-log-shipper/delivery.json")
"""What the delivery says of itself, a line of JSON every ten seconds."""
