"""Writes one partition of the archive: recovery after a crash, blocks, retention, and a full disk."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import zstandard

from vaern_programs.collector.archive.pending import Pending
from vaern_programs.collector.archive.segments import Segment, label, newest, one_line
from vaern_programs.collector.archive.writer import Writer, last_block
from vaern_programs.shared.blocks import Opened

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LEVEL = 3
SOURCE = re.compile(rb'"source"\s*:\s*"([a-z][a-z0-9-]*)"')
"""A quotation mark in a value is escaped, so nothing a device sends reads as this."""


SMALL_BYTES = 64 * 1024
"""A block of lines that is smaller is packed again, together with what comes after it: the archive stays small."""
LOOSE_BYTES = 4 * 2**20
"""Lines that are more are compressed at once: small blocks unpack to many times what the broker gives at a time."""


class Packed(NamedTuple):
    """Lines that are compressed, and are to be written as one block."""

    days: int | None
    positions: list[int]
    """Where among the records that are in memory they were, each record once."""
    lines: int
    data: bytes


class DiskFullError(Exception):
    """There is no room; what was to be written is still in memory."""


class Partition:
    """Writes one partition of one topic. Not to be used after an error other than DiskFullError."""

    def __init__(
        self,
        directory: Path,
        topic: str,
        partition: int,
        segment_bytes: int,
        kept: Mapping[bytes, int] | None = None,
    ) -> None:
        """Find where the archive ends, and cut off what a crash left half written. Raises OSError.

        `kept` is the retention in days of the sources that have one of their own; it may be changed at any time.
        """
        self.directory = directory
        self.topic = topic
        self.partition = partition
        self.segment_bytes = segment_bytes
        self.kept = kept or {}
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self.pending = Pending(directory, topic, partition)
        self.writers: dict[int | None, Writer] = {}
        self.lines: list[bytes] = []
        """Not yet compressed; behind all that is."""
        self.positions: list[int] = []
        """For each of them, the position of its record."""
        self.packed: list[Packed] = []
        self.buffered = self.loose = 0
        """Bytes in memory, with those that labels will take, and those of lines that are not yet compressed."""
        self.since = 0.0
        self.first = self.next = -1
        self._recover()

    def _recover(self) -> None:
        self.pending.settle()
        found = newest(self.directory, self.topic, self.partition)
        ends = {days: last_block(path) for days, path in found.items()}
        self.first = self.next = max((block.offset + block.covered for block in ends.values()), default=-1)
        for days, path in found.items():
            self._writer(days).go_on(path, self.next)

    def expect(self, offset: int) -> int:
        """Go on at an offset that does not follow, in new segments; returns how many events are skipped."""
        self.flush()
        skipped = offset - self.next if self.next >= 0 else 0
        for writer in self.writers.values():
            writer.close()
        self.first = self.next = offset
        return skipped

    def skip(self, offset: int) -> None:
        """Go on at an offset that does not follow, in the same segments: what is between is in quarantine.

        Nothing may be in memory that is not written.
        """
        self.first = self.next = offset

    @property
    def waiting(self) -> int:
        """Records in memory."""
        return self.next - self.first

    def add(self, values: list[bytes | None], now: float) -> None:
        """Take events that follow the last, one a record; they are on disk after the next flush."""
        self._add_lines([one_line(value) for value in values], range(self.waiting, self.waiting + len(values)), now)
        self.next += len(values)

    def add_block(self, block: Opened, now: float) -> None:
        """Take a block of lines that follows the last record.

        One of one retention is written as it came; the lines of a small one, or of several, are sorted anew.
        """
        kept = {self.kept.get(row[0].encode()) for row in block.said["sources"]}
        if len(kept) > 1 or len(block.text) < SMALL_BYTES:
            lines = block.text.splitlines()
            self._add_lines(lines, [self.waiting] * len(lines), now)
        else:
            self.since = self.since if self.waiting else now
            self._pack()
            self.packed.append(Packed(kept.pop(), [self.waiting], block.said["lines"], block.data))
            self.buffered += len(block.data) + self.waiting // 8
        self.next += 1

    def _add_lines(self, lines: list[bytes], positions: Iterable[int], now: float) -> None:
        self.since = self.since if self.waiting else now
        self.lines += lines
        self.positions += positions
        size = sum(map(len, lines)) + len(lines)
        self.buffered += size
        self.loose += size
        if self.loose >= LOOSE_BYTES:
            self._pack()

    def _pack(self) -> None:
        """Compress the lines in memory: one block for each retention they have."""
        for days, places in grouped(self.lines, self.kept).items() if self.lines else ():
            data = self.compressor.compress(b"\n".join([self.lines[place] for place in places]) + b"\n")
            positions = list(dict.fromkeys(self.positions[place] for place in places))
            # Copied, as the library's result keeps as much memory as there was to compress.
            self.packed.append(Packed(days, positions, len(places), bytes(memoryview(data))))
        self.lines, self.positions, self.loose = [], [], 0

    def flush(self) -> int:
        """Write what is in memory, on disk when this returns its size.

        Raises DiskFullError, OSError.
        """
        if not self.waiting:
            return 0
        self._pack()
        now = time.time()
        texts: dict[int | None, list[bytes]] = {}
        for packed in self.packed:
            texts.setdefault(packed.days, []).append(self._label(packed, now) + packed.data)
        parts = [(self._writer(days), b"".join(blocks)) for days, blocks in texts.items()]
        try:
            for writer, _ in parts:
                writer.open(self.first, now)
            self._write(parts, together=len(self.packed) > 1)
        except OSError as error:
            if error.errno not in FULL:
                raise
            for writer, _ in parts:
                writer.undo()
            self.pending.clear()
            raise DiskFullError(f"{self.topic}: {error.strerror}") from error
        for writer, text in parts:
            writer.keep(text)
        self.packed = []
        self.buffered = 0
        self.first = self.next
        return sum(len(text) for _, text in parts)

    def _write(self, parts: list[tuple[Writer, bytes]], *, together: bool) -> None:
        if together:
            self.pending.announce(parts)
        for writer, text in parts:
            writer.write(text)
        if together:
            self.pending.clear()

    def _label(self, packed: Packed, now: float) -> bytes:
        if packed.lines == len(packed.positions) == self.waiting:
            return label(self.first, packed.lines, now)
        return label(self.first, packed.lines, now, self.waiting, packed.positions)

    def _writer(self, days: int | None) -> Writer:
        if days not in self.writers:
            segment = Segment(self.topic, self.partition, 0, days)
            self.writers[days] = Writer(self.directory, segment, self.segment_bytes)
        return self.writers[days]

    def close(self) -> None:
        """Write what is left and close the files."""
        self.flush()
        for writer in self.writers.values():
            writer.close()


def grouped(lines: list[bytes], kept: Mapping[bytes, int]) -> dict[int | None, list[int]]:
    """Positions of the lines of each retention, by the source that each line names."""
    if not kept:
        return {None: list(range(len(lines)))}
    groups: dict[int | None, list[int]] = {}
    for position, line in enumerate(lines):
        source = SOURCE.search(line)
        groups.setdefault(kept.get(source[1]) if source else None, []).append(position)
    return groups
