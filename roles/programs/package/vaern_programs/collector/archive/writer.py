"""Writes the segments of one partition and one retention."""

from __future__ import annotations

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import zstandard

from vaern_programs.collector.archive.segments import LABEL, SKIPPABLE, Block, Segment, blocks, segment_of
from vaern_programs.shared.files import sync_directory
from vaern_programs.shared.times import utc


class Writer:
    """Appends blocks, each on disk when `write` returns. Raises OSError."""

    def __init__(self, directory: Path, segment: Segment, segment_bytes: int) -> None:
        """`segment` says topic, partition and retention; its offset is not used."""
        self.directory = directory
        self.segment = segment
        self.segment_bytes = segment_bytes
        self.file = -1
        self.path = directory
        self.size = 0
        self.hour = ""

    def open(self, offset: int, now: float) -> None:
        """Be ready to write a block from that offset; a segment of its size, or of an earlier hour, is closed."""
        if self.file >= 0 and (self.size >= self.segment_bytes or self.hour != _hour(now)):
            self.close()
        if self.file >= 0:
            return
        day = self.directory / utc(now).strftime("%Y-%m-%d")
        day.mkdir(mode=0o750, exist_ok=True)
        self.path = day / self.segment._replace(offset=offset).name
        self.file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self.size = os.fstat(self.file).st_size
        self.hour = _hour(now)
        for directory in (day, self.directory):
            sync_directory(directory)

    def write(self, block: bytes) -> None:
        """Append it. `size` is as it was until `keep`, so that `undo` takes back what could not be written whole."""
        view = memoryview(block)
        while view:
            view = view[os.write(self.file, view) :]
        os.fdatasync(self.file)

    def keep(self, block: bytes) -> None:
        """What was written stays."""
        self.size += len(block)

    def undo(self) -> None:
        """Cut off what was written since the last `keep`."""
        if self.file >= 0:
            os.ftruncate(self.file, self.size)

    def close(self) -> None:
        """Nothing more is written to the open segment."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
            self.size = 0

    def go_on(self, path: Path, position: int) -> None:
        """Append to a segment that is there, and cut off what a crash left half written behind its last block.

        A block that begins before `position` cannot be read again from the broker: however damaged, it is left.
        """
        with mapped(path) as content:
            end, size = tail(content, path.name).end, len(content)
            torn = _offset_at(content, end)
        if end < size:
            if torn is not None and torn < position:
                return
            os.truncate(path, end)
        self.path, self.size, self.hour = path, end, _hour(path.stat().st_mtime)
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND)


@contextmanager
def mapped(path: Path) -> Iterator[memoryview]:
    """The content of a file, read as far as it is looked at. Raises OSError."""
    with path.open("rb") as file:
        if os.fstat(file.fileno()).st_size == 0:
            yield memoryview(b"")
            return
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
            yield view


def last_block(path: Path) -> Block:
    """The last whole block of a segment. Raises OSError."""
    with mapped(path) as content:
        return tail(content, path.name)


def tail(content: memoryview, name: str) -> Block:
    """The last whole block of a segment; one of no length, at the offset in the name, when there is none."""
    complete = list(blocks(content))
    while complete and not intact(content, complete[-1]):
        complete.pop()
    if complete:
        return complete[-1]
    segment = segment_of(name)
    return Block(0, 0, 0, segment.offset if segment else -1, 0, 0.0, 0)


def intact(content: memoryview, block: Block) -> bool:
    """Whether the lines of a block are as they were written."""
    try:
        with content[block.data : block.end] as data:
            zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError:
        return False
    return True


def _offset_at(content: memoryview, start: int) -> int | None:
    """The first offset of a block that is not whole, when as much as its label is there."""
    if start + LABEL.size > len(content):
        return None
    magic, _, offset, _, _ = LABEL.unpack_from(content, start)
    return int(offset) if magic == SKIPPABLE else None


def _hour(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%dT%H")
