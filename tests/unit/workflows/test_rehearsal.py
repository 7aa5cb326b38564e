"""The rehearsed outage at the control node: room, what is lost since, and a link that is restored whatever happens."""

from __future__ import annotations

import json
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vaern.archive import ledger as balance
from vaern.archive.ledger import Ledger, LostSegment, Row
from vaern.commands.rehearse import command, sentences
from vaern.declaration import load_fleet
from vaern.errors import ProvisionError, UsageError
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows import rehearsal
from vaern.workflows.rehearsal import Rehearsal, Spool, grown, needs, refuse_without_room
from vaern_programs.relay import rehearse

ROOT = Path(__file__).resolve().parents[3]
PROJECT = Project(ROOT, ROOT / ".vaern")
FLEET = load_fleet(PROJECT, ["favrskov"])
FAVRSKOV = FLEET.municipalities["favrskov"]
RELAY = "favrskov-gw1"
ROOMY = {
    "bytes": 0,
    "max_bytes": 10**9,
    "free": 10**9,
    "waiting": 7,
    "time": "2026-11-24T12:00:00+00:00",
    "resent": 0,
    "error": "",
}
ROW = Row("2026-11-24", RELAY, "dhcp1", 10, 10, 0, 0, 0, 0)


def books(*rows: Row, lost: tuple[LostSegment, ...] = ()) -> Ledger:
    return Ledger("0710", "2026-11-24T12:00:00+00:00", rows, (), lost, {})


def told(row: Row, stated: str) -> str:
    rows = [{name: getattr(row, name) for name in Row.__slots__}]
    answer = {"code": "0710", "time": "2026-11-24T12:01:30+00:00", "gaps": [], "lost_segments": []}
    rest = {"spools": {}, "others": 0}
    return json.dumps(answer | rest | {"rows": rows, "statements": {RELAY: stated}})


class Hosts:
    """Relay and collector, and what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.spool: dict[str, Any] = dict(ROOMY)
        self.row = ROW
        self.stated = [f"2026-11-24T{minute}:00+00:00" for minute in ("11:59", "11:59", "12:01")]
        """Times of the relay's newest statement in the archive, ask by ask."""
        self.asked: list[str] = []
        self.refuses = ""
        for module in (rehearsal, balance):
            monkeypatch.setattr(module, "POLL_SECONDS", 0.0)
        monkeypatch.setattr(ssh, "run", self.run)

    def run(
        self, project: Project, host: str, command: str, stdin: str = "", **_: object
    ) -> subprocess.CompletedProcess[str]:
        self.asked.append(command)
        if self.refuses and self.refuses in command:
            return subprocess.CompletedProcess([], 3, "", "Unit vaern-rehearsal.service was already loaded")
        text = json.dumps(self.spool)
        if command.startswith("vaern-ledger"):
            text = told(self.row, self.stated.pop(0) if len(self.stated) > 1 else self.stated[0])
        return subprocess.CompletedProcess([], 0, text, "")

    @property
    def verbs(self) -> list[str]:
        return [command.split()[1] for command in self.asked if command.startswith(rehearsal.PROGRAM)]


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(monkeypatch)


def test_a_relay_needs_what_its_sources_declare() -> None:
    assert needs("favrskov", FAVRSKOV, 60.0) == {RELAY: round((50 + 2 + 10) * (400 + 750) * 60 * 1.3)}


@pytest.mark.parametrize(
    ("spool", "fits"),
    [
        (Spool(0, 1000, 10**6, 0, ""), True),
        (Spool(0, 999, 10**6, 0, ""), False),
        (Spool(1, 1000, 10**6, 0, ""), False),
        (Spool(0, 1000, 799, 0, ""), False),
    ],
)
def test_the_need_must_stay_below_the_alarm_and_on_the_disk(spool: Spool, fits: bool) -> None:
    if fits:
        refuse_without_room({RELAY: 800}, {RELAY: spool})
    else:
        with pytest.raises(UsageError, match="has room for"):
            refuse_without_room({RELAY: 800}, {RELAY: spool})


def test_only_what_is_missing_since_counts_as_lost() -> None:
    before = books(replace(ROW, missing=3, duplicate=5))
    assert grown(before, before) == (0, 0)
    assert grown(before, books(replace(ROW, missing=4, given_up=2, under_way=1, duplicate=9))) == (4, 4)
    assert grown(before, books(replace(ROW, missing=0, duplicate=5))) == (0, 0)
    assert grown(before, books(replace(ROW, day="2026-11-25", missing=2))) == (2, 0)
    gone = LostSegment("a.zst", 8, "", "", ("dhcp1",))
    assert grown(books(), books(lost=(gone,))) == (8, 0)
    assert grown(books(lost=(gone,)), books(lost=(gone,))) == (0, 0)


