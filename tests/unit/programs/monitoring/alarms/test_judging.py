"""Alarms without a collector: each one once, over restarts and gaps, and nobody blamed who could not be heard."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaern_programs.monitoring.alarms import heartbeats, judging, log, sightings
from vaern_programs.monitoring.alarms.memory import Memory
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.times import unix_or

START = 1_795_549_000.0
SETTINGS = {
    "tenants": [
        {
            "code": "0710",
            "sources": [{"name": "firewall1", "relay": "favrskov-gw1", "silent_after_minutes": 5}],
            "hosts": [{"name": "favrskov-gw1", "source": "vaern-gw1"}],
        }
    ],
    "alarms": {"heartbeat_seconds": 90.0, "blind_seconds": 60.0},
}


class Programs(NamedTuple):
    log: ModuleType
    judging: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(log, judging)


class Bench:
    """An alarm service's judgement over time, its alarms kept in a folder."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.programs, self.folder, self.now = programs, folder, START
        self.memory = Memory()
        self.log = programs.log.AlarmLog(folder)
        self.seen: dict[str, float] = {}
        self.told: dict[str, str] = {}
        self.read_to: float | None = None
        self.unknown_senders: dict[str, Any] = {}
        self.dropped: dict[str, Any] = {}

    def restart(self) -> None:
        """The memory comes back from JSON, the alarms from their files."""
        kept = json.loads(json.dumps(vars(self.memory)))
        self.memory = Memory.restored(kept)
        self.log = self.programs.log.AlarmLog(self.folder)

    def hear(self, name: str, **heartbeat: Any) -> None:
        self.seen[name] = self.now
        if name.startswith("vaern-"):
            message = {"host": name, "time": utc(self.now), "findings": [], **heartbeat}
            self.told[name] = json.dumps({"message": json.dumps(message)})

    def look(self, seconds: float) -> set[tuple[str, str]]:
        """Go on so many seconds, judge, write what changed; the kinds and subjects that are open."""
        self.now += seconds
        as_of = self.now if self.read_to is None else self.read_to
        archive = {"0710": {"topics": {"logs.0710": {"as_of": as_of, "seen": self.seen, "told": self.told}}}}
        opened = {key: unix_or(record["since"], self.now) for key, record in self.log.open.items()}
        judged = judging.judge(self.memory, judging.Look(archive, SETTINGS, opened, self.now))
        self.unknown_senders = judged.unknown_senders
        self.dropped = judged.dropped_by_firewall
        raised, cleared = self.programs.log.changes(self.log.open, judged.conditions, judged.unknown)
        for key, condition in raised.items():
            record = {**key._asdict(), "state": "raised", "since": utc(condition.since), "value": condition.value}
            self.log.append(record)
        for key in cleared:
            self.log.append({**self.log.open[key], "state": "cleared"})
        return {(key.kind, key.subject) for key in self.log.open}

    def go_silent(self) -> set[tuple[str, str]]:
        """Time passes in which the relay speaks and its source does not."""
        for _ in range(40):
            self.hear("vaern-gw1")
            self.look(10)
        return {(key.kind, key.subject) for key in self.log.open}

    def records(self, kind: str, subject: str) -> list[str]:
        lines = (self.folder / "0710.jsonl").read_text().splitlines() if (self.folder / "0710.jsonl").exists() else []
        found = [json.loads(line) for line in lines]
        return [one["state"] for one in found if (one["kind"], one["subject"]) == (kind, subject)]


