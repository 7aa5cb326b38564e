"""Which events each segment of the spool holds, read once: the relay's side of the ledger.

    <spool>/segments/open-<priority>.jsonl          rsyslog writes to it
    <spool>/segments/<time>-<priority>.jsonl        closed; `rotate` names it
    <spool>/ledger/index/<digest>.json              {"end": <bytes read>, "tally": {...}}

A segment is known by its first line, as its name changes when it is closed. Where that is no event, it is the trace of
a power cut: two segments may begin so, and their inodes tell them apart.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from vaern_programs.shared.files import replace
from vaern_programs.shared.identity import identity_of, last_event
from vaern_programs.shared.intervals import Intervals, intersect, union
from vaern_programs.shared.tally import Tally

RESERVE_PERCENT = 2
"""Of the disk, which the spool never takes (as in `rotate`): when others have, the least important is evicted first."""
CHUNK = 4 * 2**20
LONGEST = 2**20
"""Bytes of a line; the relay takes messages of 64 KiB, escaped at most six times that."""
LISTINGS = 5
"""How often the folder is listed at most."""
Source = tuple[str, str]
"""Boot and source."""


@dataclass(frozen=True)
class Segment:
    """One file of the spool and what is in it."""

    path: Path
    size: int
    end: int
    """Bytes counted; what follows in a closed segment was cut off when the relay was killed."""
    tally: Tally

    @property
    def open(self) -> bool:
        """Whether rsyslog still writes to it."""
        return self.path.name.startswith("open")

    @property
    def priority(self) -> int:
        """1 is the most important."""
        return priority_of(self.path)

    def holds(self) -> dict[Source, Intervals]:
        """Boot and source to the numbers in it."""
        found: dict[Source, Intervals] = {}
        for (_, boot, name, _), runs in self.tally.runs.items():
            found[boot, name] = union(found.get((boot, name), []), [run[:2] for run in runs])
        return found


def segments(spool: Path) -> list[Segment]:
    """Every segment, oldest first, the new parts of each counted; indexes of segments that are gone are removed.

    One that is closed meanwhile has another name then, and a listing may have had neither. What was in it would look
    evicted, and be given up: so it is looked for again.
    """
    index = spool / "ledger" / "index"
    index.mkdir(mode=0o770, parents=True, exist_ok=True)
    folder = spool / "segments"
    found, used, seen = _read_all(index, folder)
    for _ in range(LISTINGS - 1):
        if _closed(folder) <= seen:
            break
        found, used, seen = _read_all(index, folder)
    for path in index.iterdir():
        if path.name not in used:
            path.unlink()
    return found


def _read_all(index: Path, folder: Path) -> tuple[list[Segment], set[str], set[int]]:
    """The segments under one listing of their folder, the names of their indexes, and the inodes that were read."""
    found, used, seen = [], set(), set()
    for path in sorted(folder.glob("*.jsonl")):
        try:
            digest, segment, inode = _segment(index, path)
        except FileNotFoundError:
            continue  # Closed or removed meanwhile.
        seen.add(inode)
        if segment:
            found.append(segment)
            used.add(f"{digest}.json")
    return found, used, seen


def _closed(folder: Path) -> set[int]:
    """The inodes of closed segments."""
    found = set()
    for path in folder.glob("[!o]*.jsonl"):
        with contextlib.suppress(FileNotFoundError):
            if stat.S_ISREG((status := path.lstat()).st_mode):
                found.add(status.st_ino)
    return found


def opened(path: Path) -> int:
    """A segment, open for reading. Raises FileNotFoundError for what is no file: a link or a pipe.

    rsyslog's user makes what is there, and must not have what only the delivery may read sent on, nor have it wait.
    """
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        file = os.open(path, flags)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FileNotFoundError(errno.ENOENT, "a link is no segment", str(path)) from error
        raise
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise FileNotFoundError(errno.ENOENT, "what is no file is no segment", str(path))
    return file


def priority_of(path: Path) -> int:
    """That of a segment, by its name; segments of an older relay have none and count as 2."""
    word = path.stem.rpartition("-")[2]
    return int(word) if word in {"1", "2", "3"} else 2


def digest_of(beginning: bytes, file: int) -> str:
    """What a segment is known by, whatever its name; empty while its first line is not complete."""
    line, ended, _ = beginning.partition(b"\n")
    if not ended and len(beginning) < LONGEST:
        return ""
    known = line + b"\n" if identity_of(line) else b"%s\n%d" % (line, os.fstat(file).st_ino)
    return hashlib.sha256(known).hexdigest()[:32]


def _segment(index: Path, path: Path) -> tuple[str, Segment | None, int]:
    """What it is known by, the segment where it has a whole line, and its inode."""
    with os.fdopen(opened(path), "rb") as file:
        inode = os.fstat(file.fileno()).st_ino
        digest = digest_of(file.readline(LONGEST), file.fileno())
        if not digest:
            return "", None, inode
        place = index / f"{digest}.json"
        known, tally = _known(place, file.seek(0, os.SEEK_END))
        file.seek(known)
        end = known
        for text in complete_lines(file):
            tally.add(text)
            end += len(text)
        size = file.tell()
    if end != known or not place.exists():
        replace(place, json.dumps({"end": end, "tally": tally.written()}), durable=False)
    return digest, Segment(path, size, end, tally), inode


def _known(place: Path, size: int) -> tuple[int, Tally]:
    """Bytes counted so far, and what is in them.

    After a power cut an index may be empty, or of more than the segment still has: it is made again.
    """
    try:
        kept = json.loads(place.read_text("utf-8"))
        if kept["end"] <= size:
            return int(kept["end"]), Tally.read(kept["tally"])
    except (FileNotFoundError, ValueError):
        pass
    return 0, Tally()


def complete_lines(file: object) -> Iterator[bytes]:
    """Texts of whole lines, a few MiB each, to the last line break of the file."""
    rest = b""
    while part := file.read(CHUNK):  # type: ignore[attr-defined]
        text = rest + part
        cut = text.rfind(b"\n") + 1
        rest = text[cut:]
        if cut:
            yield text[:cut]


def lines_of(segment: Segment, wanted: dict[Source, Intervals]) -> Iterator[tuple[str, bytes]]:
    """Source and line of each wanted event in a segment, in order; none of one that is closed or removed meanwhile."""
    here = {source: intersect(numbers, wanted.get(source, [])) for source, numbers in segment.holds().items()}
    here = {source: numbers for source, numbers in here.items() if numbers}
    if not here:
        return
    try:
        descriptor = opened(segment.path)
    except FileNotFoundError:
        return
    with os.fdopen(descriptor, "rb") as file:
        for text in complete_lines(file):
            for line in map(last_event, text.splitlines()):
                identity = identity_of(line)
                if identity is None:
                    continue
                _, _, boot, number, name = identity
                ranges = here.get((boot.decode(), name.decode()))
                if ranges and any(first <= number <= last for first, last in ranges):
                    yield name.decode(), line