def test_it_cuts_looks_mends_and_asks(hosts: Hosts) -> None:
    done = rehearsal.rehearse(PROJECT, "favrskov", FAVRSKOV, FLEET.deployment, 0.01, lambda _: None)
    assert hosts.verbs == ["cut", "mend"]
    cut, mend = (index for index, command in enumerate(hosts.asked) if command.startswith(rehearsal.PROGRAM))
    assert "vaern-spool --look" in hosts.asked[cut:mend]
    assert done.buffered == {RELAY: 7}
    assert hosts.stated == ["2026-11-24T12:01:00+00:00"], "a balance without the newest statement says nothing"
    assert (done.lost, done.duplicates, done.holds) == (0, 0, True)


def test_the_link_is_restored_when_looking_fails(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal.time, "sleep", lambda _: (_ for _ in ()).throw(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        rehearsal.rehearse(PROJECT, "favrskov", FAVRSKOV, FLEET.deployment, 5.0, lambda _: None)
    assert hosts.verbs == ["cut", "mend"]


def test_a_relay_that_is_cut_already_is_told(hosts: Hosts) -> None:
    hosts.refuses = "cut "
    with pytest.raises(ProvisionError, match="already loaded"):
        rehearsal.rehearse(PROJECT, "favrskov", FAVRSKOV, FLEET.deployment, 0.01, lambda _: None)


def test_what_is_not_caught_up_in_time_is_said(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "LEAST_CATCH_UP_SECONDS", 0.0)
    hosts.row = replace(ROW, received=9, missing=1)
    done = rehearsal.rehearse(PROJECT, "favrskov", FAVRSKOV, FLEET.deployment, 0.0, lambda _: None)
    assert done.catch_up_seconds is None
    assert not done.holds


def test_the_command_says_lost_zero_and_ends_with_one_when_not(hosts: Hosts) -> None:
    good = Rehearsal(120.0, {RELAY: 1234}, 8.5, 2, 0)
    assert sentences(good) == [
        f"cut for 120.0 s, buffered 1,234 events ({RELAY} 1,234)",
        "caught up in 8.5 s, 2 duplicates, lost 0",
    ]
    assert "vaern ledger" in sentences(replace(good, lost=1))[-1]


def test_a_dry_run_asks_only_what_is_in_the_spool(hosts: Hosts) -> None:
    done = CliRunner().invoke(command, ["favrskov", "--dry-run"], obj=PROJECT, standalone_mode=False)
    assert done.return_value == 0
    assert f"would cut {RELAY} from the brokers for 2 minutes" in done.output
    assert hosts.asked == ["vaern-spool --look"]


def test_without_a_yes_nothing_is_cut(hosts: Hosts) -> None:
    done = CliRunner().invoke(command, ["favrskov"], obj=PROJECT, input="n\n")
    assert done.exit_code == 1
    assert hosts.verbs == []


def test_the_rules_drop_the_brokers_and_nothing_else() -> None:
    text = rehearse.rules([("fd5a::1", 9093), ("198.51.100.9", 9094)])
    assert "ip6 daddr fd5a::1 tcp dport 9093 drop;" in text
    assert "ip6 saddr fd5a::1 tcp sport 9093 drop;" in text
    assert "ip daddr 198.51.100.9 tcp dport 9094 drop;" in text
    assert text.count("drop;") == 4


def test_what_is_cut_is_every_address_of_every_broker_the_relay_sends_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read from the settings of what sends, by the relay's own resolver."""
    on_relay, known = rehearse, {"hub1.vaern.internal": ["fd5a::1", "198.51.100.9"], "fd5a::2": ["fd5a::2"]}

    def resolved(name: str, port: int, type: socket.SocketKind) -> list[Any]:  # noqa: A002 - the library's name
        return [(socket.AF_INET6, type, 6, "", (address, port, 0, 0)) for address in known[name]]

    settings = {"librdkafka": {"bootstrap.servers": "hub1.vaern.internal:9093,[fd5a::2]:9094"}, "topic": "logs.0710"}
    monkeypatch.setattr(on_relay, "SETTINGS", tmp_path / "spool.json")
    monkeypatch.setattr(on_relay.socket, "getaddrinfo", resolved)
    (tmp_path / "spool.json").write_text(json.dumps(settings), encoding="utf-8")
    assert on_relay.brokers() == [("198.51.100.9", 9093), ("fd5a::1", 9093), ("fd5a::2", 9094)]