def utc(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


@pytest.fixture
def bench(programs: Programs, tmp_path: Path) -> Bench:
    return Bench(programs, tmp_path)


def both(bench: Bench) -> None:
    bench.hear("firewall1")
    bench.hear("vaern-gw1")


def test_nobody_is_silent_before_the_time_from_the_first_look(bench: Bench) -> None:
    bench.look(0)
    for _ in range(29):
        bench.hear("vaern-gw1")
        assert bench.look(10) == set()
    bench.hear("vaern-gw1")
    assert bench.look(11) == {("silent", "firewall1")}


def test_silence_is_raised_once_and_ends_with_an_event(bench: Bench) -> None:
    both(bench)
    bench.look(0)
    bench.go_silent()
    assert bench.records("silent", "firewall1") == ["raised"]
    both(bench)
    assert bench.look(1) == set()
    assert bench.records("silent", "firewall1") == ["raised", "cleared"]


def test_what_is_heard_in_a_topic_of_a_sector_is_heard() -> None:
    """And the municipality has been read as far as the topic that is furthest behind."""
    topics = {
        "logs.0710": {"as_of": 50.0, "seen": {"firewall1": 40.0, "vaern-gw1": 10.0}, "told": {"vaern-gw1": "old"}},
        "logs.0710.national": {
            "as_of": 45.0,
            "seen": {"journal1": 44.0, "vaern-gw1": 43.0, "stray": 44.0},
            "told": {"vaern-gw1": "new"},
        },
    }
    names = ("firewall1", "journal1", "vaern-gw1")
    found = sightings.latest_events({"topics": topics}, names)
    assert found.as_of == 45.0
    assert found.times == {"firewall1": 40.0, "vaern-gw1": 43.0, "journal1": 44.0}
    assert found.heartbeats == {"vaern-gw1": "new"}
    memory = Memory(counting={"0710 firewall1": 0.0})
    archive = {"0710": {"topics": {"logs.0710.national": topics["logs.0710.national"]}}}
    judged = judging.judge(memory, judging.Look(archive, SETTINGS, {}, 45.0))
    assert memory.as_of["0710"] == 45.0
    assert judged.unknown == set()
    assert sightings.latest_events({}, names) == sightings.LatestEvents()


def test_a_source_is_not_judged_while_its_relay_is_away(bench: Bench) -> None:
    both(bench)
    bench.look(0)
    for _ in range(60):
        assert bench.look(10) <= {("heartbeat", "favrskov-gw1")}
    bench.hear("vaern-gw1")
    assert bench.look(1) == set()
    for _ in range(29):
        bench.hear("vaern-gw1")
        assert bench.look(10) == set()
    bench.hear("vaern-gw1")
    assert bench.look(20) == {("silent", "firewall1")}


def test_an_archive_that_is_behind_blames_nobody(bench: Bench) -> None:
    both(bench)
    bench.look(0)
    bench.read_to = bench.now
    for _ in range(100):
        assert bench.look(10) <= {("archive", "0710")}
    assert ("archive", "0710") in bench.look(1)
    bench.read_to = None
    assert bench.look(1) == set()
    assert bench.look(80) == set(), "silence counts from when it could be heard again"


def test_findings_come_and_go_with_the_heartbeat_and_stay_while_it_is_away(bench: Bench) -> None:
    finding = {"kind": "spool", "subject": "", "value": 93, "limit": 80, "since": utc(START)}
    bench.hear("vaern-gw1", findings=[finding, {"kind": "party"}, "nonsense"])
    assert bench.look(1) == {("spool", "favrskov-gw1"), ("reports", "favrskov-gw1")}
    for _ in range(20):
        assert ("spool", "favrskov-gw1") in bench.look(10)
    bench.hear("firewall1")
    bench.hear("vaern-gw1")
    assert bench.look(1) == set()


def test_a_heartbeat_of_long_ago_is_late(bench: Bench) -> None:
    bench.hear("vaern-gw1", time=utc(bench.now - 600))
    assert bench.look(1) == {("late", "favrskov-gw1")}
    bench.hear("vaern-gw1")
    assert bench.look(1) == set()


def test_what_is_no_longer_declared_is_cleared(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    assert bench.go_silent() == {("silent", "firewall1")}
    monkeypatch.setitem(SETTINGS, "tenants", [{"code": "0710"}])
    assert bench.look(1) == set()
    assert bench.memory.seen == {}


def test_a_record_half_written_is_cut_off(bench: Bench) -> None:
    bench.go_silent()
    path = bench.folder / "0710.jsonl"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"municipality": "0710", "ki')
    bench.restart()
    assert path.read_bytes() == whole
    assert {key.kind for key in bench.log.open} == {"silent"}


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"message": 1}', '{"message": "[1]"}', '{"message": "{\\"findings\\": 3}"}', "[" * 3000]
)
def test_what_is_no_heartbeat_says_nothing(text: str) -> None:
    with pytest.raises(UnfitError):
        heartbeats.from_event(text)


def test_a_host_speaks_for_itself_only() -> None:
    """Whatever name it gives; and what a terminal would act on is refused before."""
    subject = "x[31m" + "y" * 190
    line = json.dumps({"host": "aarhus-gw1", "time": utc(START), "findings": [{"kind": "clock", "subject": subject}]})
    ((key, condition),) = heartbeats.conditions_of("0710", "favrskov-gw1", heartbeats.from_line(line).findings).items()
    assert key.municipality == "0710"
    assert key.subject.startswith("favrskov-gw1: x[31my")
    assert len(key.subject) < 100
    assert condition.value is None


def test_the_hub_hands_a_tunnel_to_its_municipality() -> None:
    findings: list[Any] = [{"kind": "tunnel", "subject": "favrskov-gw1"}, {"kind": "tunnel", "subject": "gone"}]
    peers = {"favrskov-gw1": "0710", "gone": "0751"}
    keys = set(heartbeats.conditions_of_hub("hub1", [*findings, {"kind": "clock"}], peers, {"0710"}))
    assert {tuple(key) for key in keys} == {
        ("0710", "tunnel", "favrskov-gw1"),
        ("shared", "tunnel", "hub1: gone"),
        ("shared", "clock", "hub1"),
    }


