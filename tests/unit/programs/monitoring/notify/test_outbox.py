"""What waits and what is under way: nothing is lost or told twice under two numbers, and waits grow and end."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.alarm_records import NOW, record

from vaern_programs.monitoring.alarms.program import TEXTS
from vaern_programs.monitoring.notify import outbox
from vaern_programs.monitoring.notify.quiet import WAITS, can_wait, is_quiet
from vaern_programs.monitoring.notify.records import NUMBERED


def state(*records: Any) -> outbox.State:
    return {"places": {}, "waiting": list(records), "under_way": None}


def formed(one: outbox.State, *, is_quiet: bool = False) -> outbox.Message:
    message = outbox.form(one, is_quiet=is_quiet)
    assert message is not None
    return message


def test_what_waits_goes_out_together_with_one_number() -> None:
    one = state(record(1), record(2))
    message = formed(one)
    assert [told["sequence"] for told in message["records"]] == [1, 2]
    assert one["waiting"] == []
    one["waiting"].append(record(3))
    assert formed(one) is message


def test_it_is_the_same_message_after_a_kill(tmp_path: Path) -> None:
    one = state(record(1))
    message = formed(one)
    outbox.keep(tmp_path / "x.json", one)
    assert outbox.restored(tmp_path / "x.json")["under_way"] == message


@pytest.mark.parametrize("text", ["", "{", "[]", '{"places": {}, "waiting": [{}], "under_way": null}', "[" * 5000])
def test_a_damaged_file_is_as_a_new_channel(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert outbox.restored(tmp_path / "x.json") == state()


def test_it_is_written_only_when_something_has_changed(tmp_path: Path) -> None:
    """Each channel is looked at every minute, and each write waits for the disk."""
    path, state = tmp_path / "state.json", outbox.restored(tmp_path / "none")
    outbox.keep(path, state)
    written = path.stat().st_ino
    outbox.keep(path, outbox.restored(path))
    assert path.stat().st_ino == written
    state["waiting"].append(NUMBERED.take(record(1)))
    outbox.keep(path, state)
    assert outbox.restored(path) == state


def test_waits_grow_to_an_hour_and_no_further() -> None:
    message = formed(state(record(1)))
    waits = []
    for _ in range(40):
        outbox.failed(message, "no", NOW, 60.0)
        waits.append(message["next"] - NOW)
    for number, wait in enumerate(waits):
        usual = min(60.0 * 2**number, outbox.LONGEST_WAIT)
        assert usual <= wait <= usual * (1 + outbox.SPREAD)
    assert message["since"] == NOW


def test_a_receiver_may_ask_for_a_longer_wait_but_not_for_ever() -> None:
    message = formed(state(record(1)))
    outbox.failed(message, "no", NOW, 60.0, 7200.0)
    assert message["next"] - NOW == 7200.0
    outbox.failed(message, "no", NOW, 60.0, 10.0**9)
    assert message["next"] - NOW == outbox.LONGEST_ASKED


def test_a_clock_that_was_set_back_makes_no_message_wait_for_years() -> None:
    message = formed(state(record(1)))
    outbox.failed(message, "no", NOW, 60.0)
    assert not outbox.is_due(message, NOW + 59)
    assert outbox.is_due(message, NOW + 67)
    assert outbox.is_due(message, NOW - 10**8)


def test_at_night_only_what_cannot_wait_is_told() -> None:
    one = state(record(1, kind="clock"), record(2, kind="spool"), record(3, state="cleared"))
    assert [told["sequence"] for told in formed(one, is_quiet=True)["records"]] == [2]
    one["under_way"] = None
    assert outbox.form(one, is_quiet=True) is None
    assert [told["sequence"] for told in formed(one)["records"]] == [1, 3]


def test_more_than_a_night_should_hold_breaks_the_quiet() -> None:
    """Otherwise whoever makes a host report much could keep what matters from being told."""
    held = [record(number, kind="clock") for number in range(outbox.MOST_HELD + 1)]
    assert len(formed(state(*held), is_quiet=True)["records"]) == outbox.MOST_TOLD
    assert outbox.form(state(*held[:-1]), is_quiet=True) is None


@given(st.lists(st.tuples(st.sampled_from(["clock", "spool"]), st.booleans()), max_size=120), st.data())
def test_each_change_is_in_one_message_and_none_is_too_large(kinds: list[tuple[str, bool]], data: Any) -> None:
    one = state(*(record(number, kind=kind) for number, (kind, _) in enumerate(kinds)))
    told: list[int] = []
    for _ in range(200):
        message = outbox.form(one, is_quiet=data.draw(st.booleans()))
        if message is not None:
            assert len(message["records"]) <= outbox.MOST_TOLD
            told += [each["sequence"] for each in message["records"]]
            one["under_way"] = None
        if not one["waiting"]:
            break
    else:
        told += [each["sequence"] for each in one["waiting"]]
    assert sorted(told) == list(range(len(kinds)))


@pytest.mark.parametrize(
    ("now", "quiet"),
    [
        ("2026-01-15T21:30:00", True),  # 22:30 in Denmark, UTC+1
        ("2026-01-15T20:59:00", False),
        ("2026-07-15T20:00:00", True),  # 22:00 in Denmark, UTC+2
        ("2026-07-15T05:00:00", False),
        ("2026-01-15T05:59:00", True),
        ("2026-01-15T06:00:00", False),
    ],
)
def test_quiet_hours_are_danish_and_go_over_midnight(now: str, quiet: bool) -> None:
    from datetime import UTC, datetime

    seconds = datetime.fromisoformat(now).replace(tzinfo=UTC).timestamp()
    assert is_quiet({"start": "22:00", "end": "07:00"}, seconds) is quiet
    assert is_quiet(None, seconds) is False
    assert is_quiet({"start": "07:00", "end": "22:00"}, seconds) is not quiet


@pytest.mark.parametrize(("value", "waits"), [(20.0, True), (1.0, False), (None, False)])
def test_a_certificate_waits_until_its_last_day(value: float | None, waits: bool) -> None:
    assert can_wait(NUMBERED.take(record(1, kind="certificate", value=value))) is waits


def test_every_kind_that_waits_is_one_and_loss_never_waits() -> None:
    kinds = {name.removesuffix(" unknown") for name in json.loads(TEXTS.read_text(encoding="utf-8"))}
    assert WAITS - kinds == {"run", "approval", "duty"}
    assert not WAITS & {"silent", "heartbeat", "spool", "discards", "killed", "quarantine", "missing", "notify"}


def test_places_of_files_that_are_not_told_any_more_are_forgotten() -> None:
    one = state()
    one["places"] = {"a": {"boot": "", "sequence": 0, "offset": 0}, "b": {"boot": "", "sequence": 0, "offset": 0}}
    outbox.forget(one, ["b"])
    assert list(one["places"]) == ["b"]
