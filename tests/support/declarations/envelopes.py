"""How many bytes vaern adds to the lines of the catalogue's samples: the event as carried, without its message."""

from __future__ import annotations

import json
from pathlib import Path

from support.yaml_text import read_yaml
from vaern.model import catalogue

SAMPLES = sorted((Path(catalogue.__file__).parents[1] / "data" / "catalogue" / "samples").glob("*.yml"))
TIME = "2026-11-24T03:00:00.123456+00:00"


def added(path: Path) -> list[int]:
    """Of each line of a vendor; labels are as long as real ones."""
    found = []
    for sample in read_yaml(path.read_text(encoding="utf-8"))["lines"]:
        event = {
            "time": TIME, "received": TIME, "municipality": "0710", "relay": "favrskov-gw1", "boot": "a" * 32,
            "sequence": 12345678, "site": "raadhus", "source": "firewall1", "kind": "microsoft365",
            "sector": "administration", "host": "fw1.favrskov.example", "message": "", "parser": "microsoft365",
            "parsed": True, "ecs": sample.get("ecs", {}),
        }  # fmt: skip
        found.append(len(json.dumps(event, separators=(",", ":"))))
    return found
