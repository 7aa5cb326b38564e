"""Alarms as events: what they hold, that each is told once and in order whatever the broker does, and what is kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaern_programs.collector.archive import partition
from vaern_programs.monitoring.alarms import events, log
from vaern_programs.shared import identity, tally
from vaern_programs.shared.view import View

ROOT = Path(__file__).resolve().parents[5]
SCHEMA = json.loads((ROOT / "cli" / "vaern" / "data" / "event.schema.json").read_text(encoding="utf-8"))
TENANT = {
    "code": "0710",
    "sources": [
        {"name": "firewall1", "relay": "gw1", "sector": "administration"},
        {"name": "journal1", "relay": "gw1", "sector": "health", "topic": "logs.0710.national"},
    ],
    "hosts": [{"name": "favrskov-gw1", "source": "vaern-gw1", "sector": "administration"}],
}
SINCE = "2026-11-24T08:00:00.000Z"


class Programs(NamedTuple):
    log: ModuleType
    events: ModuleType
    tally: ModuleType
    partition: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(log, events, tally, partition)


def change(
    kind: str, subject: str, state: str = "raised", at: str = "2026-11-24T09:00:00.000Z", code: str = "0710"
) -> dict[str, Any]:
    """A change as the alarm service writes it."""
    text = {"da": f"{subject} er tavs.", "en": f"{subject} is silent."}
    whole = {"time": at, "municipality": code, "kind": kind, "subject": subject, "state": state, "since": SINCE}
    return {**whole, "value": 420, "limit": 300.0, "text": text}


class Broker:
    """A producer that takes events when it is there; what it holds is what was acknowledged."""

    def __init__(self) -> None:
        self.held: list[tuple[str, dict[str, Any]]] = []
        self.there = True
        self.under_way: list[tuple[str, bytes, Callable[[Any, Any], None]]] = []

    def produce(self, topic: str, value: bytes, key: str, on_delivery: Callable[[Any, Any], None]) -> None:
        assert key == "vaern.alarm"
        self.under_way.append((topic, value, on_delivery))

    def poll(self, seconds: float) -> None:
        sent, self.under_way = self.under_way, []
        for topic, value, told in sent:
            if self.there:
                self.held.append((topic, json.loads(value)))
            told(None if self.there else "no answer in time", None)

    def flush(self, seconds: float) -> None:
        self.poll(seconds)


class Bench:
    """An alarm service's alarm log and its publisher, which can be ended and started again."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.programs, self.folder, self.broker = programs, folder, Broker()
        self.now = 0.0
        (folder / "alarms").mkdir()
        self.start()

    def start(self) -> None:
        self.broker.under_way.clear()
        self.log = self.programs.log.AlarmLog(self.folder / "alarms")
        self.publisher = self.programs.events.Publisher(
            self.log, self.folder / "told.json", "hub1", lambda: self.broker
        )

    def write(self, *changes: dict[str, Any]) -> None:
        for one in changes:
            self.publisher.take(self.log.append(one))

    def look(self, times: int = 1) -> None:
        for _ in range(times):
            self.now += 1e9  # further than any time to wait before it is tried again
            self.publisher.look([TENANT], self.now)

    def held(self) -> list[int]:
        return [event["sequence"] for _, event in self.broker.held]


@pytest.fixture
def bench(programs: Programs, tmp_path: Path) -> Bench:
    return Bench(programs, tmp_path)


def test_an_alarm_is_an_event_of_its_municipality(bench: Bench, programs: Programs) -> None:
    bench.write(change("silent", "firewall1"), change("silent", "firewall1", "cleared", "2026-11-24T10:00:00.000Z"))
    bench.look(2)
    (topic, raised), (_, cleared) = bench.broker.held
    assert topic == "logs.0710"
    for event in (raised, cleared):
        jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(event)
        line = json.dumps(event, separators=(",", ":")).encode()
        assert identity.IDENTITY.match(line), "the ledger would have to read it as JSON"
        assert programs.partition.grouped([line], {b"firewall1": 30}) == {None: [0]}
    assert raised["ecs"]["event.kind"] == "alert"
    assert (raised["ecs"]["event.action"], cleared["ecs"]["event.action"]) == ("alarm-raised", "alarm-cleared")
    assert raised["ecs"]["event.start"] == cleared["ecs"]["event.start"] == SINCE
    assert cleared["ecs"]["event.end"] == "2026-11-24T10:00:00.000Z"
    assert (raised["message"], cleared["message"]) == ("firewall1 is silent.", "Over: firewall1 is silent.")
    assert (raised["alarm"]["text"]["da"], cleared["alarm"]["text"]["da"]) == (
        "firewall1 er tavs.",
        "Ovre: firewall1 er tavs.",
    )


@pytest.mark.parametrize(
    ("kind", "subject", "topic", "sector"),
    [
        ("silent", "journal1", "logs.0710.national", "health"),
        ("unread", "journal1", "logs.0710.national", "health"),
        ("field", "journal1: source.ip", "logs.0710.national", "health"),
        ("clock", "favrskov-gw1", "logs.0710", "administration"),
        ("certificate", "favrskov-gw1: host.crt", "logs.0710", "administration"),
        ("archive", "0710", "logs.0710", "administration"),
        ("heartbeat", "journal1", "logs.0710", "administration"),
    ],
)
def test_an_alarm_about_a_sector_goes_where_its_events_go(
    bench: Bench, kind: str, subject: str, topic: str, sector: str
) -> None:
    bench.write(change(kind, subject))
    bench.look(2)
    ((where, event),) = bench.broker.held
    assert (where, event["sector"]) == (topic, sector)


