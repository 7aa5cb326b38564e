"""Writes one partition of the archive: recovery after a crash, blocks, retention, and a full disk."""

from __future__ import annotations

import errno
import re
import time
from collections.abc import Mapping
from pathlib import Path

import zstandard

from vaern_programs.collector.archive.pending import Pending
from vaern_programs.collector.archive.segments import Segment, label, newest, one_line
from vaern_programs.collector.archive.writer import Writer, last_block

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LEVEL = 3
SOURCE = re.compile(rb'"source"\s*:\s*"([a-z][a-z0-9-]*)"')
"""A quotation mark in a value is escaped, so nothing a device sends reads as this."""


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
        self.buffered = 0
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

    def add(self, values: list[bytes | None], now: float) -> None:
        """Take events that follow the last; they are on disk after the next flush."""
        if not self.lines:
            self.since = now
        lines = [one_line(value) for value in values]
        self.lines += lines
        self.buffered += sum(map(len, lines)) + len(lines)
        self.next += len(lines)

    def flush(self) -> int:
        """Write what is in memory, on disk when this returns its size: one block for each retention it has.

        Raises DiskFullError, OSError.
        """
        if not self.lines:
            return 0
        now = time.time()
        parts = [(self._writer(days), block) for days, block in self._blocks(now)]
        try:
            for writer, _ in parts:
                writer.open(self.first, now)
            self._write(parts)
        except OSError as error:
            if error.errno not in FULL:
                raise
            for writer, _ in parts:
                writer.undo()
            self.pending.clear()
            raise DiskFullError(f"{self.topic}: {error.strerror}") from error
        for writer, block in parts:
            writer.keep(block)
        self.lines.clear()
        self.buffered = 0
        self.first = self.next
        return sum(len(block) for _, block in parts)

    def _write(self, parts: list[tuple[Writer, bytes]]) -> None:
        if len(parts) > 1:
            self.pending.announce(parts)
        for writer, block in parts:
            writer.write(block)
        if len(parts) > 1:
            self.pending.clear()

    def _blocks(self, now: float) -> list[tuple[int | None, bytes]]:
        """Retention and block of the lines in memory."""
        result = []
        for days, positions in grouped(self.lines, self.kept).items():
            lines = [self.lines[position] for position in positions]
            shared = (len(self.lines), positions) if len(lines) < len(self.lines) else ()
            head = label(self.first, len(lines), now, *shared)
            result.append((days, head + self.compressor.compress(b"\n".join(lines) + b"\n")))
        return result

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
