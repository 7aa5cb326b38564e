"""What the collector has said that it reads: known from its confirmations, kept for the delivery.

    <spool>/ledger/collector.json     {"brokers": "hub1.vaern:9093", "blocks": true}

A relay may be upgraded before its collector. So it sends blocks to one only that has said it reads them, and single
events again as soon as it says so no longer, or when the relay is given another collector.
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


def _said(settings: dict[str, Any], blocks: bool) -> dict[str, Any]:
    return {"brokers": settings["librdkafka"]["bootstrap.servers"], "blocks": blocks}


def remember(settings: dict[str, Any], confirmed: Confirmation) -> None:
    """Keep what the newest confirmation says. Raises OSError."""
    said = _said(settings, confirmed.get("blocks", False))
    if read_json(_place(settings), None) != said:
        replace(_place(settings), json.dumps(said))


def takes_blocks(settings: dict[str, Any]) -> bool:
    """Whether blocks may be sent."""
    declared = settings.get("blocks", "")
    if declared in {ALWAYS, NEVER}:
        return bool(declared == ALWAYS)
    # Event Hubs confirms nothing: what an earlier collector has said is not about it.
    return bool(settings["confirmations"]) and bool(read_json(_place(settings), None) == _said(settings, blocks=True))
