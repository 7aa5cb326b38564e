"""Finds events in the archive of one municipality, the open segment included.

    vaern-archive-find --code 0710 --since 600 --wait 20 TEXT...

Prints one JSON line for each event that contains a text: {"text", "code", "file", "offset", "event"}. Newest blocks
are read first, and reading stops when every text has been found. Exit code 0 when all were found, 1 when not.
"""

from __future__ import annotations

import argparse
import json
import mmap
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import zstandard

from vaern_programs.collector.archive.events import event_of, mended
from vaern_programs.collector.archive.segments import blocks, days, offsets, segment_of
from vaern_programs.shared.collector_paths import ARCHIVE

WRITING_SECONDS = 5.0
"""A block is readable at most this long after the time it carries."""


def segments(directory: Path, since: float) -> Iterator[Path]:
    """Segments written to after a Unix time, newest first."""
    found = []
    for day in days(directory):
        paths = [path for path in (directory / day).iterdir() if segment_of(path.name)]
        recent = [(status, path) for path in paths if (status := path.stat().st_mtime) >= since]
        found += recent
        if not recent and paths:
            break
    for _, path in sorted(found, reverse=True):
        yield path


def recent_lines(path: Path, since: float) -> Iterator[tuple[int, bytes]]:
    """Offset and text of the events archived after a Unix time, newest block first."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            decompressor = zstandard.ZstdDecompressor()
            for block in reversed(list(blocks(view))):
                if block.written < since:
                    return
                with view[block.data : block.end] as data:
                    text = decompressor.decompress(data)
                yield from zip(offsets(view, block), text.splitlines(), strict=True)


def shown(line: bytes) -> Any:
    """The event of a line; that of a broken one with that mark; or the line as text."""
    event = event_of(line)
    if event is not None:
        return event
    event = mended(line)
    return line.decode(errors="replace") if event is None else event | {"broken": True}


def find(archive: Path, code: str, since: float, texts: set[str]) -> Iterator[dict[str, Any]]:
    """One answer for each text, until all are found."""
    needles = {text: json.dumps(text, ensure_ascii=False)[1:-1].encode() for text in texts}
    for path in segments(archive / code, since):
        for offset, line in recent_lines(path, since):
            for text in [text for text, needle in needles.items() if needle in line]:
                del needles[text]
                yield {"text": text, "code": code, "file": str(path), "offset": offset, "event": shown(line)}
            if not needles:
                return


def main(arguments: list[str]) -> int:
    """Search, again and again for as long as --wait allows."""
    parser = argparse.ArgumentParser(prog="vaern-archive-find", description="Find events in the archive")
    parser.add_argument("--code", required=True, help="municipality code, such as 0710")
    parser.add_argument("--since", type=float, default=600.0, help="only events archived in the last so many seconds")
    parser.add_argument("--wait", type=float, default=0.0, help="seconds to wait for texts that are not there yet")
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="directory of the archive")
    parser.add_argument("texts", nargs="+", metavar="TEXT", help="part of an event")
    options = parser.parse_args(arguments)
    if not (len(options.code) == 4 and options.code.isdecimal()):
        parser.error("--code takes four digits")
    missing = set(options.texts)
    since, limit = time.time() - options.since, time.monotonic() + options.wait
    while True:
        begun = time.time()
        for match in find(options.archive, options.code, since, missing):
            missing.discard(match["text"])
            # In ASCII: an event may hold half a character, which no encoding can write.
            print(json.dumps(match), flush=True)
        if not missing or time.monotonic() >= limit:
            return 1 if missing else 0
        since = begun - WRITING_SECONDS
        time.sleep(0.1)
