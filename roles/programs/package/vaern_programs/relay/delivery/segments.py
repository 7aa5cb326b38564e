"""Reads the spool in order, and remembers how far of each segment the broker has acknowledged.

    <spool>/segments/open-<priority>.jsonl          rsyslog writes to it
    <spool>/segments/<time>-<priority>.jsonl        closed; `rotate` names it
    <spool>/delivery/positions.json                 {"<digest>": <bytes acknowledged>}

A segment is known by its first line, as in spool_index: its name changes when it is closed. Where nothing is known of
one, it is read from its beginning; an event that is sent twice counts once.
"""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Iterable
from pathlib import Path

from vaern_programs.relay.spool.index import LONGEST, digest_of, opened, priority_of
from vaern_programs.shared.files import replace

CHUNK = 512 * 1024
"""Bytes that are read at a time."""
WHOLE_LOOKS = 2


class Part:
    """Some lines of a segment that are under way: they end at `end`; `left` of their records are not acknowledged."""

    __slots__ = ("end", "left", "segment")

    def __init__(self, segment: Segment, end: int, left: int) -> None:
        """Handed out, and nothing of it acknowledged."""
        self.segment, self.end, self.left = segment, end, left

    def acknowledge(self) -> None:
        """One of its records is with the broker."""
        self.left -= 1
        if not self.left:
            self.segment.settle()

    def divide(self, count: int) -> None:
        """One of its records is so many from now on."""
        self.left += count - 1


class Segment:
    """One file of the spool, open for as long as it is listed there, so that its inode is nobody else's."""

    def __init__(self, path: Path, positions: dict[str, int]) -> None:
        """Go on where it was left. Raises OSError, and ValueError while its first line is not complete."""
        self.file = opened(path)
        try:
            self.digest = digest_of(os.pread(self.file, LONGEST, 0), self.file)
            if not self.digest:
                raise ValueError(f"{path} has no line yet")
            self.inode = os.fstat(self.file).st_ino
        except BaseException:
            os.close(self.file)
            raise
        known = positions.get(self.digest, 0)
        self.read = self.acknowledged = known if known <= self.size() else 0
        self.parts: deque[Part] = deque()
        self.closed = self.ended = self.more = False

    def size(self) -> int:
        """Bytes that it holds now."""
        return os.fstat(self.file).st_size

    def take(self) -> bytes:
        """The complete lines that follow, as many as are read at a time; empty when there are none yet.

        `more` is whether that was not all.

        What ends a closed segment without a line break was cut off when the relay was killed. A line longer than any
        event is the trace of a power cut, and passed over with what was read.
        """
        text = os.pread(self.file, CHUNK, self.read)
        self.more = len(text) == CHUNK
        cut = text.rfind(b"\n") + 1
        if not cut and len(text) == CHUNK:
            text = os.pread(self.file, 2 * LONGEST, self.read)
            cut = text.rfind(b"\n") + 1 or (len(text) if len(text) == 2 * LONGEST else 0)
        self.ended = self.closed and not cut
        self.read += cut
        return text[:cut]

    def hand_out(self, count: int) -> Part:
        """What was taken last, which is so many records."""
        part = Part(self, self.read, count)
        self.parts.append(part)
        if not count:
            self.settle()
        return part

    def settle(self) -> None:
        """Move on over all that is acknowledged without a gap."""
        while self.parts and not self.parts[0].left:
            self.acknowledged = self.parts.popleft().end

    def waiting(self) -> int:
        """Bytes that are not acknowledged."""
        return max(0, (self.read if self.ended else self.size()) - self.acknowledged)


class Spool:
    """Every segment there is, those of each priority in the order in which they were written."""

    def __init__(self, directory: Path) -> None:
        """Nothing is read yet."""
        self.segments = directory / "segments"
        self.place = directory / "delivery" / "positions.json"
        self.known: dict[int, Segment] = {}
        self.ways: dict[int, list[Segment]] = {}
        self.saved = self._positions()
        self.unmet = dict(self.saved)
        """Positions of an earlier run in segments that this one has not seen yet."""
        self.whole_looks = 0
        self.marks: list[tuple[Segment, int]] = []
        self.marked = self.caught_up = 0.0

    def _positions(self) -> dict[str, int]:
        """As they were saved; none when the file is missing or was damaged by a power cut."""
        try:
            return {str(digest): int(end) for digest, end in json.loads(self.place.read_text("ascii")).items()}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return {}

    def look(self, now: float) -> None:
        """See which segments there are, and whether all that was there at an earlier look is acknowledged by now."""
        try:
            with os.scandir(self.segments) as entries:
                listed = {entry.name: entry.inode() for entry in entries if entry.name.endswith(".jsonl")}
        except FileNotFoundError:
            listed = {}
        for name in sorted(listed):  # Digits before "open-": in the order in which they were written.
            if listed[name] not in self.known:
                self._enter(self.segments / name, listed[name])
            if listed[name] in self.known:
                self.known[listed[name]].closed = not name.startswith("open-")
        self._leave(set(self.known) - set(listed.values()))
        self._forget_unmet(whole=self.known.keys() >= set(listed.values()))
        if all(segment.acknowledged >= size or not segment.waiting() for segment, size in self.marks):
            self.caught_up = self.marked or now
            self.marks = [(segment, segment.size()) for segment in self.known.values() if segment.waiting()]
            self.marked = now

    def _enter(self, path: Path, inode: int) -> None:
        try:
            segment = Segment(path, self.unmet)
        except (OSError, ValueError):
            return  # Renamed meanwhile, or without a line: the next look finds it.
        if segment.inode != inode:
            os.close(segment.file)  # Closed meanwhile, and this is the next one: it must not come before that.
            return
        self.known[inode] = segment
        self.unmet.pop(segment.digest, None)
        way = self.ways.setdefault(priority_of(path), [])
        # What waited unread comes closed, and must not wait for the end of the segment that is written now.
        behind = path.name.startswith("open-")
        way.insert(next((at for at, one in enumerate(way) if not (behind or one.closed)), len(way)), segment)

    def _leave(self, inodes: Iterable[int]) -> None:
        """A segment that has disappeared was pruned or evicted.

        What is renamed while a folder is listed may be listed under neither name: it is not gone.
        """
        for inode in inodes:
            if os.fstat(self.known[inode].file).st_nlink:
                continue
            segment = self.known.pop(inode)
            for way in self.ways.values():
                if segment in way:
                    way.remove(segment)
            self.marks = [mark for mark in self.marks if mark[0] is not segment]
            os.close(segment.file)

    def _forget_unmet(self, *, whole: bool) -> None:
        """Positions that are still of no segment are of none that is there, once two looks have met all they listed.

        After one look that cannot be said, as for `_leave`.
        """
        self.whole_looks = self.whole_looks + 1 if whole else 0
        if self.whole_looks >= WHOLE_LOOKS:
            self.unmet.clear()

    def turn(self) -> list[Segment]:
        """The segment that is next of each priority: none of them waits for the backlog of another."""
        first = (next((segment for segment in way if not segment.ended), None) for way in self.ways.values())
        return [segment for segment in first if segment is not None]

    def waiting(self) -> int:
        """Bytes that are not acknowledged."""
        return sum(segment.waiting() for segment in self.known.values())

    def save(self) -> None:
        """Write down how far each segment is acknowledged, safe from a power cut; nothing when nothing has changed."""
        positions = self.unmet | {segment.digest: segment.acknowledged for segment in self.known.values()}
        if positions == self.saved:
            return
        replace(self.place, json.dumps(positions))
        self.saved = positions
