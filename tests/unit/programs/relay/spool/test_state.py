"""The relay's side of the ledger: what it knows it has sent, may let go of, and what gives way when it is full."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from vaern_programs.relay.spool import index as spool_index
from vaern_programs.relay.spool import state as spool_state
from vaern_programs.shared import intervals as ledger_intervals
from vaern_programs.shared import tally as ledger_tally

ROLE = Path(__file__).resolve().parents[5] / "roles" / "log_shipper"
PACKAGE = ROLE.parent / "programs" / "package"
BOOT, LATER = "a" * 32, "b" * 32
DAY = "2026-11-24"
bounded = settings(max_examples=20, database=None)


class Programs(NamedTuple):
    spool_index: ModuleType
    spool_state: ModuleType
    ledger_intervals: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(spool_index, spool_state, ledger_intervals)


def line(number: int, boot: str = BOOT, source: str = "dhcp1", day: str = DAY) -> bytes:
    time = f"{day}T10:{number // 60 % 60:02d}:{number % 60:02d}.000000+00:00"
    return (
        f'{{"time":"{time}","received":"{time}","municipality":"0710","relay":"gw1","boot":"{boot}","sequence":{number},'
        f'"site":"raadhus","source":"{source}","kind":"dhcp","message":"m{number}"}}\n'
    ).encode()


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    for name in ("segments", "ledger", "evicted"):
        (tmp_path / name).mkdir()
    return tmp_path


def write(spool: Path, name: str, *lines: bytes) -> Path:
    path = spool / "segments" / name
    with path.open("ab") as file:
        file.write(b"".join(lines))
    return path


def held(programs: Programs, spool: Path) -> dict[tuple[str, str], list[tuple[int, int]]]:
    found: dict[tuple[str, str], list[tuple[int, int]]] = programs.spool_state.spooled(
        programs.spool_index.segments(spool)
    )
    return found


def test_a_segment_is_read_on_where_it_grew_also_under_its_new_name(programs: Programs, spool: Path) -> None:
    path = write(spool, "open-2.jsonl", line(1), line(2))
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 2)]}
    path.rename(spool / "segments" / "20261124T100000.0-2.jsonl")
    write(spool, "20261124T100000.0-2.jsonl", line(3))
    write(spool, "open-2.jsonl", line(4))
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 4)]}
    assert len(list((spool / "ledger" / "index").iterdir())) == 2


def test_a_line_that_a_kill_cut_off_is_no_event(programs: Programs, spool: Path) -> None:
    write(spool, "20261124T100000.0-2.jsonl", line(1), line(2)[:-20])
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 1)]}
    write(spool, "open-2.jsonl", line(1, LATER)[:-1])
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 1)]}


@pytest.mark.parametrize("moment", ["between listing and opening", "while the folder is listed"])
def test_a_segment_that_is_closed_meanwhile_is_not_taken_for_evicted(
    programs: Programs, spool: Path, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    """In the list of its folder it may be under neither name (POSIX, readdir); the relay said that it gave it up."""
    path = write(spool, "open-2.jsonl", line(1), line(2))
    closed = path.with_name("20261124T100000.0-2.jsonl")
    listed = programs.spool_index._read_all

    def closed_just_then(*arguments: Any) -> Any:
        monkeypatch.undo()
        if moment.startswith("between"):
            monkeypatch.setattr(programs.spool_index, "opened", opened_once_it_is_closed)
            return listed(*arguments)
        path.rename(spool / "aside")
        found = listed(*arguments)
        (spool / "aside").rename(closed)
        return found

    def opened_once_it_is_closed(asked: Path) -> int:
        monkeypatch.undo()
        path.rename(closed)
        return int(programs.spool_index.opened(asked))

    monkeypatch.setattr(programs.spool_index, "_read_all", closed_just_then)
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 2)]}
    assert len(list((spool / "ledger" / "index").iterdir())) == 1


def test_a_closed_segment_without_a_line_is_waited_for_by_nobody(
    programs: Programs, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A kill cut off its only event: it has been read, and is not looked for again."""
    listed, looks = programs.spool_index._read_all, []
    monkeypatch.setattr(programs.spool_index, "_read_all", lambda *given: (looks.append(given), listed(*given))[1])
    write(spool, "20261124T100000.0-2.jsonl", line(1)[:-20])
    write(spool, "20261124T100001.0-2.jsonl")
    write(spool, "open-2.jsonl", line(1, LATER))
    assert held(programs, spool) == {(LATER, "dhcp1"): [(1, 1)]}
    assert len(looks) == 1


