"""What the records of the stages say, and that a verification alone does not hide an earlier proof."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from vaern import inventory
from vaern.declaration import load_fleet
from vaern.model.finding import Finding, Outcome, Proof
from vaern.report import make_report, write_reports
from vaern.runtime.paths import Project
from vaern.workflows.status import Status, enrolled_slugs, statuses

ROOT = Path(__file__).resolve().parents[3]
PASSED = Finding("favrskov", "BASE-01", "hub1", Outcome.PASSED, "a", "a", "e", "2026-11-24T12:00:00Z")
PROOF = Proof("favrskov", "firewall1", "tag", True, "archive", 0.5)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    records = shutil.ignore_patterns("*.lab.yml")
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=records)
    return Project(tmp_path, tmp_path / ".vaern")


def status(project: Project) -> Status:
    (found,) = statuses(project, load_fleet(project, ("favrskov",)))
    return found


def record(project: Project, findings: list[Finding], proofs: list[Proof], second: int) -> None:
    fleet = load_fleet(project, ("favrskov",))
    report = make_report("favrskov", fleet.municipalities["favrskov"], fleet.deployment, findings, proofs, {})
    write_reports(project, "favrskov", dataclasses.replace(report, time=f"2026-11-24T12:00:{second:02}Z"))


def test_nothing_has_been_done_yet(project: Project) -> None:
    found = status(project)
    assert (found.report, found.enrolled, found.proofs, found.connected) == ("", 0, 0, False)
    assert found.inventory == "current"


def test_connected_means_all_right_and_all_seen(project: Project) -> None:
    record(project, [PASSED], [PROOF], 1)
    assert status(project).connected
    record(project, [dataclasses.replace(PASSED, outcome=Outcome.FAILED)], [PROOF], 2)
    assert not status(project).connected
    record(project, [PASSED], [dataclasses.replace(PROOF, seen=False)], 3)
    assert not status(project).connected


def test_a_verification_alone_does_not_hide_the_proof(project: Project) -> None:
    record(project, [PASSED], [PROOF], 1)
    record(project, [PASSED], [], 2)
    found = status(project)
    assert found.report == "2026-11-24T12:00:02Z"
    assert found.connected


def test_a_changed_inventory_is_told(project: Project) -> None:
    path = project.inventories / "favrskov/host_vars/favrskov-gw1.yml"
    path.write_text(path.read_text() + "x: 1\n")
    assert status(project).inventory == "changed"


def test_enrolled_are_those_with_every_host_recorded(project: Project) -> None:
    fleet = load_fleet(project)
    assert enrolled_slugs(project, fleet) == []
    keys = project.inventories / "favrskov/group_vars/all/keys.lab.yml"
    keys.write_text("enrolment: {favrskov-gw1: {}}\n")
    assert enrolled_slugs(project, fleet) == []
    keys.write_text("enrolment: {favrskov-gw1: {}, favrskov-sensor1: {}}\n")
    assert enrolled_slugs(project, fleet) == ["favrskov"]
    (path,) = inventory.tenants_file(fleet, enrolled_slugs(project, fleet))
    assert path == "shared/group_vars/hubs/tenants.lab.yml"
