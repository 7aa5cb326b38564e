"""The files of the archive: how they are named, what is in them, and what a crash can leave behind.

    <archive>/<code>/<YYYY-MM-DD>/<topic>-<partition>-<first offset>.jsonl.zst

The topic decides the directory; nothing in an event does. A segment is a row of blocks, and a block is two zstd
frames: a skippable one with the first offset, the number of lines and the time of writing, then the lines. Any zstd
program reads the file as JSON lines; line n has offset `first offset + n`. The next offset to read is computed
from the files alone, so each event is archived exactly once however the archiver ends.
Format: RFC 8878 sections 3.1.1 and 3.1.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

TOPIC = re.compile(r"logs\.([0-9]{4})(?:\.[a-z][a-z0-9-]*)?")
NAME = re.compile(
    r"(?P<topic>logs\.[0-9]{4}(?:\.[a-z][a-z0-9-]*)?)-(?P<partition>[0-9]+)-(?P<offset>[0-9]{20})\.jsonl\.zst"
)
SKIPPABLE = 0x184D2A56
DATA = 0xFD2FB528
LABEL = struct.Struct("<IIQIQ")
"""Magic number and length of the skippable frame, then first offset, lines, time in Unix milliseconds."""


class Block(NamedTuple):
    """One block of a segment: where it is, and which events it holds."""

    start: int
    """First byte, of the label."""
    data: int
    """First byte of the compressed lines."""
    end: int
    """First byte after the block."""
    offset: int
    """Kafka offset of the first line."""
    lines: int
    """Number of lines."""
    written: float
    """Unix time of writing, seconds."""


class Segment(NamedTuple):
    """The name of a file, taken apart."""

    topic: str
    partition: int
    offset: int
    """Kafka offset of the first line."""

    @property
    def name(self) -> str:
        """The name of the file; names sort like offsets."""
        return f"{self.topic}-{self.partition}-{self.offset:020d}.jsonl.zst"


def code_of(topic: str) -> str | None:
    """The municipality a topic belongs to, None for any other topic."""
    match = TOPIC.fullmatch(topic)
    return match[1] if match else None


def segment_of(name: str) -> Segment | None:
    """What a file name says, None when it is not of the archive."""
    match = NAME.fullmatch(name)
    return Segment(match["topic"], int(match["partition"]), int(match["offset"])) if match else None


def label(offset: int, lines: int, written: float) -> bytes:
    """The frame before the lines, which zstd programs skip."""
    return LABEL.pack(SKIPPABLE, LABEL.size - 8, offset, lines, int(written * 1000))


def frame_end(content: memoryview, start: int) -> int | None:
    """Where the zstd data frame at `start` ends; None when it is cut off or is no such frame."""
    if start + 6 > len(content) or struct.unpack_from("<I", content, start)[0] != DATA:
        return None
    descriptor = content[start + 4]
    single = descriptor >> 5 & 1
    size_bytes = (single, 2, 4, 8)[descriptor >> 6]
    position = start + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + size_bytes
    last = False
    while not last:
        if position + 3 > len(content):
            return None
        header = int.from_bytes(content[position : position + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if kind == 3:
            return None
        position += 3 + (1 if kind == 1 else size)
    position += 4 if descriptor & 4 else 0
    return position if position <= len(content) else None


def blocks(content: memoryview) -> Iterator[Block]:
    """The complete blocks of a segment, to the first that is cut off or damaged."""
    start = 0
    while start + LABEL.size <= len(content):
        magic, size, offset, lines, written = LABEL.unpack_from(content, start)
        if magic != SKIPPABLE or size != LABEL.size - 8:
            return
        end = frame_end(content, start + LABEL.size)
        if end is None:
            return
        yield Block(start, start + LABEL.size, end, offset, lines, written / 1000)
        start = end


def days(directory: Path) -> list[str]:
    """The day directories of a municipality, newest first."""
    if not directory.is_dir():
        return []
    return sorted((entry.name for entry in directory.iterdir() if as_day(entry.name)), reverse=True)


def newest(directory: Path, topic: str, partition: int) -> Path | None:
    """The last segment of a partition, None when there is none."""
    for day in days(directory):
        found = [
            (segment.offset, path)
            for path in (directory / day).iterdir()
            if (segment := segment_of(path.name)) and (segment.topic, segment.partition) == (topic, partition)
        ]
        if found:
            return max(found)[1]
    return None


def as_day(name: str) -> date | None:
    """The day a directory is named after, None for another name."""
    try:
        return date.fromisoformat(name) if len(name) == 10 else None
    except ValueError:
        return None


def expired(names: list[str], today: date, retention_days: int) -> list[str]:
    """The day directories that are older than the retention, oldest first."""
    oldest = today - timedelta(days=retention_days)
    return sorted(name for name in names if (day := as_day(name)) and day < oldest)


def one_line(value: bytes | None) -> bytes:
    """A message as one line; in JSON a bare line break can only be white space, in anything else it is not ours."""
    if not value:
        return b"{}"
    return value.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in value or b"\r" in value else value


def utc(seconds: float) -> datetime:
    """A Unix time as UTC."""
    return datetime.fromtimestamp(seconds, UTC)
