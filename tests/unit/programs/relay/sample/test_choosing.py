"""Which lines are kept: bounded, the same in whatever order they come, none too old, and a rare shape among them."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.relay.sample.choosing import (
    ALL_BYTES,
    DAYS,
    OF_A_DAY,
    SHAPE_DAYS,
    SHARE,
    SOURCE_BYTES,
    Line,
    bytes_of,
    chosen,
    line_of,
    row,
)

TODAY = date(2026, 11, 30)
SHAPES = [("source.ip",), ("source.ip", "user.name"), ()]


def line(lot: int, *, age: int = 0, fields: tuple[str, ...] = SHAPES[0], message: str = "m") -> Line:
    day = (TODAY - timedelta(days=age)).isoformat()
    return Line(day, lot, "2026-11-24T03:00:00Z", "fw1", "fortigate", bool(fields), fields, message)


lines = st.lists(
    st.builds(
        line,
        st.integers(0, 2**48 - 1),
        age=st.integers(-3, SHAPE_DAYS + 3),
        fields=st.sampled_from(SHAPES),
        message=st.text(max_size=60),
    ),
    max_size=80,
)


@given(lines, lines)
@settings(deadline=None)
def test_what_was_chosen_before_stands_for_all_that_had_come(earlier: list[Line], later: list[Line]) -> None:
    together = chosen([*earlier, *later], TODAY, SOURCE_BYTES)
    assert chosen([*chosen(earlier, TODAY, SOURCE_BYTES), *later], TODAY, SOURCE_BYTES) == together
    assert chosen([*later, *earlier, *later], TODAY, SOURCE_BYTES) == together


def test_lines_of_one_lot_have_an_order_of_their_own() -> None:
    """Found by chance: a set of them has none, so that what was kept differed from one run to the next."""
    same = [line(0, age=7, message=str(number)) for number in range(40)]
    kept = chosen(same, TODAY, SOURCE_BYTES)
    assert kept == chosen(reversed(same), TODAY, SOURCE_BYTES) == sorted(same)[: len(kept)]


@given(lines, st.integers(0, 6000))
@settings(deadline=None)
def test_no_more_bytes_are_taken_than_are_allowed_and_no_line_is_too_old(found: list[Line], most: int) -> None:
    kept = chosen(found, TODAY, most)
    assert set(kept) <= set(found)
    assert sum(map(len, map(row, kept))) <= most
    first, last = TODAY - timedelta(days=SHAPE_DAYS), TODAY + timedelta(days=1)
    assert all(first < date.fromisoformat(one.day) <= last for one in kept)


@given(lines)
@settings(deadline=None)
def test_every_shape_of_four_weeks_is_there(found: list[Line]) -> None:
    young = [one for one in found if -1 <= (TODAY - date.fromisoformat(one.day)).days < SHAPE_DAYS]
    assert {one.fields for one in chosen(found, TODAY, SOURCE_BYTES)} == {one.fields for one in young}


def test_a_line_that_came_once_stays_beside_a_flood() -> None:
    rare = line(2**48 - 1, age=SHAPE_DAYS - 1, fields=("user.name",))
    flood = [line(number) for number in range(5000)]
    kept = chosen([rare, *flood], TODAY, SOURCE_BYTES)
    assert kept == [rare, *flood[:OF_A_DAY]]
    assert chosen([rare, *flood], TODAY + timedelta(days=1), SOURCE_BYTES) == flood[:OF_A_DAY]
    assert chosen(flood, TODAY + timedelta(days=DAYS), SOURCE_BYTES) == flood[:2]
    assert chosen(flood, TODAY + timedelta(days=SHAPE_DAYS), SOURCE_BYTES) == []


def test_where_there_is_little_room_shapes_come_first_and_no_line_takes_it_all() -> None:
    rare = line(9, fields=("user.name",))
    most = SHARE * len(row(line(1000)))
    flood = [line(1000 + number) for number in range(20)]
    assert rare in chosen([*flood, rare], TODAY, most)
    assert len(chosen([*flood, rare], TODAY, most)) == SHARE
    long = line(0, message="x" * 200)
    assert long not in chosen([*flood, long], TODAY, most)


def test_all_sources_together_keep_within_their_limit() -> None:
    assert bytes_of(1) == SOURCE_BYTES
    for count in (32, 33, 500):
        assert 0 < bytes_of(count) * count <= ALL_BYTES


def test_only_the_names_of_fields_are_kept_beside_the_line() -> None:
    event = {
        "time": "2026-11-24T03:00:00Z", "received": "2026-11-30T03:00:01+00:00", "boot": "a" * 32, "sequence": 7,
        "host": "fw1", "message": "<13>x", "parser": "squid", "parsed": True,
        "ecs": {"user.name": "anna", "@timestamp": "t"},
    }  # fmt: skip
    kept = line_of(event)
    assert (kept.day, kept.fields, kept.read, kept.message) == (
        "2026-11-30",
        ("@timestamp", "user.name"),
        True,
        "<13>x",
    )
    assert "anna" not in row(kept)
    assert line_of({**event, "sequence": 8}).lot != kept.lot == line_of({**event, "message": "y"}).lot
    for wrong in ({}, {**event, "ecs": []}, {**event, "received": "yesterday"}, {**event, "received": None}):
        with pytest.raises((KeyError, TypeError, ValueError)):
            line_of(wrong)
