"""Intervals, tallies and the balance: what is counted as sent, received, duplicate and missing."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.ledger import balance, books
from vaern_programs.shared import intervals, tally, view

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BOOT, LATER = "a" * 32, "b" * 32
RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 8)).map(lambda pair: (pair[0], pair[0] + pair[1])))
bounded = settings(max_examples=25, database=None)


class Programs(NamedTuple):
    intervals: ModuleType
    tally: ModuleType
    balance: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(intervals, tally, balance)


def event(number: int, *, boot: str = BOOT, source: str = "firewall1", at: datetime = NOW, message: str = "m") -> bytes:
    """A line as the relay's template writes it; event n is taken in n seconds after `at`."""
    time = (at + timedelta(seconds=number)).isoformat(timespec="microseconds")
    return (
        f'{{"time":"{time}","received":"{time}","municipality":"0710","relay":"favrskov-gw1","boot":"{boot}",'
        f'"sequence":{number},"site":"raadhus","source":"{source}","kind":"firewall","sector":"administration",'
        f'"host":"fw","message":{json.dumps(message)}}}\n'
    ).encode()


def statement(*sent: list[Any], given_up: Any = (), at: datetime = NOW) -> bytes:
    """What a relay says it has sent."""
    head = event(1, boot="0" * 32, source="vaern.statement", at=at).rstrip()[:-1]
    body = {"sent": list(sent), "given_up": list(given_up), "spool": {"bytes": 1}}
    return head + b',"statement":' + json.dumps(body).encode() + b"}\n"


def day_row(first: int, last: int, *, at: datetime = NOW, boot: str = BOOT, source: str = "firewall1") -> list[Any]:
    """One row of a statement."""
    times = [(at + timedelta(seconds=n)).isoformat(timespec="microseconds") for n in (first, last)]
    return [boot, source, at.date().isoformat(), first, last, *times]


def tallied(programs: Programs, *lines: bytes) -> Any:
    tally = programs.tally.Tally()
    tally.add(b"".join(lines))
    return tally


def balanced(programs: Programs, *tallies: Any, now: datetime = NOW + timedelta(hours=1)) -> dict[str, Any]:
    own = books.Books()
    for one in tallies:
        own.enter(one)
    told: dict[str, Any] = programs.balance.balance(own, now)
    return told


def numbers(ranges: list[tuple[int, int]]) -> set[int]:
    return {number for first, last in ranges for number in range(first, last + 1)}


