"""No key is made anew before every relay was seen to deliver by the other one."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from vaern import rotation
from vaern.declaration import load_deployment, load_fleet, load_municipality
from vaern.errors import ProofError, UsageError
from vaern.eventhubs import Which
from vaern.model.fleet import Fleet
from vaern.paths import Project
from vaern.rotation import Rotation

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "azure"
PROJECT = Project(ROOT, ROOT / ".vaern")


def of_example() -> Rotation:
    municipality = load_municipality(EXAMPLES / "municipality.yml")
    fleet = Fleet(load_deployment(EXAMPLES / "collector.yml"), {"favrskov": municipality})
    return Rotation(PROJECT, fleet, "favrskov", lambda progress: None)


def sample(submitted: int, acked: int, **errors: int) -> str:
    return json.dumps({"name": "omkafka", "submitted": submitted, "acked": acked, "failures": 0, **errors}) + "\n"


def answering(monkeypatch: pytest.MonkeyPatch, statistics: str) -> list[str]:
    """Relays that answer with these statistics; returns the list of what is done, in order."""
    done: list[str] = []

    def run(project: Project, host: str, command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        answer = "100" if command.startswith("stat") else statistics
        done.append(f"{'look at' if command.startswith('stat') else 'ask'} {host}")
        return subprocess.CompletedProcess([], 0, answer, "")

    monkeypatch.setattr("vaern.ssh.run", run)
    monkeypatch.setattr(
        "vaern.sharedhosts.municipality_play", lambda *given: rotation.configure.Play("favrskov", ROOT, (), (), {})
    )
    monkeypatch.setattr("vaern.sharedhosts.with_sending_keys", lambda project, deployment, play, which: (play, which))
    monkeypatch.setattr("vaern.configure.run_play", lambda project, play, tell: done.append(f"give {play[1]}"))
    monkeypatch.setattr(Rotation, "renew", lambda self, which: done.append(f"renew {which}") or "")
    return done


def test_each_key_is_made_anew_while_the_other_is_seen_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    done = answering(monkeypatch, sample(1, 0) + sample(3, 2))
    of_example().run()
    relay = "favrskov-gw1"
    assert done == [
        *("give secondary", f"look at {relay}", f"ask {relay}", "renew primary"),
        *("give primary", f"look at {relay}", f"ask {relay}", "renew secondary"),
    ]


def test_a_relay_that_does_not_deliver_stops_before_a_key_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = sample(3, 0, errors_auth=2) + '{ "name": "kafka queue", "size": 9 }\n'
    done = answering(monkeypatch, refused)
    monkeypatch.setattr(rotation, "CONFIRM_SECONDS", 0.0)
    with pytest.raises(ProofError, match=r"12 events wait: the key or certificate of the relay is refused"):
        of_example().run()
    assert [step for step in done if step.startswith("renew")] == []


def test_the_lab_has_no_such_keys() -> None:
    with pytest.raises(UsageError, match="no sending keys"):
        Rotation(PROJECT, load_fleet(PROJECT), "favrskov", lambda progress: None).run()


def test_the_words_of_the_two_keys_are_azures() -> None:
    assert [which.value for which in Which] == ["primary", "secondary"]
