"""`vaern status`: who sends and is not declared, shortly in a terminal and wholly as JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.paths import ROOT

from vaern import declaration
from vaern.archive import alarms
from vaern.commands.status import MOST_SHOWN
from vaern.console.command_line import cli
from vaern.runtime.paths import Project

SENT = 7


def told(*hosts: str) -> dict[str, Any]:
    """Seven addresses, the first with these hosts behind it."""
    one = {"input": "syslog_udp", "events": 600, "events_per_second": 2.0}
    named = [{"host": host, "events": 10} for host in hosts]
    rest = [{**one, "address": f"198.51.100.{number}", "hosts": []} for number in range(31, 30 + SENT)]
    return {"senders": [{**one, "address": "198.51.100.30", "hosts": named}, *rest], "others": 3, "other_events": 40}


def drops(count: int = 1, **said: Any) -> dict[str, Any]:
    """So many addresses that a firewall drops, and what else it says."""
    times = {"first": "2026-11-24T19:51:38Z", "last": "2026-11-24T19:52:00Z"}
    one = {"protocol": "udp", "port": 514, "packets": 340, "packets_per_minute": 12.0, **times}
    senders = [{**one, "address": f"198.51.100.{number}"} for number in range(40, 40 + count)]
    return {"senders": senders, "others": 0, "full": False, "packets_per_minute": 99.0, **said}


@pytest.fixture
def firewalls() -> dict[str, Any]:
    """What each relay says of its firewall."""
    return {}


@pytest.fixture
def relays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, firewalls: dict[str, Any]) -> dict[str, Any]:
    """What each relay says, as the collector has it."""
    found: dict[str, Any] = {}
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    said = alarms.Alarms((), unknown_senders={"0710": found}, dropped_by_firewall={"0710": firewalls})
    monkeypatch.setattr(alarms, "read", lambda *_: said)
    return found


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["status", "favrskov", *words])


def test_the_loudest_are_listed_with_lines_to_paste(relays: dict[str, Any]) -> None:
    relays["favrskov-gw1"] = told("sw1", "sw2")
    text = call().stdout
    first = "198.51.100.30 by syslog_udp 514, 600 events, 2 a second, names sw1, sw2"
    assert f"not declared, dropped at favrskov-gw1: {first}\n" in text
    assert text.count("not declared, dropped at") == MOST_SHOWN
    assert f"favrskov: {SENT - MOST_SHOWN} more are in `--json`\n" in text
    assert "favrskov: 3 more addresses, 40 more events not listed\n" in text
    assert 'address: 198.51.100.30\n    host_name: "sw2"\n    protocol: syslog_udp\n' in text


def test_all_of_them_are_in_the_document(relays: dict[str, Any]) -> None:
    relays["favrskov-gw1"] = told("sw1")
    (one,) = json.loads(call("--json").stdout)
    senders = one["unknown_senders"]
    assert (len(senders["known"]), senders["others"], senders["not_told"]) == (SENT, 3, [])
    assert senders["known"][0]["proposal"].startswith("  - name: sw1\n")


def test_a_relay_of_an_earlier_version_is_not_one_without_strangers(relays: dict[str, Any]) -> None:
    (one,) = json.loads(call("--json").stdout)
    assert one["unknown_senders"]["not_told"] == ["favrskov-gw1"]
    assert "not declared" not in call().stdout


@pytest.mark.usefixtures("relays")
def test_whom_a_firewall_drops_is_listed_with_lines_to_paste(firewalls: dict[str, Any]) -> None:
    firewalls["favrskov-gw1"] = drops(7, others=3)
    text = call().stdout
    first = "198.51.100.40 to udp 514, 12 packets a minute, 340 since 2026-11-24T19:51:38Z, last 2026-11-24T19:52:00Z"
    assert f"not declared, dropped by the firewall of favrskov-gw1: {first}\n" in text
    assert text.count("not declared, dropped by the firewall") == MOST_SHOWN
    assert f"favrskov: {7 - MOST_SHOWN} more that a firewall drops are in `--json`\n" in text
    assert "favrskov: 3 more addresses that a firewall drops are not listed\n" in text
    assert "address: 198.51.100.44\n    protocol: syslog_udp\n" in text
    assert "no room" not in text


@pytest.mark.usefixtures("relays")
def test_a_firewall_without_room_is_not_one_that_lists_all(firewalls: dict[str, Any]) -> None:
    firewalls["favrskov-gw1"] = drops(full=True)
    assert (
        "favrskov: the firewall of favrskov-gw1 has no room for more addresses, others may send too; "
        "it drops 99 packets a minute\n"
    ) in call().stdout


@pytest.mark.usefixtures("relays")
def test_a_declared_source_that_a_firewall_drops_is_told_what_to_do(firewalls: dict[str, Any]) -> None:
    said = drops()
    said["senders"][0]["address"] = "198.51.100.1"
    firewalls["favrskov-gw1"] = said
    text = call().stdout
    assert "declared as firewall1, and yet dropped by the firewall of favrskov-gw1: 198.51.100.1 to udp 514" in text
    assert "last 2026-11-24T19:52:00Z: run `vaern onboard favrskov`\n" in text
    assert "For log_sources" not in text


@pytest.mark.usefixtures("relays")
def test_whom_firewalls_drop_is_in_the_document(firewalls: dict[str, Any]) -> None:
    (one,) = json.loads(call("--json").stdout)
    assert one["dropped_by_firewall"]["not_told"] == ["favrskov-gw1"]
    firewalls["favrskov-gw1"] = drops(7, others=3, full=True)
    (one,) = json.loads(call("--json").stdout)
    said = one["dropped_by_firewall"]
    assert (len(said["known"]), said["others"], said["full"], said["not_told"]) == (7, 3, ["favrskov-gw1"], [])
    assert said["known"][0]["packets_per_minute"] == 12.0
    assert "dropped" not in one


def test_an_address_that_a_name_may_have_is_said_to_be_that(
    relays: dict[str, Any], firewalls: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = declaration.load_fleet(Project.find(ROOT), ("favrskov",))
    one = whole.municipalities["favrskov"]
    printers = [
        one.log_sources[0].model_copy(update={"name": name, "address": None, "dns": f"{name}.favrskov.lan"})
        for name in ("p1", "p2", "p3", "p4", "p5", "p6")
    ]
    named = one.model_copy(update={"log_sources": (*one.log_sources, *printers)})
    monkeypatch.setattr(declaration, "load_fleet", lambda *_: replace(whole, municipalities={"favrskov": named}))
    relays["favrskov-gw1"], firewalls["favrskov-gw1"] = told("sw1"), drops()
    text = call().stdout
    said = ": it may be p1, p2, p3, p4, p5 and 1 more, by DNS name, if its address has just changed; "
    assert f"a second, names sw1{said}`vaern discover favrskov` tells\n" in text
    assert f"last 2026-11-24T19:52:00Z{said}`vaern discover favrskov` tells\n" in text
    assert "For log_sources" not in text
    (document,) = json.loads(call("--json").stdout)
    for kind in ("unknown_senders", "dropped_by_firewall"):
        first = document[kind]["known"][0]
        assert (first["may_be"], first["proposal"]) == (["p1", "p2", "p3", "p4", "p5", "p6"], "")
