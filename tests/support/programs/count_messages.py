"""Runs on the collector: how many numbered messages of one prefix are in the archive of municipality 0710.

Arguments: the prefix, and the time in seconds since 1970 before which no file is read. Prints {"different", "copies"}.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import zstandard

PART_BYTES = 1 << 22

prefix, since = sys.argv[1], float(sys.argv[2])
number = re.compile(rb"app: " + re.escape(prefix.encode()) + rb"(\d+)\.")
found: set[int] = set()
copies = 0
for path in Path("/var/lib/vaern/archive/0710").rglob("*.zst"):
    if path.stat().st_mtime < since:
        continue
    with path.open("rb") as file:
        reader, rest = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True), b""
        while part := reader.read(PART_BYTES):
            whole, _, rest = (rest + part).rpartition(b"\n")
            numbers = number.findall(whole)
            copies += len(numbers)
            found.update(map(int, numbers))
print(json.dumps({"different": len(found), "copies": copies}))
