"""What a dry run says of hosts that are not there yet."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from vaern import provision
from vaern.declaration import load_fleet
from vaern.runtime.paths import Project
from vaern.runtime.yaml_text import load
from vaern.workflows.dry_run import plan

ROOT = Path(__file__).resolve().parents[3]


def roles_in(playbook: str) -> set[str]:
    return {
        entry["role"]
        for play in load((ROOT / "roles" / playbook).read_text(encoding="utf-8"))
        for entry in play["roles"]
    }


def test_every_role_of_both_playbooks_is_named_for_hosts_that_are_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(ROOT, tmp_path)
    for preview in ("preview_shared", "preview_municipality"):
        monkeypatch.setattr(provision, preview, lambda *_: [])
    planned = [
        one.what for one in plan(project, load_fleet(project), "favrskov", lambda _: None) if one.stage == "configure"
    ]
    named = {
        host: set(roles.split(", "))
        for roles, host in (re.fullmatch(r"run (.+) on (\S+)", one).groups() for one in planned)
    }  # type: ignore[union-attr]
    assert set(named) == {"hub1", "favrskov-gw1", "favrskov-sensor1"}
    assert named["hub1"] == roles_in("shared.yml") - {"event_hubs_proxy"}
    assert named["favrskov-gw1"] | named["favrskov-sensor1"] == roles_in("municipality.yml")