def test_a_segment_that_goes_before_it_is_sent_again_ends_nothing(programs: Programs, spool: Path) -> None:
    """It was evicted, or closed, between the two."""
    path = write(spool, "20261124T100000.0-2.jsonl", line(1))
    (segment,) = programs.spool_index.segments(spool)
    path.unlink()
    assert list(programs.spool_index.lines_of(segment, {(BOOT, "dhcp1"): [(1, 1)]})) == []


def test_an_index_goes_with_its_segment(programs: Programs, spool: Path) -> None:
    path = write(spool, "20261124T100000.0-2.jsonl", line(1))
    held(programs, spool)
    path.unlink()
    assert held(programs, spool) == {}
    assert list((spool / "ledger" / "index").iterdir()) == []


@pytest.mark.parametrize("torn", [b"", b'{"end": 9', b"\0" * 40], ids=["empty", "cut", "zeros"])
def test_an_index_that_a_power_cut_left_torn_is_made_again(programs: Programs, spool: Path, torn: bytes) -> None:
    """Every later round ended in it: what was in the spool was neither stated nor sent again."""
    write(spool, "20261124T100000.0-2.jsonl", line(1), line(2))
    held(programs, spool)
    (index,) = (spool / "ledger" / "index").iterdir()
    index.write_bytes(torn)
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 2)]}


def test_an_index_of_more_than_a_power_cut_left_is_made_again(programs: Programs, spool: Path) -> None:
    path = write(spool, "20261124T100000.0-2.jsonl", line(1), line(2))
    held(programs, spool)
    path.write_bytes(line(1))
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 1)]}
    write(spool, path.name, line(3))
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 1), (3, 3)]}


@pytest.mark.parametrize("size", [100, 2**20, 3 * 2**20])
def test_what_follows_the_zeros_of_a_power_cut_is_counted(programs: Programs, spool: Path, size: int) -> None:
    """Also where a segment begins with them, and another one does too."""
    for number in (1, 2):
        write(spool, f"20261124T10000{number}.0-2.jsonl", b"\0" * size, b"\n", line(number))
    assert held(programs, spool) == {(BOOT, "dhcp1"): [(1, 2)]}


def test_exactly_what_is_wanted_is_sent_again(programs: Programs, spool: Path) -> None:
    write(spool, "20261124T100000.0-2.jsonl", *(line(n) for n in range(1, 6)), *(line(n, LATER) for n in range(1, 4)))
    wanted = {(BOOT, "dhcp1"): [(2, 3), (9, 9)], (LATER, "dhcp1"): [(3, 7)]}
    (segment,) = programs.spool_index.segments(spool)
    sent = [sent for _, sent in programs.spool_index.lines_of(segment, wanted)]
    assert sent == [line(2).rstrip(), line(3).rstrip(), line(3, LATER).rstrip()]


def test_the_priority_is_in_the_name(programs: Programs, spool: Path) -> None:
    for name in ("20261124T100000.0-3.jsonl", "20261124T100000.1.jsonl", "open-1.jsonl"):
        write(spool, name, line(len(name)))
    assert [(one.priority, one.open) for one in programs.spool_index.segments(spool)] == [
        (3, False),
        (2, False),
        (1, True),
    ]


def entered(programs: Programs, state: Any, *lines: bytes, since: str = "2026-01-01") -> Any:
    tally = ledger_tally.Tally()
    tally.add(b"".join(lines))
    state.enter([tally], since)
    return state