def test_alarms_of_shared_hosts_and_of_strangers_are_nobodys_events(bench: Bench) -> None:
    bench.write(change("clock", "hub1", code="shared"), change("clock", "x", code="0751"))
    bench.look(3)
    assert bench.broker.held == []
    assert bench.publisher.producer is None, "there was no need to connect"


def test_the_ledger_counts_no_alarm(bench: Bench, programs: Programs) -> None:
    bench.write(*(change("silent", "firewall1", state) for state in ("raised", "cleared", "raised")))
    bench.look(2)
    tally = programs.tally.Tally()
    text = b"".join(json.dumps(event, separators=(",", ":")).encode() + b"\n" for _, event in bench.broker.held)
    tally.add(text)
    assert (tally.events, tally.others) == ({}, 0)
    assert len(list(View().of((text + text).splitlines()))) == 3


def test_what_the_broker_does_not_take_is_told_later(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.broker.there = False
    bench.write(change("silent", "firewall1"))
    bench.look(3)
    assert "Alarms wait for the broker" in capsys.readouterr().err
    bench.broker.there = True
    bench.look(3)
    assert bench.held() == [1]
    bench.start()
    bench.look(3)
    assert bench.held() == [1], "what was acknowledged is not told again"


def test_without_its_memory_the_same_events_are_told_again(bench: Bench, programs: Programs) -> None:
    bench.write(*(change("silent", "firewall1", state) for state in ("raised", "cleared")))
    bench.look(2)
    (bench.folder / "told.json").unlink()
    bench.start()
    bench.look(2)
    assert bench.held() == [1, 2, 1, 2]
    lines = [json.dumps(event).encode() for _, event in bench.broker.held]
    assert len(list(View().of(lines))) == 2


def test_a_file_of_alarms_that_was_lost_begins_another_life(bench: Bench, programs: Programs) -> None:
    """Its numbers begin again; without another name its events would be taken for those told before."""
    bench.write(change("silent", "firewall1"))
    bench.look(2)
    (bench.folder / "alarms" / "0710.jsonl").unlink()
    bench.start()
    bench.write(change("silent", "firewall1"))
    bench.look(2)
    assert bench.held() == [1, 1]
    assert len({event["boot"] for _, event in bench.broker.held}) == 2


def test_records_from_before_alarms_were_events_are_none(bench: Bench) -> None:
    old = json.dumps(change("silent", "firewall1")) + "\n"
    (bench.folder / "alarms" / "0710.jsonl").write_text(old, encoding="utf-8")
    bench.start()
    assert len(bench.log.open) == 1
    bench.write(change("silent", "firewall1", "cleared"))
    bench.look(2)
    assert [(event["sequence"], event["alarm"]["state"]) for _, event in bench.broker.held] == [(1, "cleared")]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(st.sampled_from(["alarm", "look", "away", "back", "restart", "forget"]), max_size=30))
def test_every_alarm_is_told_in_order_whatever_happens(
    programs: Programs, tmp_path_factory: pytest.TempPathFactory, steps: list[str]
) -> None:
    bench = Bench(programs, tmp_path_factory.mktemp("events"))
    written = 0
    for step in steps:
        if step == "alarm":
            bench.write(change("silent", "firewall1", "cleared" if written % 2 else "raised"))
            written += 1
        elif step == "look":
            bench.look()
        elif step == "restart":
            bench.start()
        elif step == "forget":
            bench.log.forget("0710", "2026-11-24T00:00:00.000Z")
        else:
            bench.broker.there = step == "back"
    bench.broker.there = True
    bench.look(4)
    first = [number for number, event in enumerate(bench.held()) if event not in bench.held()[:number]]
    assert [bench.held()[number] for number in first] == list(range(1, written + 1))


def test_old_records_go_and_open_alarms_stay(bench: Bench) -> None:
    path = bench.folder / "alarms" / "0710.jsonl"
    old, new = "2025-01-01T00:00:00.000Z", "2026-11-24T00:00:00.000Z"
    bench.write(
        change("silent", "firewall1", "raised", old),
        change("silent", "firewall1", "cleared", old),
        change("clock", "favrskov-gw1", "raised", old),
        change("silent", "firewall1", "raised", new),
    )
    inode = path.stat().st_ino
    opened = dict(bench.log.open)
    assert bench.log.forget("0710", "2026-01-01T00:00:00.000Z") == 2
    assert bench.log.forget("0710", "2026-01-01T00:00:00.000Z") == 0
    assert [json.loads(line)["sequence"] for line in path.read_text().splitlines()] == [3, 4]
    assert path.stat().st_ino == inode, "its group is the municipality's"
    bench.start()
    assert bench.log.open == opened
    bench.write(change("silent", "firewall1", "cleared"))
    assert bench.log.last["0710"][1] == 5


def test_the_last_record_stays_so_that_numbers_go_on(bench: Bench) -> None:
    old = "2025-01-01T00:00:00.000Z"
    bench.write(*(change("silent", "firewall1", state, old) for state in ("raised", "cleared")))
    assert bench.log.forget("0710", "2026-01-01T00:00:00.000Z") == 1
    bench.start()
    assert bench.log.append(change("silent", "firewall1"))["sequence"] == 3


def test_a_crash_while_forgetting_loses_nothing(bench: Bench) -> None:
    """The file is half rewritten; what it is to hold is beside it."""
    path = bench.folder / "alarms" / "0710.jsonl"
    bench.write(*(change("silent", "firewall1", state) for state in ("raised", "cleared", "raised")))
    lines = path.read_bytes().splitlines(keepends=True)
    path.with_suffix(".kept").write_bytes(lines[2])
    path.write_bytes(lines[2][:40] + lines[0][40:] + lines[1])
    bench.start()
    assert path.read_bytes() == lines[2]
    assert not path.with_suffix(".kept").exists()
