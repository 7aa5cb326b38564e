"""Runs on the collector: the relay of every event in the archive of a municipality. Argument: its code.

The collector's own alarms, which are archived too, are left out.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import zstandard

for path in Path("/var/lib/vaern/archive", sys.argv[1]).rglob("*.zst"):
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        for line in io.TextIOWrapper(text, encoding="utf-8", errors="replace"):
            if not line.endswith("\n"):
                break  # Half written.
            event = json.loads(line)
            if event["source"] != "vaern.alarm":
                print(event["relay"])