def test_a_boot_counts_from_one_and_days_follow_one_another(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), line(5), line(6), line(9, day="2026-11-25"))
    assert [row[2:5] for row in state.rows()] == [[DAY, 1, 6], ["2026-11-25", 7, 9]]


def test_what_is_settled_was_sent_long_enough_ago(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), line(1), line(2))
    assert state.settle(1000.0, 120.0) == {}
    entered(programs, state, line(3), line(4))
    assert state.settle(1060.0, 120.0) == {}
    assert state.settle(1121.0, 120.0) == {(BOOT, "dhcp1"): 2}
    assert state.settle(1181.0, 120.0) == {(BOOT, "dhcp1"): 4}
    assert len(state.settled) <= 4
    assert state.settle(1182.0, 0.0) == {(BOOT, "dhcp1"): 4}


def test_only_a_confirmation_from_after_the_queue_was_empty_tells_what_is_lacking(programs: Programs) -> None:
    state = programs.spool_state.State()
    minutes = [f"2026-11-24T10:{minute:02d}:00+00:00" for minute in range(5)]
    is_draining = [False, False, True, False, False]
    told = [state.is_conclusive(minute, moving, 30.0) for minute, moving in zip(minutes, is_draining, strict=True)]
    assert told == [False, True, False, False, True]
    assert programs.spool_state.State(state.written()).drained_at == minutes[3]


def test_a_clock_that_is_set_back_holds_up_nothing(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), line(1), line(2))
    state.settle(5000.0, 120.0)
    assert state.settle(1400.0, 120.0) == {}
    assert state.settle(1521.0, 120.0) == {(BOOT, "dhcp1"): 2}
    assert state.is_draining(7, 5000.0, 300.0)
    assert state.is_draining(7, 1400.0, 300.0)
    assert not state.is_draining(7, 1701.0, 300.0)


def test_lacking_is_what_was_sent_and_is_not_confirmed_now(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), *(line(n) for n in range(1, 10)))
    state.confirm({BOOT: {"dhcp1": [[1, 3], [5, 5]]}})
    assert state.lacking({(BOOT, "dhcp1"): 7}) == {(BOOT, "dhcp1"): [(4, 4), (6, 7)]}
    assert state.lacking({}) == {}


def test_given_up_is_what_is_neither_confirmed_nor_kept(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), *(line(n) for n in range(1, 10)))
    state.confirm({BOOT: {"dhcp1": [[1, 3]]}})
    lacking = state.lacking({(BOOT, "dhcp1"): 9})
    state.give_up(lacking, {(BOOT, "dhcp1"): [(6, 9)]})
    assert state.given_up == {(BOOT, "dhcp1"): [(4, 5)]}
    state.confirm({BOOT: {"dhcp1": [[4, 4]]}})
    assert state.given_up == {(BOOT, "dhcp1"): [(5, 5)]}
    # What the archive had and has no more is lacking, and nothing the relay gave up.
    assert state.lacking({(BOOT, "dhcp1"): 4}) == {(BOOT, "dhcp1"): [(1, 3)]}
    state.give_up({(BOOT, "dhcp1"): [(1, 3)]}, {})
    assert state.given_up == {(BOOT, "dhcp1"): [(5, 5)]}


def test_a_queue_that_does_not_move_is_not_waited_for(programs: Programs) -> None:
    state = programs.spool_state.State()
    is_draining = [
        state.is_draining(queued, now, 300.0)
        for queued, now in [(0, 0.0), (9, 60.0), (4, 120.0), (4, 400.0), (4, 430.0)]
    ]
    assert is_draining == [False, True, True, True, False]


