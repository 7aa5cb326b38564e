"""Blocks: many lines of one relay as one Kafka record, compressed once where they are sent and never again.

The value of the record is two zstd frames. The first is a skippable one, the header: JSON that says what is in the
block, so that who counts sources need not open it. The second has a checksum and its size; what it unpacks to is lines,
each ending in a line break. No event begins as a block does.

    {"version":"1","municipality":"0710","relay":"favrskov-gw1","lines":812,"bytes":421336,
     "sources":[["firewall1","0123456789abcdef0123456789abcdef",70001,70812,812]]}

Each row is source, start of the relay, first and last number, lines. A relay can write anything there: nothing of a
block is used before `opened` has compared what it says with what it is. A block that is none raises UnfitError.

The header is not one of Kafka's own: the client library of Debian 13 (confluent-kafka 1.7) ends the process over a
header whose name is no UTF-8.

zstandard is imported where it is used: after an upgrade that ended early, a relay may have these programs without it.
"""

from __future__ import annotations

import json
import re
import struct
from typing import Annotated, Literal, NamedTuple, TypedDict

from vaern_programs.shared.identity import BEGINNING, TIME
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Between, Matching, Most
from vaern_programs.shared.reports import BOOT_NAME, RELAY_NAME, SOURCE_NAME, Boot, Relay, Source
from vaern_programs.shared.schema import Schema
from vaern_programs.shared.zstd_frames import frame_end

HEADER = struct.Struct("<II")
"""Magic number of the skippable frame, and how many bytes of JSON it has."""
MAGIC = 0x184D2A57
"""Of the sixteen that zstd skips; the archive's labels have the one before it."""
BEGINS = struct.pack("<I", MAGIC)
VERSION: Literal["1"] = "1"
MOST_BYTES = 2**20
"""Of a block that has been unpacked."""
MOST_LINES = 10_000
"""Of a block. An event takes 150 bytes at least, and a relay makes blocks of half of MOST_BYTES."""
MOST_SERIES = 500
"""Sources and starts in one block."""
MOST_RATIO = 256
"""How many times its own size a block may have unpacked, or it would cost who reads it far more than who sends it.
Lines of real sources become 10 to 100 times smaller."""
MOST_PARTS = 1100
"""Parts of a zstd frame, which each cost a step of every reader: a compressor makes one of 1 KiB at the least."""
HEADER_BYTES = 64 * 1024
LEVEL = 3
LINE = re.compile(
    rf'\{{"time":"[^"\n]*","received":"{TIME}","municipality":"([0-9]{{4}}","relay":"{RELAY_NAME}","boot":"{BOOT_NAME})",'
    rf'"sequence":([0-9]{{1,18}}),"site":"[^"\n]*","source":"({SOURCE_NAME})".*\n'.encode()
)
"""A line as the relay's template writes it: municipality, relay and start of the relay, its number, its source."""
BETWEEN = re.compile('","(?:relay|boot)":"')

Number = Annotated[int, Between(0, 10**18)]
Row = tuple[Source, Boot, Number, Number, Annotated[int, Between(1, MOST_LINES)]]


class Said(TypedDict):
    """What the header of a block says."""

    version: Literal["1"]
    municipality: Annotated[str, Matching("[0-9]{4}")]
    relay: Relay
    lines: Annotated[int, Between(1, MOST_LINES)]
    bytes: Annotated[int, Between(2, MOST_BYTES)]
    sources: Annotated[list[Row], Most(MOST_SERIES)]


SAID = Schema(Said, HEADER_BYTES)


class Opened(NamedTuple):
    """A block that is what it says it is."""

    said: Said
    text: bytes
    """Its lines."""
    data: bytes
    """The same as one frame of zstd."""


class Found(NamedTuple):
    """Whose lines a text is made of."""

    municipality: str
    relay: str
    sources: list[tuple[str, str, int, int, int]]
    """As the header says them, sorted."""