@bounded
@given(RANGES, RANGES)
def test_intervals_are_sets(programs: Programs, one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    a, b = programs.intervals.union(one), programs.intervals.union(other)
    assert numbers(a) == numbers(one)
    assert programs.intervals.count(a) == len(numbers(one))
    assert numbers(programs.intervals.union(a, b)) == numbers(one) | numbers(other)
    assert numbers(programs.intervals.subtract(a, b)) == numbers(one) - numbers(other)
    assert numbers(programs.intervals.intersect(a, b)) == numbers(one) & numbers(other)


@bounded
@given(RANGES, RANGES)
def test_intervals_never_touch(programs: Programs, one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    whole = programs.intervals.union(one)
    for found in (whole, programs.intervals.subtract(whole, programs.intervals.union(other))):
        assert all(first <= last for first, last in found)
        assert all(before[1] + 1 < after[0] for before, after in pairwise(found))


@bounded
@given(st.lists(st.integers(1, 40), max_size=60), st.integers(1, 7))
def test_however_they_arrive_the_counts_are_right(programs: Programs, order: list[int], cut: int) -> None:
    tally = programs.tally.Tally()
    for start in range(0, len(order), cut):
        tally.add(b"".join(event(number) for number in order[start : start + cut]))
    again = programs.tally.Tally.read(json.loads(json.dumps(tally.written())))
    told = balanced(programs, again)
    if not order:
        assert told == {"rows": [], "gaps": []}
        return
    (row,) = told["rows"]
    assert row["received"] == len(set(order))
    assert row["duplicate"] == len(order) - len(set(order))
    assert row["sent"] == row["received"] + row["missing"]
    lacking = set(range(min(order), max(order) + 1)) - set(order)
    assert numbers([(gap["first"], gap["last"]) for gap in told["gaps"]]) == lacking


@bounded
@given(st.lists(st.tuples(st.sampled_from([BOOT, LATER]), st.integers(0, 12)), max_size=60))
def test_the_view_holds_every_event_once(programs: Programs, order: list[tuple[str, int]]) -> None:
    lines = [event(number, boot=boot).rstrip() for boot, number in order]
    own = view.View()
    assert list(own.of(lines)) == list(dict.fromkeys(lines))
    assert own.duplicates == len(lines) - len(set(lines))


def test_the_view_passes_on_what_is_no_event(programs: Programs) -> None:
    assert list(view.View().of([b"{}", b"no", b"{}"])) == [b"{}", b"no", b"{}"]


def test_another_order_of_the_fields_counts_the_same(programs: Programs) -> None:
    quick = tallied(programs, event(1), event(2))
    turned = [json.dumps(dict(reversed(json.loads(line).items()))).encode() + b"\n" for line in (event(1), event(2))]
    assert tallied(programs, *turned).written() == quick.written()
    assert tallied(programs, event(1), turned[1]).written() == quick.written()


@pytest.mark.parametrize(
    "line", [b"{}\n", b"\n", b"null\n", b"[1]\n", event(1).replace(b'"sequence":1', b'"sequence":-1'),
             event(1).replace(BOOT.encode(), b"../etc"), event(1).replace(b'"firewall1"', b'"a/../b"')],
)  # fmt: skip
def test_what_is_no_event_is_counted_apart(programs: Programs, line: bytes) -> None:
    tally = tallied(programs, event(1), line, event(2))
    assert tally.others == 1
    assert sum(tally.events.values()) == 2


def test_a_message_cannot_pose_as_an_event(programs: Programs) -> None:
    tally = tallied(programs, event(1, message=event(9, source="dhcp1").decode()), event(2))
    assert {key[2] for key in tally.runs} == {"firewall1"}
    assert sum(tally.events.values()) == 2


def test_a_lost_tail_is_seen_by_what_the_relay_states(programs: Programs) -> None:
    tally = tallied(programs, *map(event, range(1, 6)), statement(day_row(1, 9)))
    told = balanced(programs, tally)
    (row,), (gap,) = told["rows"], told["gaps"]
    assert (row["sent"], row["received"], row["missing"]) == (9, 5, 4)
    assert (gap["first"], gap["last"], gap["state"]) == (6, 9, "missing")
    assert gap["from"] == (NOW + timedelta(seconds=5)).isoformat(timespec="microseconds")
    assert gap["until"] == (NOW + timedelta(seconds=9)).isoformat(timespec="microseconds")


def test_what_was_sent_a_moment_ago_is_under_way(programs: Programs) -> None:
    tally = tallied(programs, event(1), statement(day_row(1, 9)))
    (row,) = balanced(programs, tally, now=NOW + timedelta(seconds=60))["rows"]
    assert (row["under_way"], row["missing"], row["sent"]) == (8, 0, 9)


@pytest.mark.parametrize("ahead", [timedelta(minutes=3), timedelta(days=365 * 73)])
def test_what_was_sent_at_a_time_to_come_is_missing(programs: Programs, ahead: timedelta) -> None:
    """It was under way for ever: a million events sent in 2099, and the verdict was good."""
    row = [BOOT, "firewall1", NOW.date().isoformat(), 1, 9, NOW.isoformat(), (NOW + ahead).isoformat()]
    (told,) = balanced(programs, tallied(programs, event(1), statement(row)), now=NOW + timedelta(seconds=1))["rows"]
    assert (told["under_way"], told["missing"]) == (0, 8)


def test_what_the_relay_gave_up_is_not_called_missing(programs: Programs) -> None:
    tally = tallied(
        programs, event(1), event(5), statement(day_row(1, 9), given_up=[[BOOT, "firewall1", [[2, 3], [5, 6]]]])
    )
    told = balanced(programs, tally)
    (row,) = told["rows"]
    assert (row["received"], row["given_up"], row["missing"]) == (2, 3, 4)
    assert [(gap["first"], gap["last"], gap["state"]) for gap in told["gaps"]] == [
        (2, 3, "given_up"), (4, 4, "missing"), (6, 6, "given_up"), (7, 9, "missing"),
    ]  # fmt: skip


def test_nothing_arrived_of_what_was_stated(programs: Programs) -> None:
    (row,) = balanced(programs, tallied(programs, statement(day_row(1, 3))))["rows"]
    assert (row["source"], row["sent"], row["missing"]) == ("firewall1", 3, 3)


def test_a_day_ends_at_midnight_utc(programs: Programs) -> None:
    late = datetime(2026, 11, 23, 23, 59, 57, tzinfo=UTC)
    tally = tallied(programs, *(event(number, at=late) for number in (1, 2, 4, 5)))
    told = balanced(programs, tally)
    assert [(row["day"], row["received"], row["missing"]) for row in told["rows"]] == [
        ("2026-11-23", 2, 0), ("2026-11-24", 2, 1),
    ]  # fmt: skip


def test_an_event_of_yesterday_that_came_out_of_order_is_not_missing_today(programs: Programs) -> None:
    late = datetime(2026, 11, 23, 23, 59, 0, tzinfo=UTC)
    tally = tallied(programs, event(1, at=late), event(3, at=late), event(2, at=NOW))
    assert balanced(programs, tally)["gaps"] == []


def test_each_start_of_the_relay_counts_for_itself(programs: Programs) -> None:
    tally = tallied(programs, event(1), event(2), event(1, boot=LATER), event(3, boot=LATER))
    told = balanced(programs, tally)
    (row,), (gap,) = told["rows"], told["gaps"]
    assert (row["sent"], row["received"], row["missing"], row["duplicate"]) == (5, 4, 1, 0)
    assert (gap["boot"], gap["first"]) == (LATER, 2)


def test_a_part_that_is_gone_is_missing_and_its_statements_are_kept(programs: Programs) -> None:
    kept, gone = tallied(programs, event(1)), tallied(programs, event(2), statement(day_row(1, 2)))
    own = books.Books()
    own.enter(kept)
    own.enter(gone, held=False)
    told = programs.balance.balance(own, NOW + timedelta(hours=1))
    assert told["rows"][0]["missing"] == 1
    assert programs.balance.confirmable(own) == [(("favrskov-gw1", BOOT, "firewall1"), [(1, 1)])]


def test_nothing_is_missing_of_a_day_that_retention_has_begun_to_delete(programs: Programs) -> None:
    """By source: the same day of another source is not over, and neither is a later day of the same."""
    later = NOW + timedelta(days=2)
    told = [day_row(1, 3), day_row(1, 3, source="web"), day_row(4, 5, source="web", at=later)]
    own = books.Books()
    own.enter(tallied(programs, event(1), event(4, source="web", at=later), statement(*told)))
    deleted = books.Deleted("", {"web": NOW.date().isoformat()})
    found = programs.balance.balance(own, later + timedelta(hours=1), deleted=deleted)
    lacking = {(row["source"], row["day"]): row["missing"] for row in found["rows"]}
    days = [one.date().isoformat() for one in (NOW, later)]
    assert lacking == {("firewall1", days[0]): 2, ("web", days[0]): 0, ("web", days[1]): 1}
    kept = {series[2]: numbers for series, numbers in programs.balance.confirmable(own, deleted)}
    assert kept == {"firewall1": [(1, 1)], "web": [(1, 4)]}, "the relay is not asked for what was to go"


def test_the_day_asked_for_is_all_that_is_told(programs: Programs) -> None:
    tally = tallied(programs, event(1), event(2, at=NOW + timedelta(days=1)))
    own = books.Books()
    own.enter(tally)
    told = programs.balance.balance(own, NOW + timedelta(days=2), {"2026-11-25"})
    assert [row["day"] for row in told["rows"]] == ["2026-11-25"]
