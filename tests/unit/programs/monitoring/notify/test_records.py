"""What is new in a file of alarms: each change once, however the file grows, is cut, or is rewritten."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support.alarm_records import NOW, record, written

from vaern_programs.monitoring.alarms.log import AlarmLog
from vaern_programs.monitoring.notify import records
from vaern_programs.monitoring.notify.records import BEGINNING, News, news
from vaern_programs.shared.times import stamp


def found(path: Path, place: Any) -> News:
    one = news(path, place)
    assert one is not None
    return one


def numbers(one: News) -> list[int]:
    return [record["sequence"] for record in one.records]


def test_a_new_channel_is_told_what_is_open_and_no_history(tmp_path: Path) -> None:
    path = written(
        tmp_path / "0710.jsonl",
        record(1),
        record(2, state="cleared"),
        record(3, subject="dhcp1"),
        record(4, kind="clock", subject="gw1"),
        record(5, kind="clock", subject="gw1", state="cleared"),
    )
    first = found(path, None)
    assert numbers(first) == [3]
    assert numbers(found(path, first.place)) == []
    written(path, record(6))
    assert numbers(found(path, first.place)) == [6]


def test_what_came_and_went_since_an_empty_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "0710.jsonl"
    place = found(path, None).place
    assert place == BEGINNING
    written(path, record(1), record(2, state="cleared"))
    assert numbers(found(path, place)) == [1, 2]


def test_a_half_written_line_waits_for_its_end(tmp_path: Path) -> None:
    path = written(tmp_path / "0710.jsonl", record(1))
    place = found(path, BEGINNING).place
    whole = written(tmp_path / "other", record(2)).read_bytes()
    path.write_bytes(path.read_bytes() + whole[:40])
    assert numbers(found(path, place)) == []
    with path.open("ab") as file:
        file.write(whole[40:])
    assert numbers(found(path, place)) == [2]


def test_damaged_lines_and_those_of_another_municipality_are_left_out(tmp_path: Path) -> None:
    path = written(tmp_path / "0710.jsonl", record(1))
    with path.open("a", encoding="utf-8") as file:
        file.write('{"municipality": "0710"}\n[]\n{\n')
    written(path, record(2, municipality="0751"), record(3, subject="a\nb"), record(4))
    assert numbers(found(path, BEGINNING)) == [1, 4]


def test_a_file_that_is_being_rewritten_is_left_for_later(tmp_path: Path) -> None:
    path = written(tmp_path / "0710.jsonl", record(1))
    (tmp_path / "0710.kept").write_text("")
    assert news(path, BEGINNING) is None


def test_one_reading_is_bounded_and_the_next_goes_on(tmp_path: Path) -> None:
    many = range(1, records.MOST_AT_ONCE + 3)
    path = written(tmp_path / "0710.jsonl", *(record(number) for number in many))
    first = found(path, BEGINNING)
    assert numbers(first) + numbers(found(path, first.place)) == list(many)


def test_a_file_in_a_new_life_is_news(tmp_path: Path) -> None:
    path = written(tmp_path / "0710.jsonl", *(record(number) for number in range(1, 5)))
    place = found(path, BEGINNING).place
    path.write_text("")
    written(path, record(1, boot="b" * 32))
    assert numbers(found(path, place)) == [1]


@settings(max_examples=30)
@given(st.lists(st.sampled_from(["change", "look", "forget"]), max_size=24))
def test_each_change_is_seen_once_and_in_order(tmp_path_factory: Any, steps: list[str]) -> None:
    """The alarm service writes and forgets with its own code; whoever tells reads at any time between."""
    folder = tmp_path_factory.mktemp("alarms")
    log, place, seen, made = AlarmLog(folder), BEGINNING, [], 0
    for step in [*steps, "look"]:
        if step == "change":
            made += 1
            state = "raised" if made % 2 else "cleared"
            log.append({**record(made, state=state), "municipality": "0710"})
        elif step == "forget":
            log.forget("0710", stamp(NOW + 10**6))
        else:
            one = found(folder / "0710.jsonl", place)
            seen, place = seen + numbers(one), one.place
    # What was forgotten before anybody looked is gone, but for what is open and the last one.
    assert seen == sorted(set(seen))
    if "forget" not in steps:
        assert seen == list(range(1, made + 1))
    assert (made in seen) == bool(made)
