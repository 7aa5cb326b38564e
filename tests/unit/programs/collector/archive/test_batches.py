"""Batches are taken apart within bounds, whatever is in them."""

from __future__ import annotations

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern_programs.collector.archive import batches
from vaern_programs.collector.archive.batches import HEADER, Batch, Record, UnreadableError, records, split, unpack

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
MIB = 2**20
NONE, GZIP, SNAPPY, LZ4, ZSTD = range(5)


def varint(number: int) -> bytes:
    """A number of variable length, zigzag encoded."""
    number = (number << 1) ^ (number >> 63)
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*found, number])


def sized(content: bytes | None) -> bytes:
    return varint(-1) if content is None else varint(len(content)) + content


def encoded(found: list[tuple[bytes | None, bytes | None]]) -> bytes:
    """Records as a producer writes them, without headers."""
    whole = b""
    for number, (key, value) in enumerate(found):
        rest = b"\0" + varint(0) + varint(number) + sized(key) + sized(value) + varint(0)
        whole += varint(len(rest)) + rest
    return whole


def written(first: int, count: int, data: bytes, codec: int = NONE, magic: int = 2) -> bytes:
    """A batch as the broker keeps it."""
    length = HEADER.size - 12 + len(data)
    return HEADER.pack(first, length, 0, magic, 0, codec | 8, count - 1, 0, 1000, -1, -1, -1, count) + data


def batch(data: bytes, codec: int = NONE, count: int = 1) -> Batch:
    return Batch(0, count - 1, 2, codec, count, 0, data)


def gzip(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


def test_batches_of_one_answer_and_the_one_that_is_cut_off() -> None:
    one, two = written(7, 3, b"abc"), written(10, 1, b"d", GZIP)
    whole = Batch(7, 9, 2, NONE, 3, 1000, b"abc")
    assert list(split(one + two)) == [whole, Batch(10, 10, 2, GZIP, 1, 1000, b"d")]
    for end in range(1, len(two)):
        assert list(split(one + two[:end])) == [whole]


@given(
    st.lists(st.tuples(st.none() | st.binary(max_size=300), st.none() | st.binary(max_size=300)), max_size=20),
    st.integers(0, 2**60),
    st.sampled_from([(NONE, bytes), (GZIP, gzip), (ZSTD, zstandard.compress)]),
)
def test_what_was_written_is_read(
    found: list[tuple[bytes | None, bytes | None]], first: int, codec: tuple[int, type[bytes]]
) -> None:
    number, pack = codec
    (one,) = split(written(first, len(found), pack(encoded(found)), number))
    assert records(one) == [Record(first + at, key, value) for at, (key, value) in enumerate(found)]


@pytest.mark.parametrize(("codec", "pack"), [(NONE, bytes), (GZIP, gzip), (ZSTD, zstandard.compress)])
def test_the_bound_is_met_while_unpacking(codec: int, pack: type[bytes]) -> None:
    assert unpack(batch(pack(bytes(MIB)), codec), MIB) == bytes(MIB)
    with (
        pytest.raises(UnreadableError, match="unpacks to more than 1 MiB") if codec else pytest.raises(UnreadableError)
    ):
        unpack(batch(pack(bytes(MIB + 1)), codec), MIB)


def test_a_bomb_is_not_unpacked() -> None:
    """No more than a mebibyte of it comes into being: the codec is asked for that much."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(200)) + packer.flush()
    with pytest.raises(UnreadableError, match="gzip, unpacks to more than 1 MiB"):
        unpack(batch(bomb, GZIP), MIB)


def test_snappy_says_how_big_it_would_be() -> None:
    """Plain, and in the chunks of the Java library; nothing has to be unpacked for it."""
    plain = bytes([0x80, 0x80, 0x80, 0x80, 0x02]) + b"..."
    chunks = batches.SNAPPY_JAVA + bytes(8) + 2 * (struct.pack(">I", 4) + bytes([0x80, 0x80, 0x30, 0]))
    for data in (plain, chunks):
        with pytest.raises(UnreadableError, match="snappy, unpacks to more than 1 MiB"):
            unpack(batch(data, SNAPPY), MIB)


@pytest.mark.parametrize(
    ("one", "reason"),
    [
        (Batch(0, 0, 1, NONE, 1, 0, b""), "format 1 of a batch is not known"),
        (batch(b"", NONE, batches.MOST_RECORDS + 1), "50001 records in one batch"),
        (batch(b"", NONE, -1), "-1 records in one batch"),
        (batch(b"", 7), "codec 7 is not known"),
        (batch(b"no gzip", GZIP), "damaged: error: "),
        (batch(b"no zstd", ZSTD), "damaged: ZstdError: "),
        (batch(b"", NONE, 1), "damaged: IndexError: "),
        (batch(varint(90) + b"x"), "damaged: a record ends behind its batch"),
        (batch(b"\x80" * 12), "damaged: a number of more than 64 bits"),
        (batch(varint(6) + b"\0\0\0" + varint(90) + b"x\0"), "damaged: IndexError: "),
        (batch(varint(6) + b"\0\0" + varint(5) + b"\x01\x01\0"), "damaged: a record is outside of its batch"),
    ],
)
def test_what_cannot_be_read_is_said(one: Batch, reason: str) -> None:
    with pytest.raises(UnreadableError) as raised:
        records(one)
    assert str(raised.value).startswith(reason)


@given(
    st.binary(max_size=200),
    st.sampled_from([NONE, GZIP, ZSTD, 6]),
    st.integers(-5, 60_000),
    st.integers(0, 3),
)
def test_anything_is_read_or_said_to_be_unreadable(data: bytes, codec: int, count: int, magic: int) -> None:
    for one in split(written(5, count, data, codec, magic)):
        try:
            found = records(one)
        except UnreadableError:
            continue
        assert all(one.first <= record.offset <= one.last for record in found)
