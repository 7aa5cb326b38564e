"""What a SOC misses is handed to the relay that took it in, whole, once, and for no other SOC."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.declarations.soc_outputs import national

from vaern.archive import parity, redelivery
from vaern.commands.parity import command
from vaern.declaration import load_fleet
from vaern.errors import ProvisionError, UsageError
from vaern.model.deployment import Deployment, SocOutput
from vaern.model.receiving import Receiver
from vaern.model.vocabulary import SocProtocol
from vaern.runtime import ssh
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
PROJECT = Project(ROOT, ROOT / ".vaern")
FLEET = load_fleet(PROJECT, ["favrskov"])
FAVRSKOV = FLEET.municipalities["favrskov"]


def deployment() -> Deployment:
    """The example's, whose national SOC takes events by RELP and by Kafka."""
    outputs = (
        SocOutput(name="relp", protocol=SocProtocol.RELP_TLS, address="soc.example"),
        SocOutput(name="kafka", protocol=SocProtocol.KAFKA, reader="soc-national"),
    )
    return national(FLEET.deployment, *outputs)


def receiver() -> Receiver:
    return redelivery.receiver_of(deployment(), FAVRSKOV, "national", "relp")


def line(number: int, relay: str = "favrskov-gw1") -> str:
    return json.dumps(
        {
            "municipality": "0710", "relay": relay, "boot": "a" * 32, "source": "journal1", "sequence": number,
            "sector": "health", "received": f"2026-11-24T00:00:{number % 60:02}Z", "message": "blå / x",
        },
        ensure_ascii=False,
    )  # fmt: skip


class Relay:
    """A relay that takes what it is handed."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.taken: list[str] = []
        self.asked: list[tuple[str, str]] = []
        self.answer: dict[str, Any] = {"refused": 0, "error": ""}
        self.in_language = ""
        monkeypatch.setattr(ssh, "run", self.run)

    def run(self, _: Project, host: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        self.asked.append((host, command))
        self.taken += stdin.splitlines()
        out = json.dumps({"resent": stdin.count("\n"), **self.answer}) if not self.in_language else ""
        return subprocess.CompletedProcess([], 1 if self.in_language else 0, out, self.in_language)


@pytest.fixture
def relay(monkeypatch: pytest.MonkeyPatch) -> Relay:
    return Relay(monkeypatch)


def test_events_go_to_their_relay_in_parts(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redelivery, "BATCH_CHARACTERS", 1000)
    lines = [("favrskov-gw1", line(number)) for number in range(20)]
    said: list[str] = []
    assert redelivery.redeliver(PROJECT, "favrskov", FAVRSKOV, receiver(), lines, said.append) == 20
    assert relay.taken == [text for _, text in lines]
    assert set(relay.asked) == {("favrskov-gw1", "vaern-spool --again national-relp")}
    assert len(relay.asked) == len(said) > 1


def test_a_relay_that_is_gone_or_refuses_is_named(relay: Relay) -> None:
    with pytest.raises(UsageError, match="favrskov-gw9 received some of the missing events"):
        redelivery.redeliver(PROJECT, "favrskov", FAVRSKOV, receiver(), [("favrskov-gw9", line(1))], print)
    for answer, said, found in (
        ({"refused": 3, "error": ""}, "", "3 events are too long"),
        ({"refused": 0, "error": "there is no receiver x"}, "", "no receiver x"),
        ({}, "vaern-spool: unrecognized arguments", "unrecognized"),
    ):
        relay.answer, relay.in_language = answer, said
        with pytest.raises(ProvisionError, match=found):
            redelivery.redeliver(PROJECT, "favrskov", FAVRSKOV, receiver(), [("favrskov-gw1", line(1))], print)


@pytest.mark.parametrize(
    ("profile", "output", "said"),
    [
        ("national", "syslog", "no output `syslog`"),
        ("national", "kafka", "reads a topic"),
        ("joint", "relp", "no output `relp`"),
    ],
)
def test_an_output_that_no_relay_sends_to_is_refused(profile: str, output: str, said: str) -> None:
    with pytest.raises(UsageError, match=said) as refused:
        redelivery.receiver_of(deployment(), FAVRSKOV, profile, output)
    assert refused.value.fix


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])  # the file is written anew each time
@given(have=st.lists(st.integers(1, 40)).map(set), lost=st.lists(st.integers(1, 40)).map(set))
def test_the_lines_handed_over_are_exactly_those_that_are_missing(
    tmp_path: Path, have: set[int], lost: set[int]
) -> None:
    path = tmp_path / "day.jsonl"
    path.write_text("".join(f"{line(number)}\n" for number in sorted(have)), encoding="utf-8")
    archived = [json.loads(line(number)) for number in have]
    found = parity.compare(
        archived, [one for one in archived if one["sequence"] not in lost], "0710", frozenset({"health"})
    )
    handed = list(parity.missing_lines(path, found))
    assert handed == [("favrskov-gw1", line(number)) for number in sorted(have & lost)]


def test_the_command_hands_over_what_is_missing(tmp_path: Path, relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    exported, received = tmp_path / "day.jsonl", tmp_path / "relp.jsonl"
    exported.write_text("".join(f"{line(number)}\n" for number in (1, 2, 3)), encoding="utf-8")
    received.write_text(f"{line(2)}\n", encoding="utf-8")
    fleet = type(FLEET)(deployment=deployment(), municipalities=FLEET.municipalities)
    monkeypatch.setattr("vaern.declaration.load_fleet", lambda *_: fleet)
    arguments = ["favrskov", "national", "--exported", str(exported), "--received", str(received), "--resend", "relp"]
    done = CliRunner().invoke(command, arguments, obj=Project(ROOT, tmp_path), standalone_mode=False)
    assert (done.return_value, relay.taken) == (1, [line(1), line(3)]), done.exception
    assert "2 events sent to national-relp again" in done.output
    twice = CliRunner().invoke(command, [*arguments, "--received", str(exported)], obj=PROJECT, standalone_mode=False)
    assert isinstance(twice.exception, UsageError)
