"""Reads Avro object container files, as far as Event Hubs' capture writes them (Apache Avro 1.11, "Specification").

A file is read as it comes, block by block: a captured one may be 300 MB, and only what is looked for is kept.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from io import BytesIO
from struct import unpack
from typing import Any, Protocol

MAGIC = b"Obj\x01"
SYNC_BYTES = 16
LONGEST_NUMBER = 10
"""Bytes of a 64-bit number in Avro's variable-length form."""
READ_BYTES = 2**20
"""At a time: a damaged file may claim any length."""
HEADER = {"type": "map", "values": "bytes"}


class AvroError(ValueError):
    """Not such a file, or a damaged one."""


class Source(Protocol):
    """Anything bytes are read from, such as a file or an answer over HTTP."""

    def read(self, size: int, /) -> bytes:
        """At most so many bytes; none at the end."""


def records(source: Source) -> Iterator[dict[str, Any]]:
    """Every record of the file, in order. Raises AvroError, after the last sound block, when there is a damaged one."""
    if _exactly(source, len(MAGIC)) != MAGIC:
        raise AvroError("it does not begin as an Avro file")
    header = _value(HEADER, source)
    sync = _exactly(source, SYNC_BYTES)
    try:
        schema = json.loads(header["avro.schema"])
    except (KeyError, ValueError, RecursionError) as error:
        raise AvroError("it has no schema") from error
    codec = header.get("avro.codec", b"null").decode("ascii", "replace")
    while first := source.read(1):
        count, size = _number(source, first), _number(source)
        block = _unpacked(_exactly(source, size), codec)
        if _exactly(source, SYNC_BYTES) != sync:
            raise AvroError("a block does not end where it should")
        yield from _records(schema, count, block)


def _records(schema: Any, count: int, block: bytes) -> list[dict[str, Any]]:
    if not 0 <= count <= len(block):  # an event takes a byte at least
        raise AvroError("a block does not hold as much as it says")
    data = BytesIO(block)
    try:
        return [_value(schema, data) for _ in range(count)]
    except (KeyError, TypeError, AttributeError, RecursionError) as error:
        raise AvroError("its schema is none") from error


def _unpacked(block: bytes, codec: str) -> bytes:
    if codec == "null":
        return block
    if codec == "deflate":
        try:
            return zlib.decompress(block, wbits=-zlib.MAX_WBITS)
        except zlib.error as error:
            raise AvroError("a block cannot be unpacked") from error
    raise AvroError(f"its blocks are packed by {codec!r}, which capture is not known to use")


def _value(schema: Any, source: Source) -> Any:
    """One value of a schema: primitive types, records, maps and unions of them."""
    if isinstance(schema, list):
        return _value(_chosen(schema, _number(source)), source)
    kind = schema["type"] if isinstance(schema, dict) else schema
    match kind:
        case "null":
            return None
        case "boolean":
            return _exactly(source, 1) == b"\x01"
        case "int" | "long":
            return _number(source)
        case "float" | "double":
            form, size = ("<f", 4) if kind == "float" else ("<d", 8)
            return unpack(form, _exactly(source, size))[0]
        case "bytes":
            return _exactly(source, _number(source))
        case "string":
            return _exactly(source, _number(source)).decode("utf-8", "replace")
        case "record":
            return {field["name"]: _value(field["type"], source) for field in schema["fields"]}
        case "map":
            return dict(_pairs(schema["values"], source))
        case list() | dict():
            return _value(kind, source)
    raise AvroError(f"it has a value of the type {kind!r}, which capture is not known to write")


def _pairs(values: Any, source: Source) -> Iterator[tuple[str, Any]]:
    """The pairs of a map: counted blocks until an empty one; a negative count has the block's size after it."""
    while count := _number(source):
        if count < 0:
            _number(source)
        for _ in range(abs(count)):
            yield _value("string", source), _value(values, source)


def _chosen(union: list[Any], branch: int) -> Any:
    if not 0 <= branch < len(union):
        raise AvroError("a value is of no type of its union")
    return union[branch]


def _number(source: Source, first: bytes = b"") -> int:
    """A zigzag number of variable length."""
    found = 0
    for place in range(LONGEST_NUMBER):
        byte = (first if place == 0 and first else _exactly(source, 1))[0]
        found |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return (found >> 1) ^ -(found & 1)
    raise AvroError("a number is longer than numbers are")


def _exactly(source: Source, size: int) -> bytes:
    if size < 0:
        raise AvroError("a length is negative")
    parts = []
    while size > 0:
        part = source.read(min(size, READ_BYTES))
        if not part:
            raise AvroError("it ends in the middle")
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
