"""What one municipality sends is no other's concern: each is counted as if it were alone, and who cannot be is told."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaern_programs.ledger import count, program, rounds
from vaern_programs.ledger.count import COLUMNS, RELAYS, Municipality, in_sums
from vaern_programs.shared import health

pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
from vaern_programs.collector.archive.partition import Partition

TIME = "2026-11-24T10:00:00.000000+00:00"
BOOT = "a" * 32
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)
EVENT = {
    "time": TIME, "received": TIME, "municipality": "0710", "relay": "gw1", "boot": BOOT, "sequence": 1,
    "site": "s", "source": "vaern.statement",
    "statement": {
        "sent": [[BOOT, "dhcp1", "2026-11-24", 1, 4, TIME, TIME]],
        "given_up": [[BOOT, "dhcp1", [[1, 2]]]],
        "spool": {"bytes": 1},
    },
}  # fmt: skip


def written(event: Any) -> str:
    """As the relay writes it."""
    return json.dumps(event, separators=(",", ":"))


PLACES: list[tuple[Any, ...]] = [
    *((key,) for key in EVENT),
    *(("statement", key) for key in ("sent", "given_up", "spool")),
    *(("statement", "sent", 0, index) for index in range(7)),
    *(("statement", "given_up", 0, index) for index in range(3)),
    ("statement", "given_up", 0, 2, 0),
    ("statement", "spool", "bytes"),
]
POISON = {
    "a statement with a number in the place of rows": written(EVENT | {"statement": {"sent": 5}}),
    "a statement 20,000 levels deep": written(EVENT | {"statement": 0}).replace(
        '"statement":0', '"statement":' + "[" * 20_000
    ),
    "an event 20,000 levels deep": "[" * 20_000,
    "a number of 400 digits": written(EVENT | {"sequence": 10**400}),
    "an infinite number": written(EVENT | {"sequence": 1e400}),
    "a list as relay": written(EVENT | {"relay": ["gw1"]}),
    "the year 10000": written(EVENT | {"received": "10000-01-01T00:00:00Z"}),
    "no UTF-8": '{"received":"\udcff"}',
}


def event(number: int) -> bytes:
    head = f'{{"time":"{TIME}","received":"{TIME}","municipality":"0751","relay":"gw2","boot":"{BOOT}",'
    return f'{head}"sequence":{number},"site":"s","source":"web","message":"m"}}'.encode()


class Collector:
    """The archives of two municipalities, and what the ledger confirmed to the relays of each."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.health = folder, folder / "run" / "health.json"
        for name in ("archive/0710", "archive/0751", "state", "run", "sent"):
            (folder / name).mkdir(parents=True)
        monkeypatch.setattr(rounds, "send", self.send)
        self.archive("0751", [event(1), event(2), event(4)])

    def send(self, messages: dict[str, str], password: str) -> dict[str, str]:
        for code, text in messages.items():
            confirmed = json.loads(text)
            assert confirmed["code"] == code
            (self.folder / "sent" / code).write_text(json.dumps(confirmed["relays"]), encoding="utf-8")
        return {}

    def archive(self, code: str, lines: list[bytes]) -> None:
        partition = Partition(self.folder / "archive" / code, f"logs.{code}", 0, 1 << 20)
        if partition.next < 0:
            partition.expect(0)
        partition.add(lines, time.monotonic())
        partition.close()

    def municipality(self, code: str) -> Municipality:
        declared = {"archive": {"directory": str(self.folder / "archive")}, "tenants": [{"code": code}]}
        return Municipality(code, declared, self.folder / "state")

    def round(self, *codes: str) -> list[str]:
        return rounds.confirm_each([self.municipality(code) for code in codes], "", self.health)

    def confirmed(self, code: str) -> Any:
        path = self.folder / "sent" / code
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None

    def balance(self, code: str) -> Any:
        return self.municipality(code).balance("2026-11-24")["rows"]


ALONE = {"gw2": {BOOT: {"web": [[1, 2], [4, 4]]}}}


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collector:
    return Collector(tmp_path, monkeypatch)


@pytest.mark.parametrize("what", POISON)
def test_poison_is_dropped_and_counted(collector: Collector, what: str) -> None:
    """Its own events are counted, and so are those of others."""
    lines = [
        POISON[what].encode(errors="surrogateescape"),
        written(EVENT | {"sequence": 3, "source": "dhcp1"}).encode(),
    ]
    collector.archive("0710", lines)
    assert collector.round("0710", "0751") == []
    assert collector.confirmed("0751") == ALONE
    assert collector.confirmed("0710") == {"gw1": {BOOT: {"dhcp1": [[3, 3]]}}}
    found = collector.municipality("0710").balance(None)
    assert found["others"] + found["refused"] in {1, 2}, "as no event, as no statement, or as neither"
    assert health.read(collector.health)["0710"]["refused"] == found["refused"]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from(PLACES), poison=JSON)
