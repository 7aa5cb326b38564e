"""An approval that is waited for is told once, by whichever run finds it, and once more when it is there."""

from __future__ import annotations

import json
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.paths import ROOT

from vaern.declaration import load_fleet
from vaern.errors import ApprovalError, UnreachableError
from vaern.model.fleet import Fleet
from vaern.model.notify import Notify, Webhook
from vaern.model.vocabulary import Target
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.workflows import approving
from vaern.workflows.onboarding import Onboarding
from vaern_programs.monitoring.notify import notices


class Collector:
    """Takes what is handed over with the program that the collector has; what it took is in its own files."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.reachable = folder / "notices", True
        monkeypatch.setattr(ssh, "run", self.run)

    def run(self, project: Project, host: str, command: str, stdin: str = "", **_: Any) -> Any:
        if not self.reachable:
            raise UnreachableError(f"{host} does not answer", fix="start it")
        return subprocess.CompletedProcess([], 0, json.dumps(notices.take(self.folder, stdin.encode())), "")

    def told(self) -> list[tuple[str, str]]:
        """Kind and state of each change that people of Favrskov are told of."""
        path = self.folder / "0710.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [(one["kind"], one["state"]) for one in map(json.loads, lines)]


@pytest.fixture
def collector(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Collector:
    return Collector(tmp_path, monkeypatch)


def fleet_of(notify: Notify | None, target: Target = Target.AZURE) -> Fleet:
    """A fleet that asks for approvals."""
    fleet = load_fleet(Project(ROOT, ROOT / ".vaern"), ["favrskov"])
    own = fleet.municipalities["favrskov"].model_copy(update={"notify": notify})
    return replace(
        fleet,
        deployment=fleet.deployment.model_copy(update={"target": target}),
        municipalities={"favrskov": own},
    )


HOOK = Notify(webhook=Webhook(url="https://hooks.favrskov.example/"))


def run(tmp_path: Path, fleet: Fleet, said: list[str]) -> Onboarding:
    made = Onboarding(Project(ROOT, tmp_path), fleet, "favrskov", lambda _: None, say=said.append)
    made.__dict__["sources"] = None
    return made


@pytest.fixture
def approved(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    state = SimpleNamespace(now=False)

    def current(*_: Any) -> str:
        if not state.now:
            raise ApprovalError("favrskov has changed", fix="let it be signed")
        return "approved"

    monkeypatch.setattr(approving, "current", current)
    monkeypatch.setattr(approving, "in_force", current)
    return state


def test_it_is_told_once_and_once_more_when_it_is_over(
    tmp_path: Path, collector: Collector, approved: SimpleNamespace
) -> None:
    said: list[str] = []
    fleet = fleet_of(HOOK)
    for stage in (Onboarding.refuse_unapproved, Onboarding.refuse_unapproved, Onboarding.require_approval):
        with pytest.raises(ApprovalError):
            stage(run(tmp_path, fleet, said))
        assert collector.told() == [("approval", "raised")]
    approved.now = True
    for _ in range(2):
        run(tmp_path, fleet, said).require_approval()
        assert collector.told() == [("approval", "raised"), ("approval", "cleared")]
    assert said == []


def test_who_cannot_be_told_is_said_and_the_fault_stays_the_approval(
    tmp_path: Path, collector: Collector, approved: SimpleNamespace
) -> None:
    collector.reachable = False
    said: list[str] = []
    with pytest.raises(ApprovalError):
        run(tmp_path, fleet_of(HOOK), said).refuse_unapproved()
    assert said == ["nobody was told whether an approval is waited for: hub1 does not answer; start it"]


@pytest.mark.parametrize(("notify", "target"), [(None, Target.AZURE), (HOOK, Target.LAB)])
def test_nobody_is_asked_where_nobody_is_declared_or_nothing_is_waited_for(
    tmp_path: Path, collector: Collector, approved: SimpleNamespace, notify: Notify | None, target: Target
) -> None:
    collector.reachable = False
    said: list[str] = []
    one = run(tmp_path, fleet_of(notify, target), said)
    if target is Target.LAB:
        one.refuse_unapproved()
        one.require_approval()
    else:
        with pytest.raises(ApprovalError):
            one.refuse_unapproved()
    assert said == []
