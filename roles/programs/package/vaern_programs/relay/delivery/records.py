"""What is read from the spool as records of Kafka: blocks of lines, or one event each.

A block holds lines of one retention, so that the archive takes it as it is. What hosts and relay say of themselves
(sources `vaern-...`) stays one event a record: alarms are raised from it without a block being opened. So does what a
SOC reads by Kafka, and what is no line as the relay's template writes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from vaern_programs.relay.broker import topic_of
from vaern_programs.shared.blocks import MOST_BYTES, MOST_SERIES, Found, divided, found_in, is_dense, pack
from vaern_programs.shared.identity import IDENTITY, identity_of, last_event

OWN = ("vaern-", "vaern.")
"""How the names of sources begin that hosts of ours have themselves."""
BLOCK_BYTES = MOST_BYTES // 2
"""Of a block, before it is packed: also what zstd cannot make smaller fits into a message of the broker."""


class Record(NamedTuple):
    """One record: an event, or a block of so many lines."""

    topic: str
    key: bytes
    value: bytes
    lines: int = 1


def singles(settings: dict[str, Any], text: bytes) -> list[Record]:
    """Each event of a text as a record, with its source as key."""
    return [Record(topic_of(settings, source.decode(), line), source, line) for source, line in events_of(text)]


def records_of(settings: dict[str, Any], text: bytes) -> list[Record]:
    """The events of a text, as few records as can be.

    Args:
        settings: of the spool; `retention` has the days of the sources that have a number of their own.
        text: complete lines of the spool.
    """
    found = found_in(text)
    if found is not None and not settings["topics"] and len(text) <= BLOCK_BYTES:
        classes = {_class(settings, row[0]) for row in found.sources}
        if len(classes) == 1 and None not in classes:
            return list(_blocks(settings, text, found))
    return list(_sorted_out(settings, text))


def _class(settings: dict[str, Any], source: str) -> int | None:
    """Days of a source, 0 where it has none of its own; None for what is in no block."""
    return None if source.startswith(OWN) else int(settings.get("retention", {}).get(source, 0))


def _sorted_out(settings: dict[str, Any], text: bytes) -> Iterator[Record]:
    """Single events, and behind them the blocks of each retention."""
    groups: dict[int, list[bytes]] = {}
    for source, line in events_of(text):
        topic, days = topic_of(settings, source.decode(), line), _class(settings, source.decode())
        if days is None or topic != settings["topic"] or len(line) >= BLOCK_BYTES:
            yield Record(topic, source, line)
        else:
            groups.setdefault(days, []).append(line + b"\n")
    for lines in groups.values():
        for part in _parts(lines):
            yield from _together(settings, part)


def _parts(lines: list[bytes]) -> Iterator[list[bytes]]:
    """Lines for blocks, of at most so many bytes."""
    part: list[bytes] = []
    size = 0
    for line in lines:
        if size + len(line) > BLOCK_BYTES:
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    yield part


def _together(settings: dict[str, Any], lines: list[bytes]) -> Iterator[Record]:
    """Lines of one retention as a block, but for those that a block cannot hold."""
    found = found_in(text := b"".join(lines))
    if found is not None:
        yield from _blocks(settings, text, found)
    elif len(lines) == 1:
        yield from singles(settings, text)
    else:
        middle = len(lines) // 2
        yield from _together(settings, lines[:middle])
        yield from _together(settings, lines[middle:])


def _blocks(settings: dict[str, Any], text: bytes, found: Found) -> Iterator[Record]:
    """The block of a text, or blocks of its halves; a line by itself is an event like any other."""
    lines = sum(row[4] for row in found.sources)
    if lines == 1:
        yield Record(settings["topic"], found.sources[0][0].encode(), text[:-1])
    elif len(found.sources) > MOST_SERIES:
        whole = text.splitlines(keepends=True)
        yield from _together(settings, whole[: lines // 2])
        yield from _together(settings, whole[lines // 2 :])
    else:
        block = pack(text, found)
        if is_dense(len(text), len(block)):
            yield from singles(settings, text)
        else:
            yield Record(settings["topic"], found.relay.encode(), block, lines)


def lines_of(record: Record) -> list[Record]:
    """The events of a block, each as a record."""
    import zstandard

    events = events_of(zstandard.ZstdDecompressor().decompress(divided(record.value)[1]))
    return [Record(record.topic, source, line) for source, line in events]


def events_of(text: bytes) -> list[tuple[bytes, bytes]]:
    """Source and line of each event in a text of lines. What is no event, after a power cut, is left out."""
    found = []
    for line in map(last_event, text.splitlines()):
        match = IDENTITY.match(line)
        if match:
            found.append((match[5], line))
        elif identity := identity_of(line):
            found.append((identity[4], line))
    return found