STEP = st.tuples(
    st.sampled_from(["source", "heartbeat", "both", "found", "nothing", "restart", "behind", "read"]),
    st.sampled_from([1.0, 20.0, 100.0, 400.0]),
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEP, max_size=25))
def test_alarms_alternate_whatever_happens(
    programs: Programs, tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, float]]
) -> None:
    """Raised, cleared, raised: never twice the same, over restarts; and at the end all is well when all speak."""
    bench = Bench(programs, tmp_path_factory.mktemp("alarms"))
    finding = {"kind": "queue", "subject": "", "value": 90, "limit": 80}
    for what, seconds in steps:
        if what in {"source", "both"}:
            bench.hear("firewall1")
        if what in {"heartbeat", "both", "found"}:
            bench.hear("vaern-gw1", findings=[finding] if what == "found" else [])
        if what == "behind":
            bench.read_to = bench.read_to or bench.now
        if what == "read":
            bench.read_to = None
        before = bench.look(seconds)
        if what == "restart":
            bench.restart()
            assert bench.look(0) == before
    for subject in (
        ("silent", "firewall1"),
        ("heartbeat", "favrskov-gw1"),
        ("queue", "favrskov-gw1"),
        ("archive", "0710"),
    ):
        states = bench.records(*subject)
        assert states == (["raised", "cleared"] * len(states))[: len(states)]
    bench.read_to = None
    bench.look(1)
    both(bench)
    assert bench.look(1) == set()


def test_what_is_wrong_with_the_archive_is_an_alarm_of_its_municipality() -> None:
    finding = {"kind": "quarantine", "value": 3, "limit": 0, "since": "2026-11-24T08:15:00.250Z"}
    archive = {"0710": {"topics": {}, "findings": [finding]}, "0751": {}}
    judged = judging.judge(Memory(), judging.Look(archive, SETTINGS, {}, START))
    assert judged.conditions[log.Key("0710", "quarantine", "0710")] == log.Condition(1795508100.25, 3, 0)
    assert judged.faults == {}


def test_who_sends_undeclared_is_known_of_a_relay_that_says_so(programs: Programs, tmp_path: Path) -> None:
    bench = Bench(programs, tmp_path)
    bench.hear("vaern-gw1")
    assert bench.look(1) == set()
    assert bench.unknown_senders == {}
    one = {"input": "syslog_udp", "address": "198.51.100.9", "events": 3, "events_per_second": 0.5, "hosts": []}
    said = {"senders": [one], "others": 2, "other_events": 4}
    bench.hear("vaern-gw1", unknown_senders=said)
    assert bench.look(1) == set()
    assert bench.unknown_senders == {"0710": {"favrskov-gw1": said}}
    bench.hear("vaern-gw1", unknown_senders={**said, "senders": [{**one, "hosts": [{"host": "\x1b[2J", "events": 1}]}]})
    assert bench.look(1) == {("reports", "favrskov-gw1")}
    assert bench.unknown_senders == {}


def dropped(**changed: Any) -> dict[str, Any]:
    """What a relay says of whom its firewall drops, with one address."""
    times = {"first": "2026-11-24T19:51:38Z", "last": "2026-11-24T19:52:00Z"}
    one = {"address": "198.51.100.9", "protocol": "udp", "port": 514, "packets": 3, "packets_per_minute": None, **times}
    return {"senders": [one | changed], "others": 2, "full": False, "packets_per_minute": 4.0}


def test_whom_a_firewall_drops_is_known_of_a_relay_that_says_so(programs: Programs, tmp_path: Path) -> None:
    bench = Bench(programs, tmp_path)
    bench.hear("vaern-gw1")
    assert bench.look(1) == set()
    assert bench.dropped == {}
    bench.hear("vaern-gw1", dropped_by_firewall=dropped())
    assert bench.look(1) == set()
    assert bench.dropped == {"0710": {"favrskov-gw1": dropped()}}


@pytest.mark.parametrize(
    "changed",
    [
        {"address": "10.0.0.1\x1b[2J"},
        {"address": "a" * 46},
        {"protocol": "icmp"},
        {"port": 0},
        {"port": 65536},
        {"packets": -1},
        {"packets": 10**16},
        {"packets_per_minute": "many"},
        {"last": "yesterday"},
        {"first": "10000-01-01T00:00:00Z"},
    ],
)
def test_what_a_relay_makes_up_about_its_firewall_is_an_alarm_and_shown_to_nobody(
    programs: Programs, tmp_path: Path, changed: dict[str, Any]
) -> None:
    bench = Bench(programs, tmp_path)
    bench.hear("vaern-gw1", dropped_by_firewall=dropped(**changed))
    assert bench.look(1) == {("reports", "favrskov-gw1")}
    assert bench.dropped == {}


def test_no_relay_says_more_of_its_firewall_than_there_is_room_for(programs: Programs, tmp_path: Path) -> None:
    bench = Bench(programs, tmp_path)
    (one,) = dropped()["senders"]
    bench.hear("vaern-gw1", dropped_by_firewall={**dropped(), "senders": [one] * 51})
    assert bench.look(1) == {("reports", "favrskov-gw1")}
    assert bench.dropped == {}