def test_whatever_one_sends_the_other_is_counted_as_if_alone(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, ...], poison: Any
) -> None:
    """Any JSON in any place of a statement."""
    collector = Collector(tmp_path_factory.mktemp("both"), monkeypatch)
    statement = json.loads(json.dumps(EVENT))
    inner = statement
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = poison
    collector.archive("0710", [written(statement).encode()])
    assert collector.round("0710", "0751") == []
    assert collector.confirmed("0751") == ALONE
    (row,) = collector.balance("0751")
    assert (row["received"], row["missing"]) == (3, 1)
    assert collector.balance("0710") is not None


def spin() -> Any:
    while True:
        pass


def take_memory() -> Any:
    held = []
    while True:
        held.append(bytearray(2**24))


def end_at_once() -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("work", [spin, take_memory, end_at_once])
def test_who_takes_too_much_is_ended_and_told_and_the_next_is_counted(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]
) -> None:
    # Of processor time, in whole seconds; the next one has ten times as long on a busy machine.
    monkeypatch.setattr(rounds, "SECONDS", 1.0)
    monkeypatch.setattr(rounds, "MEMORY_BYTES", 300 * 2**20)
    first, second = collector.municipality("0710"), collector.municipality("0751")
    monkeypatch.setattr(first, "confirmation", work)
    assert rounds.confirm_each([first, second], "", collector.health) == ["0710"]
    assert collector.confirmed("0751") == ALONE
    found = health.read(collector.health)
    assert (found["0710"]["counted"], found["0751"]["fault"]) == (0.0, "")
    assert found["0710"]["fault"].isprintable()
    assert found["0710"]["fault"]


