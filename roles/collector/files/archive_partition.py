"""One partition of the archive being written: recovery, blocks, rotation and what happens on a full disk."""

from __future__ import annotations

import errno
import os
import time
from pathlib import Path

import zstandard
from archive_segments import Segment, blocks, label, newest, one_line, utc

FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
LEVEL = 3


class DiskFullError(Exception):
    """There is no room; what was to be written is still in memory."""


class Partition:
    """Writes one partition of one topic. Not to be used after an error other than DiskFullError."""

    def __init__(self, directory: Path, topic: str, partition: int, segment_bytes: int) -> None:
        """Find where the archive ends, and cut off what a crash left half written. Raises OSError."""
        self.directory = directory
        self.topic = topic
        self.partition = partition
        self.segment_bytes = segment_bytes
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self.lines: list[bytes] = []
        self.buffered = 0
        self.since = 0.0
        self.first = self.next = -1
        self.file = -1
        self.size = 0
        self.hour = ""
        self._recover()

    def _recover(self) -> None:
        path = newest(self.directory, self.topic, self.partition)
        if path is None:
            return
        content = memoryview(path.read_bytes())
        complete = list(blocks(content))
        while complete and not _intact(content, complete[-1].data, complete[-1].end):
            complete.pop()
        end = complete[-1].end if complete else 0
        if end < len(content):
            os.truncate(path, end)
        if complete:
            self.first = self.next = complete[-1].offset + complete[-1].lines
        else:
            self.first = self.next = int(path.name.rsplit("-", 1)[1].split(".")[0])
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND)
        self.size = end
        self.hour = _hour(path.stat().st_mtime)

    def expect(self, offset: int) -> int:
        """Go on at an offset that does not follow, in a new segment; returns how many events are skipped."""
        self.flush()
        skipped = offset - self.next if self.next >= 0 else 0
        self._close()
        self.first = self.next = offset
        return skipped

    def add(self, values: list[bytes | None], now: float) -> None:
        """Take events that follow the last; they are on disk after the next flush."""
        if not self.lines:
            self.since = now
        lines = [one_line(value) for value in values]
        self.lines += lines
        self.buffered += sum(map(len, lines)) + len(lines)
        self.next += len(lines)

    def flush(self) -> int:
        """Write what is in memory as one block, on disk when this returns its size. Raises DiskFullError, OSError."""
        if not self.lines:
            return 0
        now = time.time()
        if self.file >= 0 and (self.size >= self.segment_bytes or self.hour != _hour(now)):
            self._close()
        data = self.compressor.compress(b"\n".join(self.lines) + b"\n")
        block = label(self.first, len(self.lines), now) + data
        try:
            self._open(now)
            self._write(block)
        except OSError as error:
            if error.errno not in FULL:
                raise
            if self.file >= 0:
                os.ftruncate(self.file, self.size)
            raise DiskFullError(f"{self.topic}: {error.strerror}") from error
        self.size += len(block)
        self.lines.clear()
        self.buffered = 0
        self.first = self.next
        return len(block)

    def close(self) -> None:
        """Write what is left and close the file."""
        self.flush()
        self._close()

    def _open(self, now: float) -> None:
        if self.file >= 0:
            return
        day = self.directory / utc(now).strftime("%Y-%m-%d")
        day.mkdir(mode=0o750, exist_ok=True)
        path = day / Segment(self.topic, self.partition, self.first).name
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        self.size = os.fstat(self.file).st_size
        self.hour = _hour(now)
        for directory in (day, self.directory):
            _sync(directory)

    def _write(self, block: bytes) -> None:
        view = memoryview(block)
        while view:
            view = view[os.write(self.file, view) :]
        os.fdatasync(self.file)

    def _close(self) -> None:
        if self.file >= 0:
            os.close(self.file)
            self.file = -1
            self.size = 0


def _hour(seconds: float) -> str:
    return utc(seconds).strftime("%Y-%m-%dT%H")


def _intact(content: memoryview, start: int, end: int) -> bool:
    try:
        zstandard.ZstdDecompressor().decompress(content[start:end])
    except zstandard.ZstdError:
        return False
    return True


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
