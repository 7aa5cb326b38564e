"""Writes files as Event Hubs' capture does (Microsoft, "Exploring captured Avro files"): the writer of the tests.

Of Azure's own files none was to be had; the schema is the documented one, the container format Avro's specification.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from typing import Any

VALUES = ["long", "double", "string", "bytes"]
SCHEMA = {
    "type": "record",
    "name": "EventData",
    "namespace": "Microsoft.ServiceBus.Messaging",
    "fields": [
        {"name": "SequenceNumber", "type": "long"},
        {"name": "Offset", "type": "string"},
        {"name": "EnqueuedTimeUtc", "type": "string"},
        {"name": "SystemProperties", "type": {"type": "map", "values": VALUES}},
        {"name": "Properties", "type": {"type": "map", "values": VALUES}},
        {"name": "Body", "type": ["null", "bytes"]},
    ],
}
SYNC = bytes(range(16))


def number(value: int) -> bytes:
    """A zigzag number of variable length."""
    left, made = (value << 1) ^ (value >> 63), bytearray()
    while left > 0x7F:
        made.append(left & 0x7F | 0x80)
        left >>= 7
    made.append(left)
    return bytes(made)


def text(value: bytes) -> bytes:
    """Bytes with their length before them."""
    return number(len(value)) + value


def record(sequence: int, body: bytes | None, key: str = "firewall1") -> bytes:
    """One event as capture keeps it."""
    system = number(1) + text(b"x-opt-partition-key") + number(2) + text(key.encode()) + number(0)
    kept = number(0) if body is None else number(1) + text(body)
    stamp = b"11/26/2026 9:04:05 PM"
    return number(sequence) + text(str(sequence * 100).encode()) + text(stamp) + system + number(0) + kept


def header(codec: str = "null") -> bytes:
    """What every file begins with; an empty one is only that."""
    named = {"avro.codec": codec.encode(), "avro.schema": json.dumps(SCHEMA).encode()}
    entries = b"".join(text(name.encode()) + text(value) for name, value in named.items())
    return b"Obj\x01" + number(len(named)) + entries + number(0) + SYNC


def block(bodies: Sequence[bytes | None], first: int = 0, codec: str = "null") -> bytes:
    """Some events together."""
    held = b"".join(record(sequence, body) for sequence, body in enumerate(bodies, start=first))
    if codec == "deflate":
        packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
        held = packer.compress(held) + packer.flush()
    return number(len(bodies)) + number(len(held)) + held + SYNC


def captured(*blocks: Sequence[bytes | None], codec: str = "null") -> bytes:
    """A whole file."""
    return header(codec) + b"".join(block(bodies, 10 * at, codec) for at, bodies in enumerate(blocks))


def event(source: str, received: str, **other: Any) -> bytes:
    """What a relay sends, as far as a proof reads it."""
    usual = {"municipality": "0710", "relay": "favrskov-gw1", "boot": "b1", "sequence": 7}
    return json.dumps({**usual, "source": source, "received": received, "message": "a login", **other}).encode()