def test_statements_tell_what_is_new_and_once(programs: Programs) -> None:
    state = entered(programs, programs.spool_state.State(), line(1), line(2, day="2026-11-25"))
    state.mark_stated(*state.unstated_rows())
    assert state.unstated_rows() == ([], [])
    entered(programs, state, line(3, day="2026-11-25"))
    state.given_up = {(BOOT, "dhcp1"): [(2, 2)]}
    sent, given = state.unstated_rows()
    assert [row[2:5] for row in sent] == [["2026-11-25", 2, 3]]
    assert given == [[BOOT, "dhcp1", [[2, 2]]]]
    state.mark_stated(sent, given)
    assert state.unstated_rows() == ([], [])


def test_the_state_comes_back_from_its_file(programs: Programs, tmp_path: Path) -> None:
    state = entered(programs, programs.spool_state.State(), line(1), line(2))
    state.confirm({BOOT: {"dhcp1": [[1, 1]]}})
    state.settle(5.0, 0.0)
    state.is_draining(7, 1.0, 300.0)
    state.mark_stated(*state.unstated_rows())
    programs.spool_state.write(tmp_path / "state.json", state)
    again = programs.spool_state.read(tmp_path / "state.json")
    assert json.loads(json.dumps(again.written())) == json.loads(json.dumps(state.written()))
    assert again.unstated_rows() == ([], [])
    (tmp_path / "state.json").write_text("{half")
    assert programs.spool_state.read(tmp_path / "state.json").rows() == []


def test_old_days_are_forgotten_but_a_silent_source_goes_on_counting(programs: Programs) -> None:
    state = entered(
        programs, programs.spool_state.State(), line(1), line(1, LATER, day="2026-11-25"), line(1, source="dns1")
    )
    state.forget("2026-12-24")
    assert {row[1]: row[0] for row in state.rows()} == {"dhcp1": LATER, "dns1": BOOT}
    entered(programs, state, line(2, LATER, day="2026-12-25"))
    assert [row[2:5] for row in state.rows() if row[1] == "dhcp1"] == [["2026-11-25", 1, 1], ["2026-12-25", 2, 2]]


@bounded
@given(st.lists(st.integers(1, 30), min_size=1), st.lists(st.integers(1, 30)), st.lists(st.integers(1, 30)))
def test_every_number_is_confirmed_kept_or_given_up(
    programs: Programs, sent: list[int], confirmed: list[int], kept: list[int]
) -> None:
    state = entered(programs, programs.spool_state.State(), *map(line, sent))
    source = (BOOT, "dhcp1")
    state.confirm({BOOT: {"dhcp1": [[n, n] for n in confirmed]}})
    spool = programs.ledger_intervals.union([(n, n) for n in kept])
    state.give_up(state.lacking(state.settle(1.0, 0.0)), {source: spool})
    gone = {n for first, last in state.given_up.get(source, []) for n in range(first, last + 1)}
    assert gone == set(range(1, max(sent) + 1)) - set(confirmed) - set(kept)


def rotation(spool: Path, room: int) -> Path:
    """The program rsyslog runs, made for this folder."""
    text = (ROLE / "templates" / "rotate.j2").read_text(encoding="utf-8")
    program = spool / "rotate"
    values = {"log_shipper_spool": {"directory": str(spool)}, "log_shipper_room": room, "ansible_managed": "test"}
    # The machine's own disk may be fuller than a relay's: the guard of the last percents is another test's.
    made = Environment(autoescape=False).from_string(text).render(values)  # noqa: S701 - a shell script
    module = (
        f"{sys.executable} -c 'from vaern_programs.relay.spool.leaving import main; import sys; main(sys.argv[1:])'"
    )
    made = made.replace("/usr/lib/vaern/vaern-spool-leaving", f"PYTHONPATH={PACKAGE} {module}")
    program.write_text(made.replace("reserve_percent=2", "reserve_percent=0"), encoding="utf-8")
    return program


def noted(spool: Path) -> list[dict[str, Any]]:
    """What the rotation says about what it removed."""
    record = spool / "evicted" / "gave-way"
    return [json.loads(text) for text in record.read_text().splitlines()] if record.exists() else []


def rotated(spool: Path, room: int, *arguments: str) -> list[str]:
    """What is left in the spool, by name."""
    subprocess.run(["sh", str(rotation(spool, room)), *arguments], check=True)
    return sorted(path.name for path in (spool / "segments").iterdir())


