"""What the collector answers about open alarms, and that not knowing is never read as nothing being wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaern.archive import alarms
from vaern.declaration import load_deployment, load_fleet
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
RECORD = {
    "time": "2026-11-24T19:50:54.067Z",
    "municipality": "0710",
    "kind": "silent",
    "subject": "firewall1",
    "state": "raised",
    "value": 400.0,
    "limit": 300.0,
    "since": "2026-11-24T19:50:44.048Z",
    "text": {"da": "firewall1 har ikke sendt noget", "en": "firewall1 has sent nothing"},
}


def answer(records: list[dict[str, object]], age: int = 1) -> str:
    return f"1795549900\n{json.dumps({'time': '2026-11-24T19:51:40.000Z', 'alarms': records})}\n{1795549900 - age}\n"


def test_alarms_are_those_of_their_municipality() -> None:
    found = alarms.parsed(answer([RECORD, {**RECORD, "municipality": "shared", "kind": "clock"}]))
    assert [alarm.subject for alarm in found.of("0710")] == ["firewall1"]
    assert found.of("0751") == ()
    assert [alarm.kind for alarm in found.shared] == ["clock"]
    assert found.unknown == ""


def test_an_alarm_service_that_stopped_is_told() -> None:
    found = alarms.parsed(answer([RECORD], age=300))
    assert len(found.open) == 1
    assert "300 s ago" in found.unknown


def test_an_alarm_that_cannot_be_read_hides_no_other() -> None:
    found = alarms.parsed(answer([RECORD, {**RECORD, "subject": "\x1b[2J"}]))
    assert [alarm.subject for alarm in found.open] == ["firewall1"]
    assert found.unknown == "1 of the open alarms are not as they should be"


def test_senders_that_nobody_has_declared_are_read_relay_by_relay() -> None:
    one = {"input": "syslog_udp", "address": "198.51.100.9", "events": 3, "events_per_second": None, "hosts": []}
    said = {"senders": [one], "others": 0, "other_events": 0}
    evil = {"senders": [{**one, "hosts": [{"host": "x\x1b[2J", "events": 1}]}], "others": 0, "other_events": 0}
    told = {"time": "2026-11-24T19:51:40.000Z", "alarms": [], "unknown_senders": {"0710": {"gw1": said, "gw2": evil}}}
    found = alarms.parsed(f"1795549900\n{json.dumps(told)}\n1795549900\n")
    assert found.unknown_senders == {"0710": {"gw1": said}}
    assert alarms.parsed(answer([RECORD])).unknown_senders == {}


def test_whom_firewalls_drop_is_read_relay_by_relay() -> None:
    times = {"first": "2026-11-24T19:51:38Z", "last": "2026-11-24T19:51:38Z"}
    one = {"address": "198.51.100.9", "protocol": "udp", "port": 514, "packets": 3, "packets_per_minute": 1.0, **times}
    said = {"senders": [one], "others": 0, "full": True, "packets_per_minute": None}
    evil = {**said, "senders": [{**one, "address": "x\x1b[2J"}]}
    told = {
        "time": "2026-11-24T19:51:40.000Z",
        "alarms": [],
        "dropped_by_firewall": {"0710": {"gw1": said, "gw2": evil}},
    }
    found = alarms.parsed(f"1795549900\n{json.dumps(told)}\n1795549900\n")
    assert found.dropped_by_firewall == {"0710": {"gw1": said}}
    assert alarms.parsed(answer([RECORD])).dropped_by_firewall == {}


@pytest.mark.parametrize("text", ["", "1795549900\n", "1795549900\n{}\n1\n", "1795549900\n[]\n1\n", "x\ny\nz\n"])
def test_no_answer_is_not_no_alarm(text: str) -> None:
    assert alarms.parsed(text).unknown


def test_nothing_is_asked_before_there_is_a_collector(tmp_path: Path) -> None:
    fleet = load_fleet(Project(ROOT, ROOT / ".vaern"), ("favrskov",))
    found = alarms.read(Project(ROOT, tmp_path), fleet.deployment)
    assert found.open == ()
    assert found.unknown.startswith("hub1 has not been made; run `vaern up`")


def test_on_azure_it_is_said_who_watches_and_who_does_not(tmp_path: Path) -> None:
    example = load_deployment(Path(__file__).resolve().parents[3] / "docs" / "examples" / "azure" / "collector.yml")
    told = alarms.read(Project(tmp_path, tmp_path / ".vaern"), example)
    assert told.open == ()
    assert "no alarm service runs on Azure" in told.unknown
    assert "rg-faelles-prod-shared" in told.unknown
    assert "nobody watches single sources" in told.unknown


def test_lines_that_show_an_alarm_come_with_it() -> None:
    (found,) = alarms.parsed(answer([{**RECORD, "kind": "unread", "lines": ["<##>x"]}])).open
    assert found.lines == ("<##>x",)
    too_many = {**RECORD, "lines": ["x"] * 6}
    assert "not as they should be" in alarms.parsed(answer([too_many])).unknown


def test_how_sources_were_judged_is_read_and_an_earlier_collector_says_nothing_of_it() -> None:
    judged = {"time": "2026-11-24T19:51:40.000Z", "municipalities": {"0710": {"fw": {"unread": "wrong"}}}}
    assert alarms.parsed(answer([RECORD]) + json.dumps(judged)).judged == {"0710": {"fw": {"unread": "wrong"}}}
    for text in (
        "",
        "cat: no such file",
        json.dumps({**judged, "municipalities": {"0710": {"fw": {"unread": "good"}}}}),
    ):
        found = alarms.parsed(answer([RECORD]) + text)
        assert (found.judged, found.unknown, len(found.open)) == ({}, "", 1)
