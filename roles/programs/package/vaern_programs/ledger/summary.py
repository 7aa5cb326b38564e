"""What has been read of the archive so far, one small file a day, so that each run reads only what is new.

    <state>/<code>/<YYYY-MM-DD>.json    {"segments": {"<file name>": {"end": <bytes read>, "tally": {...}}}}

A segment whose file has gone keeps its summary: deleted by retention, its events still count as received; gone for any
other reason, they are missing, and the summary is what can still name them.
"""

from __future__ import annotations

import json
import mmap
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zstandard

from vaern_programs.collector.archive.segments import as_day, blocks, days, segment_of
from vaern_programs.shared.files import replace
from vaern_programs.shared.tally import Tally


@dataclass(frozen=True)
class Part:
    """One segment of the archive, and where it is now."""

    day: str
    name: str
    tally: Tally
    held: bool
    """Its events are in the archive, or were until their retention was over."""


def parts(archive: Path, state: Path, code: str, since: str) -> list[Part]:
    """Every segment of a municipality from a day on, read as far as it is written. Raises OSError."""
    directory, own = archive / code, state / code
    own.mkdir(mode=0o750, parents=True, exist_ok=True)
    deleted = set(_deleted(directory))
    known = {path.stem for path in own.glob("*.json") if as_day(path.stem)}
    found: list[Part] = []
    for day in sorted(known | set(days(directory))):
        if day >= since:
            found += _day_parts(directory, own, day, deleted)
    return found


def _day_parts(directory: Path, own: Path, day: str, deleted: set[str]) -> Iterator[Part]:
    path = own / f"{day}.json"
    segments: dict[str, Any] = _read(path).get("segments", {})
    there = {entry.name for entry in _entries(directory / day) if segment_of(entry.name)}
    changed = False
    for name in sorted(there | segments.keys()):
        tally = Tally.read(segments[name]["tally"]) if name in segments else Tally()
        if name in there:
            end = segments[name]["end"] if name in segments else 0
            reached = read_on(directory / day / name, end, tally)
            if name not in segments or reached != end:
                segments[name] = {"end": reached, "tally": tally.written()}
                changed = True
        yield Part(day, name, tally, name in there or f"{day}/{name}" in deleted)
    if changed:
        replace(path, json.dumps({"segments": segments}, separators=(",", ":")))


def read_on(path: Path, start: int, tally: Tally) -> int:
    """Count the complete blocks of a segment after its byte `start`; the first byte not read.

    Counting is from the beginning when the file is shorter than what was read: it is not the same file any more.
    """
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if size < start:
                tally.clear()
                start = 0
            if size == start:
                return start
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
                return start + _count(view, start, tally)
    except FileNotFoundError:
        return start


def _count(view: memoryview, start: int, tally: Tally) -> int:
    decompressor = zstandard.ZstdDecompressor()
    end = 0
    with view[start:] as rest:
        for block in blocks(rest):
            with rest[block.data : block.end] as data:
                tally.add(decompressor.decompress(data))
            end = block.end
    return end


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(directory))
    except FileNotFoundError:
        return []


def over(directory: Path) -> dict[int | None, str]:
    """The last day that retention has deleted of, by the days in the names of the files; None for files without."""
    found: dict[int | None, str] = {}
    for file in _deleted(directory):
        day, _, name = file.partition("/")
        segment = segment_of(name)
        if segment is not None:
            found[segment.days] = max(day, found.get(segment.days, ""))
    return found


def _deleted(directory: Path) -> list[str]:
    """Files the archiver deleted because their retention was over, as day/name."""
    try:
        lines = (directory / "deleted.jsonl").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line)["file"] for line in lines if line]


def _read(path: Path) -> dict[str, Any]:
    """A summary; an unreadable one is made again from the archive."""
    try:
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return found
