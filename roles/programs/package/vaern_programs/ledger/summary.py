"""What has been read of the archive so far, one small file a day, so that each run reads only what is new.

    <state>/<code>/<YYYY-MM-DD>.json    {"segments": {"<file name>": {"end": <bytes read>, "tally": {...}}}}

A segment whose file has gone keeps its summary: deleted by retention, its events still count as received; gone for any
other reason, they are missing, and the summary is what can still name them. What a day may take is bounded, whatever a
municipality sends: see `MOST_RUNS_A_DAY`.
"""

from __future__ import annotations

import json
import math
import mmap
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard

from vaern_programs.collector.archive.segments import as_day, blocks, days, segment_of
from vaern_programs.ledger.gaps import GRACE_SECONDS
from vaern_programs.shared.broken_lines import broken_lines
from vaern_programs.shared.files import replace
from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.relay_names import MOST_UNDECLARED, RelayNames
from vaern_programs.shared.tally import Tally

MOST_RUNS_A_DAY = 100_000
"""Runs of events in the summary of a day, and as many rows and ranges of statements: 2000 sources, 50 of each."""
LINE_BYTES = 65536
LOOK_BACK_SECONDS = 2.0
"""In a run, for broken lines in segments that an earlier version has counted without looking for them."""
SAVE_SECONDS = 5.0
"""What has been read is kept at least so often, so that a run that takes too long is continued by the next."""


@dataclass(frozen=True)
class Part:
    """One segment of the archive, and where it is now."""

    day: str
    name: str
    tally: Tally
    held: bool
    """Its events are in the archive, or were until their retention was over."""


def parts(archive: Path, state: Path, code: str, since: str, relays: Iterable[str] = ()) -> Iterator[Part]:
    """Every segment of a municipality from a day on, read as far as it is written. Raises OSError.

    `relays` are the names of those that are declared: these are counted before any others.
    """
    directory, own = archive / code, state / code
    own.mkdir(mode=0o750, parents=True, exist_ok=True)
    deleted = set(_deleted(directory))
    known = {path.stem for path in own.glob("*.json") if as_day(path.stem)}
    until = time.monotonic() + LOOK_BACK_SECONDS
    for day in sorted(known | set(days(directory))):
        if day >= since:
            names = RelayNames(relays, MOST_UNDECLARED)
            yield from _DaySummary(directory, own, day, names).parts(deleted, until)


class _DaySummary:
    """The segments of one day of the archive, and the file that says what is in them."""

    def __init__(self, directory: Path, own: Path, day: str, names: RelayNames) -> None:
        self.path, self.folder, self.day, self.names = own / f"{day}.json", directory / day, day, names
        self.ends: dict[str, int] = {}
        self.tallies: dict[str, Tally] = {}
        for name, one in _read(self.path).items():
            self.ends[name], self.tallies[name] = one
        for tally in self.tallies.values():
            for name in tally.relays():
                names.admit(name)
        self.listed = sum(tally.listed for tally in self.tallies.values())
        self.rows = sum(tally.statements.listed for tally in self.tallies.values())
        self.saved = time.monotonic()
        self.changed = False

    def parts(self, deleted: set[str], look_back_until: float) -> Iterator[Part]:
        there = {entry.name for entry in _entries(self.folder) if segment_of(entry.name)}
        for name in sorted(there | self.tallies.keys()):
            if name in there:
                self._read_on(name)
                if self.tallies[name].broken is None and time.monotonic() < look_back_until:
                    self._look_back(name)
            yield Part(self.day, name, self.tallies[name], name in there or f"{self.day}/{name}" in deleted)
        self._save()

    def _read_on(self, name: str) -> None:
        tally = self.tallies.get(name, Tally())
        runs, rows = self.listed - tally.listed, self.rows - tally.statements.listed
        latest = time.time() + GRACE_SECONDS
        tally.limit(MOST_RUNS_A_DAY - runs, MOST_RUNS_A_DAY - rows, self.names, latest)
        more = True
        while more:
            # A part at a time: if this takes too long, the next run goes on from what has been saved.
            end = self.ends.get(name, 0)
            reached = read_on(self.folder / name, end, tally, self.saved + SAVE_SECONDS)
            more = reached != end
            if more or name not in self.tallies:
                self.tallies[name], self.ends[name], self.changed = tally, reached, True
            if time.monotonic() - self.saved > SAVE_SECONDS:
                self._save()
        self.listed, self.rows = runs + tally.listed, rows + tally.statements.listed

    def _look_back(self, name: str) -> None:
        end = self.ends[name]
        self.tallies[name].broken = broken_in(self.folder / name, end) if end else 0
        self.changed = True

    def _save(self) -> None:
        if self.changed:
            segments = {name: {"end": self.ends[name], "tally": one.written()} for name, one in self.tallies.items()}
            replace(self.path, json.dumps({"segments": segments}, separators=(",", ":")))
        self.changed, self.saved = False, time.monotonic()


def read_on(path: Path, start: int, tally: Tally, until: float = math.inf) -> int:
    """Count the complete blocks of a segment after its byte `start`; the first byte not read.

    It ends after the block that is being counted at `until`, of the monotonic clock, in seconds. Counting is from the
    beginning when the file is shorter than what was read: it is not the same file any more.
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
                return start + _count(view[start:], tally, until)
    except FileNotFoundError:
        return start


def _count(view: memoryview, tally: Tally, until: float) -> int:
    decompressor = zstandard.ZstdDecompressor()
    end = 0
    with view:
        for block in blocks(view):
            with view[block.data : block.end] as data:
                text = decompressor.decompress(data)
            tally.add(text)
            if tally.broken is not None:
                tally.broken += broken_lines(text)
            end = block.end
            if time.monotonic() > until:
                break
    return end


def broken_in(path: Path, end: int) -> int:
    """Broken lines in the first `end` bytes of a segment, which are complete blocks; 0 when it is gone."""
    found = Tally()
    try:
        with (
            path.open("rb") as file,
            mmap.mmap(file.fileno(), end, access=mmap.ACCESS_READ) as content,
            memoryview(content) as view,
        ):
            _count(view[:end], found, math.inf)
    except FileNotFoundError:
        return 0
    return found.broken or 0


def _entries(directory: Path) -> list[os.DirEntry[str]]:
    try:
        return list(os.scandir(directory))
    except FileNotFoundError:
        return []


def deleted_until(directory: Path) -> dict[int | None, str]:
    """Days of retention, None for files without, to the last day that retention has deleted of."""
    found: dict[int | None, str] = {}
    for file in _deleted(directory):
        day, _, name = file.partition("/")
        segment = segment_of(name)
        if segment is not None:
            found[segment.days] = max(day, found.get(segment.days, ""))
    return found


def _deleted(directory: Path) -> Iterator[str]:
    """Files the archiver deleted because their retention was over, as day/name; a line half written says nothing."""
    try:
        lines = (directory / "deleted.jsonl").read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            yield str(loads(line, LINE_BYTES)["file"])
        except (UnfitError, KeyError, TypeError):
            continue


def _read(path: Path) -> dict[str, tuple[int, Tally]]:
    """Names of segments to the bytes read and what is in them; an unreadable file is made again from the archive."""
    try:
        segments, found = json.loads(path.read_text(encoding="utf-8"))["segments"], {}
        while segments:  # One after the other, as two forms of all of them take twice the memory.
            name, one = segments.popitem()
            found[name] = int(one["end"]), Tally.read(one["tally"])
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}
    return found
