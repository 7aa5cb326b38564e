"""The files of the archive: how they are named, what is in them, and what a crash can leave behind.

    <archive>/<code>/<YYYY-MM-DD>/<topic>-<partition>-<first offset>[.r<days>].jsonl.zst

The topic decides the directory; nothing in an event does. Sources with a retention of their own are in files that
say so, `.r90` for 90 days; all others are in files without, and are kept as long as the municipality keeps events.
A segment is a row of blocks, and a block is two zstd frames: a skippable label, then the lines. The label has the first
offset, the number of lines and the time of writing; where the offsets that were read together went to several blocks,
or one offset was a block of many lines, it also says how many they were and, a bit for each, which of them are here
(`offsets`). Any zstd program reads the file as JSON lines. The next offset to read is computed from the files alone, so
each event is archived exactly once however the archiver ends.
Format: RFC 8878 sections 3.1.1 and 3.1.2.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from vaern_programs.shared.zstd_frames import frame_end

TOPIC = re.compile(r"logs\.([0-9]{4})(?:\.[a-z][a-z0-9-]*)?")
NAME = re.compile(
    r"(?P<topic>logs\.[0-9]{4}(?:\.[a-z][a-z0-9-]*)?)-(?P<partition>[0-9]+)-(?P<offset>[0-9]{20})"
    r"(\.r(?P<days>[0-9]{1,4}))?\.jsonl\.zst"
)
SKIPPABLE = 0x184D2A56
LABEL = struct.Struct("<IIQIQ")
"""Magic number and length of the skippable frame, then first offset, lines, time in Unix milliseconds."""
COVERED = struct.Struct("<I")
"""How many offsets were read together; then one bit for each, the first in the lowest bit of the first byte."""


class Block(NamedTuple):
    """One block of a segment: where it is, and which events it holds."""

    start: int
    """First byte, of the label."""
    data: int
    """First byte of the compressed lines."""
    end: int
    """First byte after the block."""
    offset: int
    """First Kafka offset of those read together: of the first line, when all of them are in this block."""
    lines: int
    """Number of lines."""
    written: float
    """Unix time of writing, seconds."""
    covered: int
    """Number of offsets read together, from `offset` on, whichever blocks have their lines."""


class Segment(NamedTuple):
    """The name of a file, taken apart."""

    topic: str
    partition: int
    offset: int
    """First Kafka offset of its first block."""
    days: int | None = None
    """Retention of the sources in it, None for that of the municipality."""

    @property
    def name(self) -> str:
        """The name of the file; names sort like offsets."""
        kept = "" if self.days is None else f".r{self.days}"
        return f"{self.topic}-{self.partition}-{self.offset:020d}{kept}.jsonl.zst"


def code_of(topic: str) -> str | None:
    """The municipality a topic belongs to, None for any other topic."""
    match = TOPIC.fullmatch(topic)
    return match[1] if match else None


def segment_of(name: str) -> Segment | None:
    """What a file name says, None when it is not of the archive."""
    match = NAME.fullmatch(name)
    if not match:
        return None
    days = int(match["days"]) if match["days"] else None
    return Segment(match["topic"], int(match["partition"]), int(match["offset"]), days)


def label(offset: int, lines: int, written: float, covered: int = 0, positions: Sequence[int] = ()) -> bytes:
    """The frame before the lines, which zstd programs skip.

    `covered` and `positions` are given when other blocks have the rest, or there are more lines than offsets: how many
    offsets, and which of them are here.
    """
    rest = b""
    if covered:
        bits = bytearray((covered + 7) // 8)
        for position in positions:
            bits[position >> 3] |= 1 << (position & 7)
        rest = COVERED.pack(covered) + bits
    return LABEL.pack(SKIPPABLE, LABEL.size - 8 + len(rest), offset, lines, int(written * 1000)) + rest


def offsets(content: memoryview, block: Block) -> Sequence[int]:
    """The Kafka offset of each line of a block; of its first, where one offset was many lines."""
    if block.data == block.start + LABEL.size:
        return range(block.offset, block.offset + block.lines)
    bits = int.from_bytes(content[block.start + LABEL.size + COVERED.size : block.data], "little")
    if bits.bit_count() != block.lines:
        return [block.offset + max((bits & -bits).bit_length() - 1, 0)] * block.lines
    return [block.offset + position for position in range(block.covered) if bits >> position & 1]


def blocks(content: memoryview) -> Iterator[Block]:
    """The complete blocks of a segment, to the first that is cut off or damaged."""
    start = 0
    while start + LABEL.size <= len(content):
        magic, size, offset, lines, written = LABEL.unpack_from(content, start)
        data = start + 8 + size
        if magic != SKIPPABLE or size < LABEL.size - 8 or data > len(content):
            return
        end = frame_end(content, data)
        if end is None:
            return
        covered = lines
        if data > start + LABEL.size:
            (covered,) = COVERED.unpack_from(content, start + LABEL.size)
        yield Block(start, data, end, offset, lines, written / 1000, covered)
        start = end


def days(directory: Path) -> list[str]:
    """The day directories of a municipality, newest first."""
    if not directory.is_dir():
        return []
    return sorted((entry.name for entry in directory.iterdir() if as_day(entry.name)), reverse=True)


def newest(directory: Path, topic: str, partition: int) -> dict[int | None, Path]:
    """The last segment of a partition for each retention that has one."""
    found: dict[int | None, tuple[int, Path]] = {}
    for day in days(directory):
        here: dict[int | None, tuple[int, Path]] = {}
        for path in (directory / day).iterdir():
            segment = segment_of(path.name)
            if segment and (segment.topic, segment.partition) == (topic, partition) and segment.days not in found:
                here[segment.days] = max(here.get(segment.days, (-1, path)), (segment.offset, path))
        found |= here
    return {kept: path for kept, (_, path) in found.items()}


def as_day(name: str) -> date | None:
    """The day a directory is named after, None for another name."""
    try:
        return date.fromisoformat(name) if len(name) == 10 else None
    except ValueError:
        return None


def one_line(value: bytes | None) -> bytes:
    """A message as one line; in JSON a bare line break can only be white space, in anything else it is not ours."""
    if not value:
        return b"{}"
    return value.replace(b"\r", b" ").replace(b"\n", b" ") if b"\n" in value or b"\r" in value else value
