"""From lines of the spool to records: every event in exactly one, in order within its source, within the limits."""

from __future__ import annotations

from base64 import b64encode
from hashlib import shake_128
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.doubles.spool_writer import BOOT, line

from vaern_programs.relay.delivery.records import BLOCK_BYTES, Record, events_of, lines_of, records_of
from vaern_programs.shared import blocks

SETTINGS: dict[str, Any] = {"topic": "logs.0710", "topics": {}, "retention": {"web": 90, "door": 30}}
BY_SOC = SETTINGS | {"topics": {"health": "logs.0710.national"}}


def text_of(*lines: bytes) -> bytes:
    return b"".join(one + b"\n" for one in lines)


def events_in(record: Record) -> list[bytes]:
    """The lines of a record, which the archiver takes for what they say they are."""
    if not blocks.is_block(record.value):
        assert record.lines == 1
        return [record.value]
    text = blocks.opened(record.value, "0710").text
    assert len(text.splitlines()) == record.lines > 1
    assert len(text) <= BLOCK_BYTES
    return text.splitlines()


def test_lines_of_one_retention_are_one_block() -> None:
    lines = [line(number, source) for number in range(50) for source in ("dhcp1", "firewall1")]
    (record,) = records_of(SETTINGS, text_of(*lines))
    assert (record.topic, record.key, record.lines, events_in(record)) == ("logs.0710", b"gw1", 100, lines)
    assert [one.value for one in lines_of(record)] == lines
    assert [one.key for one in lines_of(record)] == [b"dhcp1", b"firewall1"] * 50


def test_each_retention_has_blocks_of_its_own() -> None:
    lines = [line(number, source) for number in range(9) for source in ("dhcp1", "web", "door", "firewall1")]
    found = [{row[0] for row in blocks.opened(one.value, "0710").said["sources"]} for one in
             records_of(SETTINGS, text_of(*lines))]  # fmt: skip
    assert found == [{"dhcp1", "firewall1"}, {"web"}, {"door"}]


def test_what_hosts_say_of_themselves_is_one_event_a_record() -> None:
    own = [line(1, "vaern-gw1"), line(1, "vaern.statement"), line(2, "vaern-gw1")]
    records = records_of(SETTINGS, text_of(line(1), own[0], line(2), own[1], own[2]))
    assert [(one.key, one.value) for one in records if one.lines == 1] == [
        (b"vaern-gw1", own[0]), (b"vaern.statement", own[1]), (b"vaern-gw1", own[2]),
    ]  # fmt: skip
    assert [events_in(one) for one in records if one.lines > 1] == [[line(1), line(2)]]


def test_what_a_soc_reads_is_one_event_a_record() -> None:
    health = [line(number, "journal1", sector="health") for number in range(3)]
    records = records_of(BY_SOC, text_of(line(1), *health, line(2)))
    assert [(one.topic, one.value) for one in records[:3]] == [("logs.0710.national", one) for one in health]
    assert [(one.topic, events_in(one)) for one in records[3:]] == [("logs.0710", [line(1), line(2)])]


def test_a_line_by_itself_is_an_event_like_any_other() -> None:
    assert records_of(SETTINGS, text_of(line(1))) == [Record("logs.0710", b"dhcp1", line(1))]


def test_what_no_block_holds_is_sent_all_the_same() -> None:
    """A line in another order, one behind an event that a full disk cut off, and one of a relay of another name."""
    other = (
        b'{"relay":"gw1","boot":"%s","sequence":7,"source":"dns1","received":"2026-11-24T10:00:00Z"}' % BOOT.encode()
    )
    renamed = line(4).replace(b'"gw1"', b'"gw9"')
    text = text_of(line(1), other, line(2)[:40] + line(3), b"\0" * 9, renamed, line(5))
    found = [one for record in records_of(SETTINGS, text) for one in events_in(record)]
    assert sorted(found) == sorted([line(1), other, line(3), renamed, line(5)])


def test_very_many_sources_are_several_blocks() -> None:
    lines = [line(1, f"s{number}") for number in range(blocks.MOST_SERIES * 2 + 3)]
    records = records_of(SETTINGS, text_of(*lines))
    assert [one for record in records for one in events_in(record)] == lines
    assert len(records) == 4


def test_what_would_unpack_to_far_more_than_is_sent_is_an_event_a_record() -> None:
    """The archiver would refuse it."""
    lines = [line(number, message="x" * 60_000) for number in range(8)]
    assert [one.value for one in records_of(SETTINGS, text_of(*lines))] == lines


def test_what_does_not_become_smaller_fits_into_a_message() -> None:
    lines = [line(number, message=shake_128(b"%d" % number).hexdigest(30_000)) for number in range(30)]
    records = records_of(SETTINGS, text_of(*lines))
    assert [one for record in records for one in events_in(record)] == lines
    assert len(records) > 3


EVENTS = st.tuples(
    st.integers(0, 10**6), st.sampled_from(["dhcp1", "web", "door", "journal1", "vaern-gw1"]), st.booleans(),
    st.text(st.characters(codec="utf-8", exclude_characters='"\\', exclude_categories=("Cc", "Cs")), max_size=40),
).map(lambda one: line(one[0], one[1], sector="health" if one[2] else "administration", message=one[3]))  # fmt: skip
LINES = st.lists(EVENTS | st.binary(max_size=30).map(lambda one: one.replace(b"\n", b" ")), max_size=30)


@given(LINES, st.sampled_from([SETTINGS, BY_SOC]))
def test_every_event_is_in_one_record_and_in_order(lines: list[bytes], settings: dict[str, Any]) -> None:
    text = text_of(*lines)
    expected = events_of(text)
    found = [one for record in records_of(settings, text) for one in events_in(record)]
    assert sorted(found) == sorted(one for _, one in expected)
    for source in {name for name, _ in expected}:
        mine = [one for name, one in expected if name == source]
        assert [one for one in found if events_of(one + b"\n") and events_of(one + b"\n")[0][0] == source] == mine or (
            settings is BY_SOC
        )


LARGEST_REQUEST = 1_046_528
"""Bytes of a request that Event Hubs takes at most; it closes the connection over a larger one (Microsoft, "Recommended
configurations for Apache Kafka clients"). It takes records of 1 MB on all its tiers but Basic."""
AROUND = 4096
"""More than what Kafka puts around one record: its request, its batch of 61 bytes, topic, client, key, lengths."""


@pytest.mark.parametrize("series", [1, blocks.MOST_SERIES])
def test_the_largest_block_fits_into_what_event_hubs_takes(series: int) -> None:
    """Of as many sources as a block may have, with the longest names, and of lines that nothing makes smaller."""
    sources = [f"{'s' * 30}-{number:04d}" for number in range(series)]
    lines, size = [], 0
    while size < BLOCK_BYTES - 2000:
        number = len(lines)
        noise = b64encode(shake_128(str(number).encode()).digest(700)).decode()
        lines.append(line(10**17 + number, sources[number % series], message=noise))
        size += len(lines[-1]) + 1
    (record,) = records_of(SETTINGS, text_of(*lines))
    assert record.lines == len(lines)
    assert BLOCK_BYTES / 2 < len(record.value) < LARGEST_REQUEST - AROUND
    assert BLOCK_BYTES + blocks.HEADER_BYTES + AROUND < LARGEST_REQUEST
