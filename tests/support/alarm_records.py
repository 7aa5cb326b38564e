"""Records of alarms, as the alarm service writes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from vaern_programs.shared.times import stamp

BOOT = "a" * 32
NOW = 1_796_000_000.0


def record(number: int = 1, **changed: Any) -> dict[str, Any]:
    """One change."""
    return {
        "time": stamp(NOW + number), "municipality": "0710", "kind": "silent", "subject": "firewall1",
        "state": "raised", "since": stamp(NOW), "value": 900.0, "limit": 900.0,
        "text": {"da": "firewall1 har ikke sendt noget.", "en": "firewall1 has sent nothing."},
        "boot": BOOT, "sequence": number,
    } | changed  # fmt: skip


def written(path: Path, *records: dict[str, Any]) -> Path:
    """Those records at the end of a file of alarms."""
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(one, ensure_ascii=False) + "\n" for one in records)
    return path
