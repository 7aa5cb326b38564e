"""`vaern status`: who sends and is not declared, shortly in a terminal and wholly as JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from support.paths import ROOT

from vaern.archive import alarms
from vaern.commands.status import MOST_SHOWN
from vaern.console.command_line import cli

SENT = 7


def told(*hosts: str) -> dict[str, Any]:
    """Seven addresses, the first with these hosts behind it."""
    one = {"input": "syslog_udp", "events": 600, "events_per_second": 2.0}
    named = [{"host": host, "events": 10} for host in hosts]
    rest = [{**one, "address": f"198.51.100.{number}", "hosts": []} for number in range(31, 30 + SENT)]
    return {"senders": [{**one, "address": "198.51.100.30", "hosts": named}, *rest], "others": 3, "other_events": 40}


@pytest.fixture
def relays(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, Any]:
    """What each relay says, as the collector has it."""
    found: dict[str, Any] = {}
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    monkeypatch.setattr(alarms, "read", lambda *_: alarms.Alarms((), unknown_senders={"0710": found}))
    return found


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, ["status", "favrskov", *words])


def test_the_loudest_are_listed_with_lines_to_paste(relays: dict[str, Any]) -> None:
    relays["favrskov-gw1"] = told("sw1", "sw2")
    text = call().stdout
    first = "198.51.100.30 by syslog_udp 514, 600 events, 2 a second, names sw1, sw2"
    assert f"not declared, dropped at favrskov-gw1: {first}\n" in text
    assert text.count("not declared, dropped at") == MOST_SHOWN
    assert f"favrskov: {SENT - MOST_SHOWN} quieter ones are in `--json`\n" in text
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
