"""Which events of an archive match a query: by text, source and time."""

from __future__ import annotations

import mmap
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import zstandard

from vaern_programs.collector.archive.events import read, received, texts
from vaern_programs.collector.archive.segments import as_day, blocks, days, segment_of
from vaern_programs.shared.times import utc

CLOCKS_SECONDS = 3600.0
"""Relay and collector agree on the time at least so well; an event is archived after it was received."""
PLAIN = re.compile(r"[ !#-.0-\[\]-~]+")
"""Characters that stand for themselves however a program writes JSON."""


class Query(NamedTuple):
    """What to look for. Times are Unix seconds, and are compared with when the relay received an event."""

    texts: tuple[str, ...] = ()
    """Any of them, anywhere in an event; without one, every event matches."""
    source: str | None = None
    since: float | None = None
    until: float | None = None
    newest_first: bool = False


def select(directory: Path, query: Query) -> Iterator[bytes]:
    """Lines of the archive of one municipality that match a query. Raises OSError."""
    plain = tuple(max(PLAIN.findall(text), key=len, default="").encode() for text in query.texts)
    for path in segments(directory, query):
        for written, line in lines(path, query):
            if (not plain or any(part in line for part in plain)) and matches(line, written, query):
                yield line


def segments(directory: Path, query: Query) -> Iterator[Path]:
    """Files that can hold such events. An event can be archived long after it was received, and never before."""
    earliest = utc(query.since - CLOCKS_SECONDS).date() if query.since is not None else None
    for name in sorted(days(directory), reverse=query.newest_first):
        day = as_day(name)
        if day and (earliest is None or day >= earliest):
            found = [path for path in (directory / name).iterdir() if segment_of(path.name)]
            yield from sorted(found, reverse=query.newest_first)


def lines(path: Path, query: Query) -> Iterator[tuple[float, bytes]]:
    """When a line was archived, and the line; the open segment is read as far as it is whole."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # its retention ended while others were read
    with file:
        if os.fstat(file.fileno()).st_size == 0:
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            found = list(blocks(view))
            for block in reversed(found) if query.newest_first else found:
                if query.since is not None and block.written < query.since - CLOCKS_SECONDS:
                    continue
                with view[block.data : block.end] as data:
                    rows = zstandard.ZstdDecompressor().decompress(data).splitlines()
                for row in reversed(rows) if query.newest_first else rows:
                    yield block.written, row


def matches(line: bytes, written: float, query: Query) -> bool:
    """Whether a line matches; one that is broken is searched as far as it can be read, and as text."""
    event, _ = read(line)
    if query.source is not None and event.get("source") != query.source:
        return False
    at = received(event, written)
    if at < (query.since if query.since is not None else at) or at >= (query.until or float("inf")):
        return False
    return not query.texts or any(text in value for value in texts(event) for text in query.texts)
