"""What the collector has said that it reads: known from its confirmations, kept for the delivery.

    <spool>/ledger/collector.json     {"blocks": true}

A relay may be upgraded before its collector. So it sends blocks to one only that has said it reads them, and single
events again as soon as it says so no longer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.reports import Confirmation

ALWAYS, NEVER = "always", "never"


def _place(settings: dict[str, Any]) -> Path:
    return Path(settings["directory"]) / "ledger" / "collector.json"


def remember(settings: dict[str, Any], confirmed: Confirmation) -> None:
    """Keep what the newest confirmation says. Raises OSError."""
    said = {"blocks": confirmed.get("blocks", False)}
    if read_json(_place(settings), None) != said:
        replace(_place(settings), json.dumps(said))


def takes_blocks(settings: dict[str, Any]) -> bool:
    """Whether blocks may be sent."""
    declared = settings.get("blocks", "")
    if declared in {ALWAYS, NEVER}:
        return bool(declared == ALWAYS)
    said = read_json(_place(settings), {})
    return isinstance(said, dict) and said.get("blocks") is True
