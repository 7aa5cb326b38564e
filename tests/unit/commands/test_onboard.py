"""How onboarding ends: its report says which alarms are open, as that of `vaern verify` does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaern.archive import alarms
from vaern.commands import onboard
from vaern.declaration import load_fleet
from vaern.errors import ExitCode
from vaern.runtime.paths import Project
from vaern.workflows import situation
from vaern.workflows.onboarding import Onboarding
from vaern.workflows.recording import Recording

ROOT = Path(__file__).resolve().parents[3]


def alarm(code: str, name: str) -> alarms.Alarm:
    return alarms.Alarm(code, "silent", name, "2026-11-24T08:00:00Z", "2026-11-24T09:00:00Z", f"{name} tavs", name)


@pytest.mark.parametrize("as_json", [False, True])
def test_the_report_of_onboarding_has_the_open_alarms(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], as_json: bool
) -> None:
    project = Project(ROOT, tmp_path)
    fleet = load_fleet(project, ["favrskov"])
    found = alarms.Alarms((alarm("0710", "firewall1"), alarm("0751", "foreign"), alarm("shared", "hub1")))
    monkeypatch.setattr(alarms, "read", lambda *_: found)
    monkeypatch.setattr(situation, "SETTLE_SECONDS", 0.0)
    run = Onboarding(project, fleet, "favrskov", lambda _: None)
    assert onboard._conclude(run, as_json, Recording()) == ExitCode.FINDINGS
    written = json.loads((project.reports / "favrskov" / "latest" / "findings.json").read_text(encoding="utf-8"))
    assert written["alarms"] == [["hub1 tavs", "hub1"], ["firewall1 tavs", "firewall1"]]
    said = capsys.readouterr().out
    assert "firewall1" in said
    assert "foreign" not in said