def test_one_that_was_quick_and_is_no_longer_is_ended_soon(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others waited for the whole time that a count may take."""
    # The first is ended after a whole second of processor time, and has taken longer than this.
    monkeypatch.setattr(rounds, "LONG_SECONDS", 0.9)
    monkeypatch.setattr(rounds, "SECONDS", 60)
    first, second = collector.municipality("0710"), collector.municipality("0751")
    monkeypatch.setattr(first, "confirmation", spin)
    before = time.process_time() + sum(os.times()[2:4])
    assert rounds.confirm_each([first, second], "", collector.health) == ["0710"]
    assert time.process_time() + sum(os.times()[2:4]) - before < 20
    assert collector.confirmed("0751") == ALONE
    found = health.read(collector.health)
    found["0751"]["ended"] = found["0751"]["begun"]  # On a slow machine it may have taken as long as what is long here.
    assert rounds.due_now(found, found["0710"]["ended"] + 1) == (["0751"], [])


@pytest.mark.parametrize(("patience", "told"), [(-1.0, True), (600.0, False)])
def test_how_one_fares_and_what_it_is_told_wait_for_no_other(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, patience: float, told: bool
) -> None:
    """Both waited for the end of the round."""
    monkeypatch.setattr(rounds, "SEND_SECONDS", patience)
    first, second = collector.municipality("0751"), collector.municipality("0710")

    def look() -> Any:
        known = health.read(collector.health)["0751"]
        raise OSError(f"counted {known['counted'] > 0}, told {collector.confirmed('0751') == ALONE}")

    monkeypatch.setattr(second, "confirmation", look)
    assert rounds.confirm_each([first, second], "", collector.health) == ["0710"]
    assert health.read(collector.health)["0710"]["fault"].endswith(f"counted True, told {told}")
    assert collector.confirmed("0751") == ALONE


@pytest.fixture
def held(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Municipality 0710 is being counted, and whoever began it may have gone away."""
    monkeypatch.setattr(count, "TURN_SECONDS", 0.2)
    with count._alone(collector.folder / "state" / "0710"):
        yield


@pytest.mark.usefixtures("held")
def test_another_count_is_not_waited_for_for_ever(collector: Collector) -> None:
    assert collector.round("0710", "0751") == ["0710"]
    assert "0710 is being counted just now" in health.read(collector.health)["0710"]["fault"]
    assert collector.confirmed("0751") == ALONE


def ask(collector: Collector, monkeypatch: pytest.MonkeyPatch, code: str) -> int:
    """`vaern-ledger --code`, as `vaern ledger` asks it."""
    declared = {"archive": {"directory": str(collector.folder / "archive")}, "tenants": [{"code": code}]}
    settings_file = collector.folder / "settings.json"
    settings_file.write_text(json.dumps(declared))
    monkeypatch.setattr(program, "SETTINGS", settings_file)
    monkeypatch.setattr(program, "STATE", collector.folder / "state")
    monkeypatch.setattr(program, "become", lambda user: None)
    return program.main(["--code", code, "--day", "2026-11-24"])


def test_a_balance_is_counted_within_the_limits_of_a_round(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for by hand it had none."""
    assert ask(collector, monkeypatch, "0751") == 1
    assert [row["missing"] for row in json.loads(capsys.readouterr().out)["rows"]] == [1]
    monkeypatch.setattr(Municipality, "balance", lambda self, day: take_memory())
    monkeypatch.setattr(program, "MEMORY_BYTES", 300 * 2**20)
    assert ask(collector, monkeypatch, "0751") == 2
    monkeypatch.setattr(Municipality, "balance", lambda self, day: time.sleep(60))
    monkeypatch.setattr(program, "ANSWER_SECONDS", 0.2)
    assert ask(collector, monkeypatch, "0751") == program.SLOW
    assert "the count of 0751 is slow (not done in time)" in capsys.readouterr().err


@pytest.mark.usefixtures("held")
def test_who_asks_while_it_is_counted_is_told_so(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(collector, monkeypatch, "0710") == program.SLOW
    assert "0710 is being counted just now" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["refused", "unlisted"])
def test_what_was_left_out_is_an_exit_code_too(what: str) -> None:
    answer: Any = {"rows": [], "lost_segments": []}
    assert (program._told(answer)[1], program._told(answer | {what: 1})[1]) == (0, 1)


def test_a_count_that_took_long_rests_and_the_others_do_not_wait(collector: Collector) -> None:
    now = time.time()
    slow: health.Health = {**rounds.NEVER, "begun": now - 100, "ended": now - 1, "counted": now - 1}
    health.write({"0710": slow}, collector.health)
    collector.archive("0710", [event(1)])
    assert collector.round("0710", "0751") == []
    assert (collector.confirmed("0710"), collector.confirmed("0751")) == (None, ALONE)
    health.write({"0710": slow | {"begun": now - 1200, "ended": now - 1101}}, collector.health)
    collector.round("0710")
    assert collector.confirmed("0710") is not None


def test_a_broker_that_is_away_leaves_the_count_done(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(messages: dict[str, str], password: str) -> dict[str, str]:
        return dict.fromkeys(messages, "the broker does not answer")

    monkeypatch.setattr(rounds, "send", refuse)
    assert collector.round("0751") == ["0751"]
    found = health.read(collector.health)["0751"]
    assert found["counted"] > 0
    assert found["fault"] == "its relays got no confirmation: the broker does not answer"


def test_those_that_take_long_come_last_and_one_a_round() -> None:
    def took(seconds: float, ended: float) -> health.Health:
        return {**rounds.NEVER, "begun": ended - seconds, "ended": ended}

    found = {
        "0001": took(100, 50),
        "0002": took(1, 990),
        "0003": took(20, 10),
        "0004": took(60, 900),
        "0005": rounds.NEVER,
    }
    assert rounds.due_now(found, 1000.0) == (["0002", "0005"], ["0003"])
    assert rounds.due_now(found | {"0003": took(20, 1000)}, 1000.0) == (["0002", "0005"], ["0001"])
    assert rounds.due_now(found, 0.0)[1] == ["0003"], "a clock that went back"


def test_a_round_keeps_what_was_counted_in_sums(collector: Collector) -> None:
    """`vaern status` reads it there, of all municipalities at once."""
    statement = json.loads(json.dumps(EVENT))
    statement["statement"]["sent"] = [[BOOT, name, "2026-11-24", 1, 4, TIME, TIME] for name in ("dhcp1", "web")]
    lines = [written(EVENT | {"sequence": number, "source": "dhcp1"}).encode() for number in (3, 3)]
    collector.archive("0710", [*lines, written(statement).encode()])
    collector.round("0710", "0751")
    kept, whole = health.read(collector.health)["0710"]["balance"], collector.municipality("0710").balance(None)
    (row,) = kept["rows"]
    columns = ("sent", "received", "duplicate", "given_up", "under_way", "missing")
    assert [row[one] for one in columns] == [sum(each[one] for each in whole["rows"]) for one in columns]
    assert (row["sent"], row["missing"], row["given_up"], row["duplicate"]) == (8, 5, 2, 1)
    assert kept["statements"] == whole["statements"] == {"gw1": TIME}
    assert (kept["gaps"], kept["lost_segments"], kept["spools"]) == ([], [], {})
    assert abs(datetime.fromisoformat(kept["time"]).timestamp() - time.time()) < 60


def test_a_round_says_of_which_sources_events_are_missing_and_since_when(collector: Collector) -> None:
    statement = json.loads(json.dumps(EVENT))
    statement["statement"]["sent"] = [[BOOT, name, "2026-11-24", 1, 4, TIME, TIME] for name in ("dhcp1", "web")]
    statement["statement"]["given_up"] = []
    collector.archive("0710", [written(statement).encode()])
    collector.round("0710")
    first = health.read(collector.health)["0710"]["missing"]
    assert [(one["relay"], one["source"], one["events"]) for one in first] == [("gw1", "dhcp1", 4), ("gw1", "web", 4)]
    collector.archive("0710", [written(EVENT | {"sequence": number, "source": "dhcp1"}).encode() for number in (1, 2)])
    collector.archive("0710", [written(EVENT | {"sequence": n, "source": "web"}).encode() for n in (1, 2, 3, 4)])
    collector.round("0710")
    (left,) = health.read(collector.health)["0710"]["missing"]
    assert (left["source"], left["events"], left["since"]) == ("dhcp1", 2, first[0]["since"])


def test_what_has_gone_from_the_archive_is_in_the_sums(collector: Collector) -> None:
    collector.round("0751")
    for segment in (collector.folder / "archive" / "0751").rglob("*.zst"):
        segment.unlink()
    collector.round("0751")
    kept = health.read(collector.health)["0751"]["balance"]
    assert [one["events"] for one in kept["lost_segments"]] == [3]


def test_a_count_that_was_not_done_leaves_the_last_one_with_its_time(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.round("0751")
    before = health.read(collector.health)["0751"]["balance"]
    monkeypatch.setattr(Municipality, "confirmation", end_at_once)
    assert collector.round("0751") == ["0751"]
    assert health.read(collector.health)["0751"]["balance"] == before


def test_sums_that_take_too_much_memory_keep_no_confirmation_back(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    def report(*_: object) -> Any:
        raise MemoryError

    monkeypatch.setattr(count, "report", report)
    assert collector.round("0751") == []
    assert collector.confirmed("0751") == ALONE
    assert "balance" not in health.read(collector.health)["0751"]


def test_sums_that_are_more_than_can_be_are_none() -> None:
    row: Any = {"day": "", "relay": "gw1", "source": "s"} | dict.fromkeys(COLUMNS, 10**400)
    found: Any = {
        "code": "0710", "time": TIME, "rows": [row], "gaps": [], "lost_segments": [], "statements": {}, "spools": {},
        "others": 0,
    }  # fmt: skip
    assert in_sums(found) is None
    stated = {f"gw{number:03}": f"2026-11-24T10:{number // 60:02}:{number % 60:02}+00:00" for number in range(300)}
    kept = in_sums(found | {"rows": [], "statements": stated})
    assert kept is not None
    assert list(kept["statements"]) == list(stated)[-RELAYS:]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"0710": 5}', '{"0710": {"begun": "x"}}'])
def test_a_damaged_file_of_health_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "health.json").write_text(text)
    assert health.read(tmp_path / "health.json") == {}


def test_statements_that_an_earlier_version_kept_unchecked_are_checked(collector: Collector) -> None:
    """For 35 days the summary of a day had them, and ended the count of everybody each minute."""
    collector.archive("0710", [written(EVENT | {"sequence": 3, "source": "dhcp1"}).encode()])
    collector.round("0710")
    (summary,) = (collector.folder / "state" / "0710").glob("*.json")
    kept = json.loads(summary.read_text())
    (segment,) = kept["segments"].values()
    good = EVENT["statement"] | {"relay": "gw1", "received": TIME}  # type: ignore[operator]
    segment["tally"] = {
        "keys": segment["tally"]["keys"], "others": 0, "statements": [{"sent": 5}, good, good | {"sent": [[1]]}, 7],
    }  # fmt: skip
    summary.write_text(json.dumps(kept))
    assert collector.round("0710", "0751") == []
    assert health.read(collector.health)["0710"]["refused"] == 3
    found = collector.municipality("0710").balance("2026-11-24")
    assert [(row["received"], row["given_up"], row["missing"]) for row in found["rows"]] == [(1, 2, 1)]


@pytest.mark.parametrize("text", ["[]", '{"segments": 5}', '{"segments": {"x": {}}}', "[" * 20_000])
def test_a_damaged_summary_is_made_again(collector: Collector, text: str) -> None:
    collector.round("0751")
    (summary,) = (collector.folder / "state" / "0751").glob("*.json")
    summary.write_text(text)
    assert collector.round("0751") == []
    assert collector.confirmed("0751") == ALONE


def test_a_line_half_written_in_the_list_of_deletions_is_passed_over(collector: Collector) -> None:
    deleted = collector.folder / "archive" / "0751" / "deleted.jsonl"
    deleted.write_text('{"file": "2026-01-01/x.zst"}\n{"fi')
    assert collector.round("0751") == []
    assert collector.confirmed("0751") == ALONE
