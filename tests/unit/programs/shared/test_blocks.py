"""Blocks: what is packed comes out again, and whatever a record holds, it is read within bounds or refused."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st
from support.doubles.spool_writer import BOOT, line

from vaern_programs.shared import blocks
from vaern_programs.shared.identity import identity_of
from vaern_programs.shared.json_text import UnfitError

SOURCES = st.sampled_from(["firewall1", "dhcp1", "tap-core"])
NUMBERS = st.integers(0, 10**18 - 1)
MESSAGES = st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=("Cc", "Cs")))


def text_of(*lines: bytes) -> bytes:
    return b"".join(one + b"\n" for one in lines)


def together(header: bytes, data: bytes) -> bytes:
    return blocks.BEGINS + len(header).to_bytes(4, "little") + header + data


def packed(text: bytes) -> tuple[bytes, bytes]:
    """Header and frame of a block."""
    found = blocks.found_in(text)
    assert found is not None
    value = blocks.pack(text, found)
    assert blocks.is_block(value)
    header, data = blocks.divided(value)
    assert together(header, data) == value
    return header, data


def said(header: bytes, **others: Any) -> bytes:
    """A header that lies about those."""
    return json.dumps(json.loads(header) | others).encode()


def opened(header: bytes, data: bytes, code: str = "0710") -> blocks.Opened:
    return blocks.opened(together(header, data), code)


def refused(header: bytes, data: bytes, code: str = "0710") -> str:
    with pytest.raises(UnfitError) as found:
        opened(header, data, code)
    return str(found.value)


@given(st.lists(st.tuples(NUMBERS, SOURCES, MESSAGES), min_size=1, max_size=30))
def test_what_is_packed_comes_out_again(events: list[tuple[int, str, str]]) -> None:
    lines = [line(number, source, message=message) for number, source, message in events]
    header, text, data = opened(*packed(text_of(*lines)))
    assert text.splitlines() == lines == zstandard.ZstdDecompressor().decompress(data).splitlines()
    assert (header["relay"], header["lines"], header["bytes"]) == ("gw1", len(lines), len(text))
    for source, boot, first, last, count in header["sources"]:
        numbers = [number for number, its_source, _ in events if its_source == source]
        assert (boot, first, last, count) == (BOOT, min(numbers), max(numbers), len(numbers))
    assert sum(row[4] for row in header["sources"]) == len(lines)


@given(st.lists(st.binary(max_size=60) | st.just(line(1)) | st.just(line(2)[:90]), max_size=6), st.binary(max_size=3))
def test_a_text_is_of_whole_lines_or_of_none(parts: list[bytes], end: bytes) -> None:
    """What is told of a text is what the ledger will count in it."""
    text = b"\n".join(parts) + end
    found = blocks.found_in(text)
    if found is not None:
        assert all((identity_of(one) or ())[1:] == (b"gw1", BOOT.encode(), 1, b"dhcp1") for one in text.splitlines())
        assert [row[4] for row in found.sources] == [text.count(b"\n")]


@pytest.mark.parametrize("place", ["time", "site"])
def test_a_line_ends_at_its_line_break(place: str) -> None:
    """A hacked relay could say that a text of five hundred lines is one line."""
    whole = line(1) + b"\n"
    assert blocks.found_in(whole) is not None
    assert blocks.found_in(whole.replace(f'"{place}":"'.encode(), f'"{place}":"'.encode() + b"x\n" * 500, 1)) is None


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_any_bytes_are_no_block(header: bytes, data: bytes) -> None:
    refused(header, data)
    for value in (blocks.BEGINS + data, data):
        with pytest.raises(UnfitError):
            blocks.opened(value, "0710")


def test_no_event_is_a_block() -> None:
    assert not any(map(blocks.is_block, (line(1), b"", b"{}", None, b"\x28\xb5\x2f\xfd")))


@given(st.data())
def test_a_block_that_was_altered_is_refused_or_the_same(data: st.DataObject) -> None:
    block = together(*packed(text_of(*map(line, range(20)))))
    where = data.draw(st.integers(0, len(block) - 1))
    altered = block[:where] + bytes([block[where] ^ data.draw(st.integers(1, 255))]) + block[where + 1 :]
    try:
        found = blocks.opened(altered, "0710")
    except UnfitError:
        return
    assert found.text == text_of(*map(line, range(20)))
    assert (found.said["relay"], found.said["lines"]) == ("gw1", 20)


@pytest.mark.parametrize(
    "lies",
    [
        {"lines": 4}, {"lines": 2}, {"bytes": 17}, {"relay": "gw2"}, {"municipality": "0751"}, {"sources": []},
        {"sources": [["dhcp1", BOOT, 1, 4, 3]]}, {"sources": [["dhcp1", BOOT, 0, 3, 3]]},
        {"sources": [["dhcp1", "b" * 32, 1, 3, 3]]}, {"sources": [["firewall1", BOOT, 1, 3, 3]]},
        {"sources": [["dhcp1", BOOT, 1, 3, 3], ["firewall1", BOOT, 1, 3, 3]]},
        {"version": "2"}, {"version": 1}, {"lines": 10**9}, {"bytes": 2**31},
        {"sources": [["dhcp1", BOOT, 1, 3, 3]] * 501}, {"sources": [[["dhcp1"], BOOT, 1, 3, 3]]},
    ],
)  # fmt: skip
def test_a_header_that_lies_is_refused(lies: dict[str, Any]) -> None:
    header, data = packed(text_of(*map(line, range(1, 4))))
    opened(header, data)
    refused(said(header, **lies), data)


@pytest.mark.parametrize("header", [b"", b"{}", b"[]", b"null", b"\xff", b"[" * 70_000, b'{"a":' * 9000])
def test_a_header_that_is_none_is_refused(header: bytes) -> None:
    refused(header, packed(text_of(line(1)))[1])


def forged(text: bytes, sources: list[list[Any]], **compression: Any) -> tuple[bytes, bytes]:
    """A block of any text, with a header that fits its size."""
    header = {
        "version": "1", "municipality": "0710", "relay": "gw1", "lines": text.count(b"\n"), "bytes": len(text),
        "sources": sources,
    }  # fmt: skip
    packer = zstandard.ZstdCompressor(**({"write_checksum": True} | compression))
    return json.dumps(header).encode(), packer.compress(text)


ROWS = [["dhcp1", BOOT, 1, 2, 2]]


@pytest.mark.parametrize(
    "text",
    [
        text_of(line(1), line(2).replace(b'"0710"', b'"0751"')),
        text_of(line(1), line(2).replace(b'"gw1"', b'"gw2"')),
        text_of(line(1), line(2, "firewall1")),
        text_of(line(1), b'{"quarantined":1}'),
        text_of(line(1), b""),
        text_of(line(1), line(2).replace(b'"m"', b'"\r"')),
        text_of(line(1)[:60] + line(1), line(2)),
        text_of(line(1), line(2), b"{}"),
        line(1) + b"\n" + line(2),
    ],
)
def test_a_line_that_is_not_of_the_relay_and_its_sources_is_refused(text: bytes) -> None:
    refused(*forged(text, ROWS))


def test_lines_of_another_municipality_are_refused_however_consistent_the_block_is() -> None:
    text = text_of(line(1), line(2)).replace(b'"0710"', b'"0751"')
    header, data = forged(text, ROWS)
    foreign = header.replace(b'"0710"', b'"0751"')
    opened(foreign, data, "0751")
    assert refused(foreign, data) == "lines of 0751 in the topic of 0710"


def test_a_frame_must_be_as_a_relay_makes_it() -> None:
    text = text_of(line(1), line(2))
    header, data = forged(text, ROWS)
    opened(header, data)
    for odd in (
        forged(text, ROWS, write_checksum=False)[1],
        forged(text, ROWS, write_content_size=False)[1],
        data + b"x",
        data + data,
        data[:-1],
        b"\x50\x2a\x4d\x18\x04\0\0\0abcd" + data,
    ):
        refused(header, odd)


def test_a_bomb_is_refused_before_it_takes_memory() -> None:
    """600 MiB in 60 kB, with a header that says so, or says something else, or a frame that says nothing."""
    size = 600 * 2**20
    packer = zstandard.ZstdCompressor(write_checksum=True).compressobj(size=size)
    data = b"".join(packer.compress(bytes(2**20)) for _ in range(600)) + packer.flush()
    begun = time.process_time()
    header, _ = packed(text_of(line(1)))
    for told in (size, 2**20, len(text_of(line(1)))):
        refused(json.dumps(json.loads(header) | {"bytes": told}).encode(), data)
    assert time.process_time() - begun < 0.5


def test_a_block_that_unpacks_to_far_more_than_was_sent_is_refused() -> None:
    """Within all other limits: half a megabyte of true lines in half a kilobyte, which can be sent by thousands."""
    text = text_of(*(line(number, message="x" * 60_000) for number in range(8)))
    header, data = packed(text)
    assert blocks.is_dense(len(text), len(together(header, data)))
    assert "unpacks to more than 256 times" in refused(header, data)


PIECES = st.sampled_from([line(1), line(1)[:-1], line(2)[:180], b'{"time":"', b'"', b'","site":"', b"x", b"\n", b"\r"])


@given(st.lists(PIECES, min_size=1, max_size=6), st.binary(max_size=4))
def test_whatever_a_text_repeats_it_is_looked_through_once(pieces: list[bytes], end: bytes) -> None:
    """A pattern that looks for the end of a line from each beginning in it takes seconds for one block."""
    unit = b"".join(pieces)
    text = (unit * (blocks.MOST_BYTES // len(unit)))[: blocks.MOST_BYTES - len(end)] + end
    begun = time.process_time()
    blocks.found_in(text)
    assert time.process_time() - begun < 0.15


def test_a_million_lines_of_nothing_are_refused() -> None:
    header, data = forged(b"\n" * 10**6, ROWS)
    begun = time.process_time()
    refused(header, data)
    refused(json.dumps(json.loads(header) | {"lines": 10_000}).encode(), data)
    assert time.process_time() - begun < 0.5


def test_a_frame_of_very_many_parts_is_refused() -> None:
    """Each would cost a step of everybody who reads the archive, for ever."""
    text = text_of(line(1))
    header, data = forged(text, [["dhcp1", BOOT, 1, 1, 1]])
    start = 5 + (1 if len(text) < 256 else 2)
    assert data[:4] == b"\x28\xb5\x2f\xfd"
    empty = b"\0\0\0"
    opened(header, data[:start] + empty * 9 + data[start:])
    assert "not one frame" in refused(header, data[:start] + empty * 200_000 + data[start:])
