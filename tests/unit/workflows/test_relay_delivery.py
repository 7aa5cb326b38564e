"""After a change, onboarding gives the relays a minute to deliver before it judges them."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from vaern.errors import UnreachableError
from vaern.runtime.paths import Project
from vaern.workflows import relay_delivery

PROJECT = Project(Path("/nowhere"), Path("/nowhere/.vaern"))


def line(second: int, acknowledged: int, *, refused: int = 0) -> str:
    """One line of the statistics, of a relay that started at second 0."""
    found = {
        "time": f"2026-11-29T02:00:{second:02d}Z", "started": "2026-11-29T02:00:00Z", "acknowledged": acknowledged,
        "refused": refused, "waiting_bytes": 900, "behind_seconds": 0.1 if acknowledged else 12.0,
        "errors": {"topic": refused},
    }  # fmt: skip
    return json.dumps(found) + "\n"


REFUSED = line(5, 0, refused=4)
ANSWERS: dict[str, tuple[list[str], int]] = {
    "accepted": ([line(5, 9)], 1),
    "nothing written yet": ([""], 1),
    "accepted at the third look": ([REFUSED, REFUSED, REFUSED + line(15, 9, refused=4)], 3),
}


def looks(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> list[str]:
    """Make ssh answer in turn, the last answer for ever; returns the hosts that were asked."""
    asked: list[str] = []
    clock = iter(range(10_000))

    def run(project: Project, host: str, command: str) -> subprocess.CompletedProcess[str]:
        asked.append(host)
        return subprocess.CompletedProcess([], 0, answers[min(len(asked), len(answers)) - 1], "")

    monkeypatch.setattr("vaern.runtime.ssh.run", run)
    monkeypatch.setattr(relay_delivery.time, "sleep", lambda seconds: None)
    monkeypatch.setattr(relay_delivery.time, "monotonic", lambda: float(next(clock)))
    return asked


@pytest.mark.parametrize("what", ANSWERS)
def test_it_waits_no_longer_than_the_relay_is_held_up(monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    answers, times = ANSWERS[what]
    asked = looks(monkeypatch, answers)
    relay_delivery.await_delivery(PROJECT, ["favrskov-gw1"], lambda text: None)
    assert asked == ["favrskov-gw1"] * times


def test_a_relay_that_stays_held_up_is_left_to_the_verification(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, told = looks(monkeypatch, [REFUSED]), []
    relay_delivery.await_delivery(PROJECT, ["favrskov-gw1", "favrskov-gw2"], told.append)
    assert asked[-1] == "favrskov-gw2"
    assert "the topic is not there, or closed to the relay (4 times)" in told[0]
    assert 50 < len(asked) < 70


def test_a_relay_that_does_not_answer_does_not_hold_up_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(project: Project, host: str, command: str) -> subprocess.CompletedProcess[str]:
        raise UnreachableError(f"{host} is away", fix="check that it is up")

    monkeypatch.setattr("vaern.runtime.ssh.run", gone)
    relay_delivery.await_delivery(PROJECT, ["favrskov-gw1"], lambda text: None)