@bounded
@given(st.lists(st.tuples(st.sampled_from([1, 2, 3]), st.integers(1, 50)), max_size=10), st.integers(0, 250))
def test_the_least_important_gives_way_first_and_of_those_the_oldest(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[tuple[int, int]], room: int
) -> None:
    spool = tmp_path_factory.mktemp("spool")
    (spool / "segments").mkdir()
    (spool / "evicted").mkdir()
    for number, (priority, size) in enumerate(wanted):
        write(spool, f"20261124T100000.{number:03d}-{priority}.jsonl", b"x" * size)
    left = [name for name in rotated(spool, room) if name.startswith("2")]
    order = sorted(range(len(wanted)), key=lambda number: (-wanted[number][0], number))
    expected, used = list(order), sum(size for _, size in wanted)
    while used > room:
        used -= wanted[expected.pop(0)][1]
    names = {number: f"20261124T100000.{number:03d}-{wanted[number][0]}.jsonl" for number in order}
    assert left == sorted(names[number] for number in expected)
    assert [one["name"] for one in noted(spool)] == [names[number] for number in order if number not in expected]


def test_only_the_full_segment_is_closed_and_all_of_them_at_a_start(spool: Path) -> None:
    for priority in (1, 2, 3):
        write(spool, f"open-{priority}.jsonl", line(priority))
    assert [name[-8:] for name in rotated(spool, 10**6, "2") if name.startswith("2")] == ["-2.jsonl"]
    assert sorted(name[-8:] for name in rotated(spool, 10**6)) == ["-1.jsonl", "-2.jsonl", "-3.jsonl"]


def test_the_last_of_the_disk_is_never_taken(spool: Path) -> None:
    write(spool, "20261124T100000.0-2.jsonl", line(1))
    program = rotation(spool, 10**6)
    program.write_text(program.read_text().replace("reserve_percent=0", "reserve_percent=101"))
    subprocess.run(["sh", str(program)], check=True)
    assert list((spool / "segments").iterdir()) == []
    assert [one["name"] for one in noted(spool)] == ["20261124T100000.0-2.jsonl"]


def test_what_waits_unread_takes_of_the_same_bytes_and_is_counted_when_it_goes(spool: Path) -> None:
    unread = spool / "unread"
    unread.mkdir()
    (unread / "open-3.unread").write_bytes(b"x\n" * 30)
    assert rotated(spool, 10**6, "3") == []
    (closed,) = unread.iterdir()
    assert closed.name.endswith("-3.unread")
    (unread / "20261124T100000.0-2.unread").write_bytes(b"x\n" * 20)
    write(spool, "20261124T100000.1-2.jsonl", b"y" * 20)
    assert rotated(spool, 60, "room") == ["20261124T100000.1-2.jsonl"]
    assert {path.name for path in unread.iterdir()} == {"20261124T100000.0-2.unread", "evicted"}
    assert (unread / "evicted").read_text() == "30\n"
    assert rotated(spool, 20, "room") == ["20261124T100000.1-2.jsonl"]
    assert (unread / "evicted").read_text() == "50\n"
    assert noted(spool) == []


def test_what_gives_way_is_noted_before_it_goes(programs: Programs, spool: Path) -> None:
    write(spool, "20261124T100000.0-3.jsonl", line(1), line(2), line(7, LATER), line(8, LATER)[:-9])
    rotated(spool, 0)
    (one,) = noted(spool)
    state = programs.spool_state.State()
    state.enter([ledger_tally.Tally.read(one["tally"])], "2026-01-01")
    assert [(row[0], *row[3:5]) for row in state.rows()] == [(BOOT, 1, 2), (LATER, 1, 7)]
    state.give_up(state.lacking(state.settle(1.0, 0.0)), {})
    assert state.given_up == {(BOOT, "dhcp1"): [(1, 2)], (LATER, "dhcp1"): [(1, 7)]}
