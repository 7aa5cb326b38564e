"""What one municipality may take: limits of what is kept, and steps that go with what is counted and no faster."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import FrameType
from typing import Any

import pytest

from vaern_programs.ledger import books
from vaern_programs.ledger.balance import balance, confirmable
from vaern_programs.ledger.books import Books
from vaern_programs.ledger.confirm import confirmation
from vaern_programs.shared.relay_names import MOST_UNDECLARED, RelayNames
from vaern_programs.shared.tally import Tally

AT = datetime(2026, 11, 24, 10, tzinfo=UTC)
TIME = AT.isoformat(timespec="microseconds")
NOW = AT + timedelta(hours=1)
BOOT = "a" * 32


def line(number: int, *, source: str = "firewall1", boot: str = BOOT) -> bytes:
    return (
        f'{{"time":"{TIME}","received":"{TIME}","municipality":"0710","relay":"gw1","boot":"{boot}",'
        f'"sequence":{number},"site":"s","source":"{source}","message":"m"}}\n'
    ).encode()


def tally_of(lines: list[bytes], most: float = 10**9) -> Tally:
    tally = Tally(most)
    tally.add(b"".join(lines))
    return tally


def statement(sent: list[Any], given_up: list[Any]) -> bytes:
    body = {"sent": sent, "given_up": given_up, "spool": {}}
    return line(1, source="vaern.statement").rstrip()[:-1] + b',"statement":' + json.dumps(body).encode() + b"}\n"


def day_row(day: int) -> list[Any]:
    return [BOOT, "web", (AT + timedelta(days=day)).date().isoformat(), 1, 9, TIME, TIME]


def by(relay: int, one: bytes) -> bytes:
    """The same of another relay."""
    return one.replace(b'"relay":"gw1"', f'"relay":"r{relay}"'.encode())


def steps(work: Callable[[], Any]) -> int:
    """Lines of Python that it executes: what it costs, on a machine of any speed."""
    counted = 0

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal counted
        counted += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return counted


SHAPES: dict[str, Callable[[int], list[bytes]]] = {
    "source names": lambda n: [line(1, source=f"s{number}") for number in range(n)],
    "starts": lambda n: [line(1, boot=f"{number:032x}") for number in range(n)],
    "gaps": lambda n: [line(2 * number + 1) for number in range(n)],
    "days stated": lambda n: [
        statement(
            [[BOOT, "web", (AT + timedelta(days=day)).date().isoformat(), 1, 9, TIME, TIME] for day in range(n)], []
        )
    ],
    "relays": lambda n: [by(number, line(1)) for number in range(n)],
    "relays that state nothing": lambda n: [by(number, statement([], [])) for number in range(n)],
    "relays that state a row": lambda n: [by(number, statement([day_row(0)], [])) for number in range(n)],
    "keys given up": lambda n: [statement([], [[f"{number:032x}", "web", [[1, 2]]] for number in range(n)])],
    "statements of keys given up": lambda n: [
        statement([], [[f"{number:032x}", "web", [[1, 2]]]]) for number in range(n)
    ],
    "rows of one key given up": lambda n: [
        statement([], [[BOOT, "web", [[3 * k, 3 * k + 1]]] for k in reversed(range(n))])
    ],
    "statements of one key given up": lambda n: [statement([], [[BOOT, "web", [[3 * k, 3 * k]]]]) for k in range(n)],
    "ranges given up": lambda n: [statement([], [[BOOT, "web", [[3 * k, 3 * k + 1] for k in range(n)]]]), line(9 * n)],
}


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_as_much_takes_twice_as_many_steps(shape: str) -> None:
    """It was quadratic in names, starts and gaps: 300,000 names never ended."""

    def count(size: int) -> None:
        own = Books()
        own.enter(tally_of(SHAPES[shape](size)))
        balance(own, NOW, {AT.date().isoformat()})
        confirmation("0710", confirmable(own), NOW)

    count(10)
    small, large = steps(lambda: count(300)), steps(lambda: count(600))
    assert large < 2.3 * small


def test_many_tallies_of_one_series_take_steps_as_their_number() -> None:
    """Each a segment of the archive; the runs of one source and day are put in order again and again."""

    def count(size: int) -> None:
        own = Books()
        for number in range(size):
            own.enter(tally_of([line(2 * number)]))
        assert len(own.runs(("gw1", BOOT, "firewall1"))) == size

    small, large = steps(lambda: count(300)), steps(lambda: count(600))
    assert large < 2.5 * small


def test_a_tally_lists_no_more_than_it_may_and_counts_on_with_what_it_has() -> None:
    tally = tally_of([line(1), *(line(2 * number, source="many") for number in range(20))], most=5)
    assert (tally.listed, tally.unlisted) == (5, 16)
    tally.add(line(2) + line(3))
    assert tally.runs["gw1", BOOT, "firewall1", "2026-11-24"][0][:2] == (1, 3)
    again = Tally.read(json.loads(json.dumps(tally.written())))
    assert (again.listed, again.unlisted, again.written()) == (5, 16, tally.written())


def test_invented_sources_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_SOURCES", 3)
    own = Books()
    own.enter(tally_of([line(1, source=f"s{number}") for number in range(5)]))
    own.enter(tally_of([statement([[BOOT, "new", "2026-11-24", 1, 9, TIME, TIME]], [[BOOT, "newer", [[1, 2]]]])]))
    own.enter(tally_of([line(2, source="s0")]))
    assert own.unlisted == 2 + 2
    assert [series[2] for series in own.series()] == ["s0", "s1", "s2"]
    assert own.numbers(("gw1", BOOT, "s0")) == [(1, 2)]


def test_blocks_out_of_order_take_steps_as_their_number() -> None:
    """All runs of a source were put in order again with each block of a segment."""

    def count(size: int) -> None:
        tally = Tally()
        for number in reversed(range(size)):
            tally.add(line(2 * number))
        assert tally.listed == size

    small, large = steps(lambda: count(300)), steps(lambda: count(600))
    assert large < 2.3 * small


def test_invented_relays_are_counted_and_left_out() -> None:
    """Each took a place for ever, with no row to be counted by; those that are declared always have room."""
    most, lines = MOST_UNDECLARED, [line(1), statement([day_row(0)], [])]
    invented = [by(number, one) for number in range(most + 5) for one in lines]
    tally = Tally()
    tally.limit(1000, 1000, RelayNames({"gw1"}, most), math.inf)
    tally.add(b"".join([*invented, *lines]))
    assert (tally.unlisted, tally.statements.unlisted) == (5, 5)
    assert tally.relays() == {"gw1", *(f"r{number}" for number in range(most))}
    own = Books(relays=["gw1"])
    own.enter(tally_of(invented))
    own.enter(tally)
    assert own.unlisted == 5 + 5 * 2 + 5 + 5
    assert set(own.statement_times) == tally.relays()
    assert {series[0] for series in own.series()} == tally.relays()


@pytest.mark.parametrize("given", [[], [[1, 2]]])
def test_keys_given_up_are_bounded(given: list[Any]) -> None:
    """A key without ranges took room too."""
    tally = tally_of([statement([], [[f"{number:032x}", "web", given] for number in range(9)])], most=4)
    (relay,) = tally.statements.relays.values()
    assert len(relay.given_up) == (4 if given else 0)
    assert tally.statements.unlisted == (5 if given else 0)


def test_what_is_stated_again_takes_no_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """A relay states what it gave up each minute, for 35 days."""
    monkeypatch.setattr(books, "MOST_RUNS", 3)
    own = Books()
    for _ in range(9):
        own.enter(tally_of([statement([day_row(0)], [[BOOT, "web", [[1, 2], [5, 6]]]])], most=3))
    assert (own.unlisted, own.given_up["gw1", BOOT, "web"]) == (0, [(1, 2), (5, 6)])


def test_runs_and_rows_beyond_the_limit_are_counted_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(books, "MOST_RUNS", 4)
    own = Books()
    own.enter(tally_of([line(2 * number) for number in range(4)]))
    own.enter(tally_of([line(2 * number, source="more") for number in range(2)]))
    assert (own.unlisted, own.numbers(("gw1", BOOT, "more"))) == (2, [])
    rows = [[BOOT, "web", f"2026-11-{day:02d}", 1, 9, TIME, TIME] for day in range(1, 8)]
    own.enter(tally_of([statement(rows, [])]))
    assert (own.unlisted, len(own.stated["gw1", BOOT, "web"])) == (2 + 3, 4)


def stated_at(time: str) -> bytes:
    return statement([], []).replace(f'"received":"{TIME}"'.encode(), f'"received":"{time}"'.encode())


@pytest.mark.parametrize("order", [1, -1])
def test_a_statement_of_a_time_to_come_hides_no_silence(order: int) -> None:
    """One of 2099 was the last for ever, and the relay could fall silent."""
    lines = [stated_at(time) for time in ("2099-01-01T00:00:00Z", TIME)][::order]
    latest = (NOW + timedelta(seconds=120)).timestamp()
    tally = Tally()
    tally.limit(100, 100, RelayNames(), latest)
    tally.add(b"".join(lines))
    own = Books(latest)
    own.enter(tally)
    own.enter(tally_of([lines[0]]))
    own.enter(tally_of([stated_at("2099-01-01T00:00:00Z")]))
    assert own.statement_times == {"gw1": TIME}


def test_the_last_statement_is_the_last_in_time_and_not_in_text() -> None:
    own = Books()
    own.enter(tally_of([stated_at("2026-11-24T10:30:00+00:00"), stated_at("2026-11-24T11:00:00+02:00")]))
    own.enter(tally_of([stated_at("2026-11-24T11:15:00+02:00")]))
    assert own.statement_times == {"gw1": "2026-11-24T10:30:00.000000+00:00"}


def test_what_is_left_out_is_not_confirmed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay keeps it: nothing is pruned that nobody has counted."""
    monkeypatch.setattr(books, "MOST_RUNS", 1)
    own = Books()
    own.enter(tally_of([line(1), line(2)]))
    own.enter(tally_of([line(9)]))
    assert confirmable(own) == [(("gw1", BOOT, "firewall1"), [(1, 2)])]