def found_in(text: bytes) -> Found | None:
    """Whose lines those are; None when one of them is not as a relay writes it, or they are not of one relay."""
    # In a text that does not end with its line the pattern would look for the end from every beginning.
    if not text.endswith(b"\n") or b"\r" in text:
        return None
    between, starts, counted, sources = (parts := LINE.split(text))[::4], parts[1::4], parts[2::4], parts[3::4]
    # Where a disk was full, an event that was cut off is in the line of the next one.
    if any(between) or text.count(BEGINNING) != len(sources):
        return None
    numbers: dict[tuple[bytes, bytes], list[bytes]] = {}
    for start, number, source in zip(starts, counted, sources, strict=True):
        try:
            numbers[source, start].append(number)
        except KeyError:
            numbers[source, start] = [number]
    rows, relays = [], set()
    for (source, start), those in numbers.items():
        municipality, relay, boot = BETWEEN.split(start.decode())
        relays.add((municipality, relay))
        values = list(map(int, those))
        rows.append((source.decode(), boot, min(values), max(values), len(values)))
    return Found(*relays.pop(), sorted(rows)) if len(relays) == 1 else None


def pack(text: bytes, found: Found) -> bytes:
    """The block of a text, of which `found_in` has told whose lines they are. It must be within the limits."""
    lines = sum(row[4] for row in found.sources)
    said = {
        "version": VERSION, "municipality": found.municipality, "relay": found.relay, "lines": lines,
        "bytes": len(text), "sources": found.sources,
    }  # fmt: skip
    import zstandard

    header = json.dumps(said, separators=(",", ":")).encode()
    data = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True, write_content_size=True).compress(text)
    return HEADER.pack(MAGIC, len(header)) + header + data


def is_dense(text_bytes: int, block_bytes: int) -> bool:
    """Whether a block of so many bytes would unpack to more than one may; its lines are sent as single events."""
    return text_bytes > MOST_RATIO * block_bytes


def is_block(value: bytes | None) -> bool:
    """Whether a record is a block, or says so; else it is one event."""
    return value is not None and value.startswith(BEGINS)


def divided(value: bytes) -> tuple[bytes, bytes]:
    """The JSON of the header, and the frame behind it. Raises UnfitError."""
    if len(value) < HEADER.size:
        raise UnfitError("cut off in its header")
    size = HEADER.unpack_from(value)[1]
    if size > HEADER_BYTES:
        raise UnfitError(f"a header of more than {HEADER_BYTES} bytes")
    return value[HEADER.size : HEADER.size + size], value[HEADER.size + size :]


def unpack(said: Said, data: bytes) -> bytes:
    """The lines of a block, which are as many bytes as it says. Raises UnfitError."""
    import zstandard

    try:
        frame = zstandard.get_frame_parameters(data)
    except zstandard.ZstdError as error:
        raise UnfitError(f"not a frame of zstd: {error}") from None
    # The library takes as much memory as a frame says of itself: that is compared first.
    if frame.content_size != said["bytes"] or frame.window_size > 2 * MOST_BYTES:
        raise UnfitError(f"a frame of {frame.content_size} bytes, where the header says {said['bytes']}")
    if frame.dict_id or not frame.has_checksum or frame_end(memoryview(data), 0, MOST_PARTS) != len(data):
        raise UnfitError("not one frame of zstd with a checksum, as a relay makes it")
    try:
        text = zstandard.ZstdDecompressor().decompress(data)
    except zstandard.ZstdError as error:
        raise UnfitError(f"damaged: {error}") from None
    return text


def check(said: Said, text: bytes, code: str) -> None:
    """Compare the lines of a block with what it says of them, and with whose topic it was in. Raises UnfitError."""
    found = found_in(text)
    if found is None:
        raise UnfitError("a line that no relay writes, or lines of several relays")
    if found.municipality != code or said["municipality"] != code:
        raise UnfitError(f"lines of {found.municipality} in the topic of {code}")
    lines = sum(row[4] for row in found.sources)
    if (found.relay, found.sources, lines) != (said["relay"], sorted(said["sources"]), said["lines"]):
        raise UnfitError("other relays, sources or numbers than its header says")


def opened(value: bytes, code: str) -> Opened:
    """A block of the topic of a municipality, which is what it says. Raises UnfitError."""
    header, data = divided(value)
    said = SAID.parse(header)
    if is_dense(said["bytes"], len(value)):
        raise UnfitError(f"{said['bytes']} bytes in {len(value)}: unpacks to more than {MOST_RATIO} times its size")
    text = unpack(said, data)
    check(said, text, code)
    return Opened(said, text, data)
