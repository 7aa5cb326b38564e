"""Captured files: what the documented writer writes is read, and anything else is refused, never taken for events."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.azure.capture_file import block, captured, header

from vaern_stacks.azure.avro import AvroError, records

BODIES = st.lists(st.one_of(st.none(), st.binary(max_size=200)), max_size=12)


class Dripping:
    """A source that gives a byte at a time, as a slow answer over HTTP may."""

    def __init__(self, content: bytes) -> None:
        self._held = BytesIO(content)

    def read(self, size: int, /) -> bytes:
        return self._held.read(min(size, 1))


@given(blocks=st.lists(BODIES, max_size=4), codec=st.sampled_from(["null", "deflate"]))
def test_every_event_comes_back(blocks: list[list[bytes | None]], codec: str) -> None:
    found = list(records(BytesIO(captured(*blocks, codec=codec))))
    assert [one["Body"] for one in found] == [body for bodies in blocks for body in bodies]


def test_what_stands_beside_the_event_is_read_too() -> None:
    (one,) = records(Dripping(captured([b"x"])))
    assert one == {
        "SequenceNumber": 0,
        "Offset": "0",
        "EnqueuedTimeUtc": "11/26/2026 9:04:05 PM",
        "SystemProperties": {"x-opt-partition-key": "firewall1"},
        "Properties": {},
        "Body": b"x",
    }


def test_a_file_without_events_holds_none() -> None:
    assert list(records(BytesIO(header()))) == []


def test_what_came_before_the_damage_is_given() -> None:
    whole = captured([b"one"], [b"two"])
    source = records(BytesIO(whole[:-1]))
    assert next(source)["Body"] == b"one"
    with pytest.raises(AvroError, match="ends in the middle"):
        list(source)


@given(junk=st.binary(max_size=300), place=st.integers(0, 400))
def test_damaged_files_raise_and_nothing_else(junk: bytes, place: int) -> None:
    whole = captured([b"one", None], [b"two"])
    for content in (junk, b"Obj\x01" + junk, whole[:place] + junk + whole[place + len(junk) :]):
        try:
            list(records(BytesIO(content)))
        except AvroError:
            continue


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"PAR1", "does not begin as"),
        (header("zstandard") + block([b"x"]), "zstandard"),
        (header()[:-16] + bytes(16) + block([b"x"]), "does not end where it should"),
        (header("deflate") + block([b"x"]), "cannot be unpacked"),
    ],
)
def test_what_it_is_instead_is_said(content: bytes, told: str) -> None:
    with pytest.raises(AvroError, match=told):
        list(records(BytesIO(content)))
