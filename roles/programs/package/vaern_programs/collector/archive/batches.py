"""Batches of records as the broker keeps them, read and unpacked within bounds. Pure functions over bytes.

A batch of the format 2 is a header of 61 bytes, then its records, together compressed or not. The client libraries
unpack a batch whole, whatever size that is: kafka-python and librdkafka (gzip, snappy) know no bound. Here the bound
comes first. Format: https://kafka.apache.org/documentation/#recordbatch
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

HEADER = struct.Struct(">qiibIhiqqqhii")
"""First offset, length of what follows, epoch, format, CRC, attributes, last offset, two times, producer, count."""
LENGTH_FROM = 12
"""The length in the header counts from its byte 12."""
FORMAT = 2
CODECS = ("none", "gzip", "snappy", "lz4", "zstd")
CODEC_MASK = 0x07
SNAPPY_JAVA = b"\x82SNAPPY\x00"
SNAPPY_HEADER = 16
MOST_BYTES = 16 * 2**20
"""Of a batch that has been unpacked. A relay sends batches of 1 MB, unpacked."""
MOST_RECORDS = 50_000
"""Of a batch. A relay sends 10,000 at most."""


class UnreadableError(Exception):
    """A batch that is not read; the text says why."""


@dataclass(frozen=True, slots=True)
class Batch:
    """One batch, not unpacked."""

    first: int
    """First offset."""
    last: int
    """Last offset."""
    format: int
    codec: int
    """Index in CODECS."""
    count: int
    """Number of records, as the header says."""
    time: int
    """When the broker took it, Unix milliseconds."""
    data: bytes
    """Records, compressed as `codec` says."""


class Record(NamedTuple):
    """One record of a batch."""

    offset: int
    key: bytes | None
    value: bytes | None


def split(message_set: bytes) -> Iterator[Batch]:
    """The complete batches in what the broker gave; the last may be cut off, and is left out then."""
    position = 0
    while position + HEADER.size <= len(message_set):
        first, length, _, version, _, attributes, delta, _, time, _, _, _, count = HEADER.unpack_from(
            message_set, position
        )
        end = position + LENGTH_FROM + length
        if length < HEADER.size - LENGTH_FROM or end > len(message_set):
            return
        data = message_set[position + HEADER.size : end]
        yield Batch(first, first + max(delta, 0), version, attributes & CODEC_MASK, count, time, data)
        position = end


def records(batch: Batch, most_bytes: int = MOST_BYTES, most_records: int = MOST_RECORDS) -> list[Record]:
    """The records of a batch. Raises UnreadableError for one that is too big, or damaged."""
    if batch.format != FORMAT:
        raise UnreadableError(f"format {batch.format} of a batch is not known")
    if not 0 <= batch.count <= most_records:
        raise UnreadableError(f"{batch.count} records in one batch, {most_records} at most are read")
    try:
        return list(_records(batch, unpack(batch, most_bytes)))
    except UnreadableError:
        raise
    # What the codecs raise has no common class; all of it says that the content is damaged.
    except Exception as error:
        raise UnreadableError(f"damaged: {type(error).__name__}: {error}"[:200]) from error


def unpack(batch: Batch, most: int) -> bytes:
    """The records as bytes, at most `most` of them. Raises UnreadableError, or what a codec raises."""
    codec = CODECS[batch.codec] if batch.codec < len(CODECS) else str(batch.codec)
    if codec == "none":
        content = batch.data
    elif codec == "gzip":
        content = zlib.decompressobj(wbits=31).decompress(batch.data, most + 1)
    elif codec == "snappy":
        content = _unsnap(batch.data, most)
    elif codec == "lz4":
        import lz4.frame

        content = lz4.frame.LZ4FrameDecompressor().decompress(batch.data, max_length=most + 1)
    elif codec == "zstd":
        import zstandard

        content = zstandard.ZstdDecompressor(max_window_size=most).stream_reader(batch.data).read(most + 1)
    else:
        raise UnreadableError(f"codec {codec} is not known")
    if len(content) > most:
        raise UnreadableError(f"{codec}, unpacks to more than {most // 2**20} MiB")
    return content


def _unsnap(data: bytes, most: int) -> bytes:
    """Unpack snappy, plain or in the chunks of its Java library; each says how big it will be."""
    chunks, position = [data], SNAPPY_HEADER
    if data.startswith(SNAPPY_JAVA):
        chunks = []
        while position < len(data):
            (size,) = struct.unpack_from(">I", data, position)
            chunks.append(data[position + 4 : position + 4 + size])
            position += 4 + size
    if sum(_unsigned(chunk, 0)[0] for chunk in chunks) > most:
        raise UnreadableError(f"snappy, unpacks to more than {most // 2**20} MiB")
    import snappy

    return b"".join(map(snappy.uncompress, chunks))


def _records(batch: Batch, content: bytes) -> Iterator[Record]:
    position = 0
    for _ in range(batch.count):
        length, start = _signed(content, position)
        position = start + length
        if length < 1 or position > len(content):
            raise UnreadableError("damaged: a record ends behind its batch")
        _, at = _signed(content, start + 1)
        delta, at = _signed(content, at)
        key, at = _bytes(content, at)
        value, at = _bytes(content, at)
        if not 0 <= delta <= batch.last - batch.first or at > position:
            raise UnreadableError("damaged: a record is outside of its batch")
        yield Record(batch.first + delta, key, value)


def _bytes(content: bytes, position: int) -> tuple[bytes | None, int]:
    length, start = _signed(content, position)
    return (None, start) if length < 0 else (content[start : start + length], start + length)


def _signed(content: bytes, position: int) -> tuple[int, int]:
    """A number of variable length, zigzag encoded, and where it ends. Raises IndexError behind the end."""
    number, position = _unsigned(content, position)
    return (number >> 1) ^ -(number & 1), position


def _unsigned(content: bytes, position: int) -> tuple[int, int]:
    number = shift = 0
    while True:
        byte = content[position]
        position += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, position
        shift += 7
        if shift > 63:
            raise UnreadableError("damaged: a number of more than 64 bits")
