"""Previewing many stacks: in the order given, one that fails stops no other, and reading declarations needs no SDK."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from vaern import provision
from vaern.declaration import load_fleet
from vaern.errors import ProvisionError
from vaern.provision import previews
from vaern.runtime.paths import Project
from vaern_stacks.changes import Change

ROOT = Path(__file__).resolve().parents[3]
CHANGE = Change("create", "Namespace", "namespace")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(ROOT, tmp_path / "state")


def test_one_that_fails_stops_no_other(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def previewed(_project: object, _deployment: object, _declared: object, slug: str, *, made: bool) -> list[Change]:
        if slug == broken:
            raise ProvisionError(f"{slug}: no quota", fix="ask for more")
        return [CHANGE] if not made else []

    fleet = load_fleet(project)
    broken, *others = fleet.municipalities
    monkeypatch.setattr(provision, "preview_municipality", previewed)
    monkeypatch.setattr(provision, "preview_shared", lambda *_, made: [])
    monkeypatch.setattr(provision, "stacks", lambda *_: ["shared", *others[:1]])
    told: list[str] = []
    planned = previews.plan(project, fleet, ["shared", *fleet.municipalities], told.append, jobs=1)
    assert [one.stack for one in planned] == ["shared", *fleet.municipalities]
    assert [one.changes for one in planned] == [[], [], [], *([CHANGE] for _ in others[1:])]
    assert told[1] == f"2 of {len(planned)}: {broken}, {broken}: no quota"
    with pytest.raises(ProvisionError, match=f"^{broken}: no quota$") as raised:
        previews.raise_for(planned)
    assert raised.value.fix == "ask for more"


def test_the_others_that_failed_are_named() -> None:
    planned = [previews.Planned(slug, fault=f"{slug}: no", fix="yes") for slug in ("a", "b", "c")]
    with pytest.raises(ProvisionError, match=r"^a: no \(and 2 more: b, c\)$"):
        previews.raise_for(planned)


def test_what_reads_declarations_imports_no_sdk(tmp_path: Path) -> None:
    program = (
        "import contextlib, sys\n"
        "from vaern.__main__ import main\n"
        "for command in ('check', 'cost'):\n"
        "    sys.argv = ['vaern', command]\n"
        "    with contextlib.suppress(SystemExit):\n"
        "        main()\n"
        "print([m for m in ('pulumi', 'pulumi_azure_native', 'ansible_runner') if m in sys.modules])\n"
    )
    environment = {**os.environ, "VAERN_PROJECT": str(ROOT), "VAERN_STATE": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert "declarations right" in done.stdout
    assert done.stdout.splitlines()[-1] == "[]"
