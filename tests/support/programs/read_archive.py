"""Runs on the collector: prints every event in the archive of a municipality. Argument: its code.

The end of a file may be half written: of that the whole lines are printed.
"""

from __future__ import annotations

import sys
from pathlib import Path

import zstandard

for path in sorted(Path("/var/lib/vaern/archive", sys.argv[1]).rglob("*.zst")):
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    sys.stdout.buffer.write(text[: text.rfind(b"\n") + 1])
