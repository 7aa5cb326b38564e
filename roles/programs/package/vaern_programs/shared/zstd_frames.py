"""Frames of zstd, as far as one must know where they end and what they say of themselves (RFC 8878, section 3.1.1)."""

from __future__ import annotations

import math
import struct

DATA = 0xFD2FB528
MAGIC = struct.pack("<I", DATA)


def frame_end(content: memoryview, start: int, most_parts: float = math.inf) -> int | None:
    """Where the data frame at `start` ends; None when it is cut off, is no such frame, or is of more parts than that.

    The parts are what the format calls blocks. Each costs a step here, whether it holds something or not.
    """
    if start + 6 > len(content) or struct.unpack_from("<I", content, start)[0] != DATA:
        return None
    descriptor = content[start + 4]
    single = descriptor >> 5 & 1
    size_bytes = (single, 2, 4, 8)[descriptor >> 6]
    position = start + 5 + (1 - single) + (0, 1, 2, 4)[descriptor & 3] + size_bytes
    last, parts = False, 0
    while not last:
        parts += 1
        if position + 3 > len(content) or parts > most_parts:
            return None
        header = int.from_bytes(content[position : position + 3], "little")
        last, kind, size = bool(header & 1), header >> 1 & 3, header >> 3
        if kind == 3:
            return None
        position += 3 + (1 if kind == 1 else size)
    position += 4 if descriptor & 4 else 0
    return position if position <= len(content) else None
