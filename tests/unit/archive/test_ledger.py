"""The ledger at the control node: the collector's answer as types, in words, and as an exit code."""

from __future__ import annotations

import json
import subprocess
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from vaern.archive import ledger as stage
from vaern.commands.ledger import sentences
from vaern.declaration import load_fleet
from vaern.errors import ProvisionError, UnreachableError, UsageError
from vaern.model.vocabulary import Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
TOLD: dict[str, Any] = {
    "code": "0710",
    "time": "2026-11-24T12:00:00+00:00",
    "rows": [
        {
            "day": "2026-11-24", "relay": "favrskov-gw1", "source": "dhcp1", "sent": 10, "received": 6, "duplicate": 1,
            "given_up": 0, "under_way": 0, "missing": 4,
        }
    ],
    "gaps": [
        {
            "day": "2026-11-24", "relay": "favrskov-gw1", "boot": "a" * 32, "source": "dhcp1", "first": 7, "last": 10,
            "events": 4, "from": "2026-11-24T10:00:06.000000+00:00", "until": "2026-11-24T10:00:10.000000+00:00",
            "state": "missing",
        }
    ],
    "lost_segments": [
        {"file": "2026-11-24/x.zst", "events": 4, "from": "2026-11-24T10:00:07", "until": "", "sources": ["dhcp1"]}
    ],
    "statements": {"favrskov-gw1": "2026-11-24T11:59:00+00:00"}, "spools": {}, "others": 0,
}  # fmt: skip
CLEAN = TOLD | {
    "rows": [TOLD["rows"][0] | {"received": 10, "missing": 0}],
    "gaps": [],
    "lost_segments": [],
}


class Hosts:
    """Answers of hosts, and what was asked of them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.answers: dict[str, list[tuple[int, str]]] = {}
        self.asked: list[tuple[str, str]] = []
        monkeypatch.setattr(ssh, "run", self.run)
        monkeypatch.setattr(stage, "POLL_SECONDS", 0.0)
        monkeypatch.setattr(stage, "STATEMENT_POLL_SECONDS", 0.0)

    def run(
        self, project: Project, host: str, command: str, stdin: str = "", **_: object
    ) -> subprocess.CompletedProcess[str]:
        self.asked.append((host, command.strip()))
        answers = self.answers[command.partition(" ")[0]]
        code, text = answers.pop(0) if len(answers) > 1 else answers[0]
        return subprocess.CompletedProcess([], code, text, "why" if code > 1 else "")


@pytest.fixture
def hosts(monkeypatch: pytest.MonkeyPatch) -> Hosts:
    return Hosts(monkeypatch)


FLEET = load_fleet(Project(ROOT, ROOT / ".vaern"), ["favrskov"])
PROJECT = Project(ROOT, ROOT / ".vaern")
FAVRSKOV = FLEET.municipalities["favrskov"]


def test_a_gap_is_named_with_its_time_span() -> None:
    found = stage.parsed(TOLD)
    missing, gone, advice = sentences(found)
    span = "between 2026-11-24 10:00:06 and 2026-11-24 10:00:10 UTC"
    assert missing == f"missing: 4 events of dhcp1 by favrskov-gw1, {span} (numbers 7 to 10 of start aaaaaaaa)"
    assert gone.startswith(
        "gone from the archive: 2026-11-24/x.zst, 4 events of dhcp1, between 2026-11-24 10:00:07 and"
    )
    assert advice == ("The relays send what they still have again by themselves; `vaern repair` makes them do it now.")


def test_of_what_balances_there_is_nothing_to_say() -> None:
    assert sentences(stage.parsed(CLEAN)) == []


def test_the_collector_is_asked_for_one_day(hosts: Hosts) -> None:
    from datetime import date

    hosts.answers = {"vaern-ledger": [(1, json.dumps(TOLD))]}
    assert stage.ledger(PROJECT, FAVRSKOV, FLEET.deployment, date(2026, 11, 24)).total("missing") == 4
    assert hosts.asked == [("hub1", "vaern-ledger --code 0710 --day 2026-11-24")]


def test_repair_states_confirms_resends_and_waits(hosts: Hosts) -> None:
    stated = CLEAN["statements"]["favrskov-gw1"]
    spool = (json.dumps({"resent": sent, "error": "", "stated": stated}) for sent in (0, 4))
    hosts.answers = {
        "vaern-spool": [(0, one) for one in spool],
        "vaern-ledger": [(1, json.dumps(TOLD)), (1, json.dumps(TOLD)), (0, json.dumps(CLEAN))],
    }
    error_text: list[str] = []
    done = stage.repair(PROJECT, "favrskov", FAVRSKOV, FLEET.deployment, error_text.append)
    assert done.resent == {"favrskov-gw1": 4}
    assert (done.before.total("missing"), done.after.total("missing")) == (4, 0)
    assert [command for host, command in hosts.asked if host == "favrskov-gw1"] == ["vaern-spool", "vaern-spool --now"]
    assert error_text == ["favrskov-gw1 sent 4 events again"]


def test_what_a_relay_has_just_stated_is_waited_for(hosts: Hosts, monkeypatch: pytest.MonkeyPatch) -> None:
    """The broker has a statement before the archive has it: the balance was of the one before."""
    stated = {"favrskov-gw1": "2026-11-24T11:59:30+00:00"}
    old, new = json.dumps(TOLD), json.dumps(CLEAN | {"statements": stated})
    hosts.answers = {"vaern-ledger": [(1, old), (1, old), (0, new)]}
    read_balance = partial(stage.ledger, PROJECT, FAVRSKOV, FLEET.deployment)
    assert not stage.await_statements(read_balance, stated).total("missing")
    hosts.answers = {"vaern-ledger": [(1, old), (1, old)]}
    monkeypatch.setattr(stage, "STATEMENT_SECONDS", 0.0)
    assert stage.await_statements(read_balance, stated).behind(stated) == ("favrskov-gw1",)


def test_failures_name_the_host(hosts: Hosts) -> None:
    hosts.answers = {"vaern-ledger": [(2, "")], "vaern-spool": [(1, json.dumps({"resent": 0, "error": "no answer"}))]}
    with pytest.raises(ProvisionError, match="hub1 cannot count: why"):
        stage.ledger(PROJECT, FAVRSKOV, FLEET.deployment)
    with pytest.raises(UnreachableError, match="favrskov-gw1: no answer"):
        stage.state_now(PROJECT, "favrskov", FAVRSKOV)
    hosts.answers["vaern-spool"] = [(127, "")]
    with pytest.raises(ProvisionError, match="favrskov-gw1: `vaern-spool` failed: why"):
        stage.state_now(PROJECT, "favrskov", FAVRSKOV)


def test_a_count_that_is_slow_is_named_and_not_the_host(hosts: Hosts) -> None:
    """It read as if hub1 were down."""
    hosts.answers = {"vaern-ledger": [(75, "")]}
    with pytest.raises(ProvisionError, match="hub1: why") as told:
        stage.ledger(PROJECT, FAVRSKOV, FLEET.deployment)
    assert "ask again in some minutes" in told.value.fix
    assert stage.plain("<3>vaern-ledger: the count of 0710 is slow\n") == "the count of 0710 is slow"


def test_azure_has_no_such_ledger() -> None:
    azure = FLEET.deployment.model_copy(update={"target": Target.AZURE})
    with pytest.raises(UsageError, match="on Azure"):
        stage.ledger(PROJECT, FAVRSKOV, azure)
