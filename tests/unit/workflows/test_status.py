"""What the records of the stages say, and that a verification alone does not hide an earlier proof."""

from __future__ import annotations

import dataclasses
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from vaern import inventory
from vaern.archive.alarms import Alarms
from vaern.archive.counts import Counts
from vaern.archive.ledger import Ledger, Row
from vaern.declaration import load_fleet
from vaern.errors import ProvisionError
from vaern.model.finding import Finding, Outcome, Proof, Text
from vaern.model.situation import Balance, Controls, Measured, PartName, Proofs, Situation
from vaern.model.verdict_parts import Level
from vaern.report import make_report, read_proofs, write_reports
from vaern.runtime.paths import Project
from vaern.workflows.status import Status, enrolled_slugs, require_connected, statuses

ROOT = Path(__file__).resolve().parents[3]
PASSED = Finding("favrskov", "BASE-01", "hub1", Outcome.PASSED, "a", "a", "e", "2026-11-24T12:00:00Z")
PROOFS = [
    Proof("favrskov", subject, "tag", True, "archive", 0.5) for subject in ("firewall1", "dhcp1", "journal1", "core")
]
NO_COUNTS = Counts({})
LOST = [dataclasses.replace(PROOFS[0], seen=False), *PROOFS[1:]]


@pytest.fixture
def project(tmp_path: Path) -> Project:
    records = shutil.ignore_patterns("*.lab.yml")
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=records)
    return Project(tmp_path, tmp_path / ".vaern")


def status(project: Project, counts: Counts = NO_COUNTS) -> Status:
    (found,) = statuses(project, load_fleet(project, ("favrskov",)), Alarms(()), counts)
    return found


def counted(missing: int, minutes_ago: int) -> Counts:
    """What the collector has counted so many minutes ago, when its relay had just stated what it sent."""
    at = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).isoformat(timespec="seconds")
    row = Row("", "all", "all", 50_000, 50_000 - missing, 0, 0, 0, missing)
    return Counts({"0710": Ledger("0710", at, (row,), (), (), {"favrskov-gw1": at})})


def record(project: Project, findings: list[Finding], proofs: list[Proof], minutes_ago: int) -> str:
    """A report of so many minutes ago. Without proofs it has those of the last one that made some."""
    fleet = load_fleet(project, ("favrskov",))
    time = (datetime.now(UTC) - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = Measured(time, Proofs(tuple(proofs))) if proofs else read_proofs(project, "favrskov")
    taken = Situation(
        "Favrskov", time, Measured(time, Controls(tuple(findings))), made, ledger=Measured(time, Balance(50_000))
    )
    write_reports(
        project, "favrskov", make_report("favrskov", fleet.municipalities["favrskov"], fleet.deployment, taken)
    )
    return time


def test_nothing_has_been_done_yet(project: Project) -> None:
    found = status(project)
    assert (found.report, found.enrolled, found.proofs, found.connected) == ("", 0, 0, False)
    assert found.verdict.level is Level.UNKNOWN
    assert "whether the demands are met (favrskov has no report yet)" in found.verdict.headline.en
    assert found.inventory == "current"


def test_connected_means_all_right_and_all_seen(project: Project) -> None:
    record(project, [PASSED], PROOFS, 3)
    assert status(project).connected
    record(project, [dataclasses.replace(PASSED, outcome=Outcome.FAILED)], PROOFS, 2)
    assert not status(project).connected
    record(project, [PASSED], LOST, 1)
    assert not status(project).connected
    assert status(project).verdict.level is Level.BROKEN


def test_a_verification_alone_does_not_hide_the_proof(project: Project) -> None:
    record(project, [PASSED], PROOFS, 2)
    last = record(project, [PASSED], [], 1)
    found = status(project)
    assert found.report == last
    assert found.connected


def test_a_source_that_was_declared_since_is_not_known_to_arrive(project: Project) -> None:
    record(project, [PASSED], PROOFS, 2)
    assert status(project).connected
    record(project, [PASSED], PROOFS[:-1], 1)
    assert "whether events of core arrive" in status(project).verdict.headline.en
    assert not status(project).connected


def test_what_was_verified_long_ago_is_not_known_any_more(project: Project) -> None:
    record(project, [PASSED], PROOFS, 8 * 24 * 60)
    found = status(project)
    assert not found.connected
    assert "whether the demands are met (last measured 20" in found.verdict.headline.en


def test_what_is_missing_now_is_said_and_not_what_the_last_report_had_counted(project: Project) -> None:
    """The last report found that nothing is missing; 48,200 events were lost since."""
    record(project, [PASSED], PROOFS, 60)
    found = status(project, counted(48_200, minutes_ago=1)).verdict
    assert found.of(PartName.LEDGER) is Level.ATTENTION
    assert found.exit_code == 1
    assert "48,200 events are missing in the archive (counted 20" in found.headline.en
    assert status(project, counted(0, minutes_ago=1)).verdict.of(PartName.LEDGER) is Level.GOOD


@pytest.mark.parametrize(("minutes_ago", "level"), [(1, Level.GOOD), (20, Level.UNKNOWN)])
def test_before_a_new_collector_has_counted_the_count_of_onboarding_holds_while_it_is_new(
    project: Project, minutes_ago: int, level: Level
) -> None:
    time = record(project, [PASSED], PROOFS, minutes_ago)
    found = status(project, NO_COUNTS).verdict
    assert found.of(PartName.LEDGER) is level
    (said,) = (clause.text.en for clause in found.clauses if clause.part is PartName.LEDGER)
    assert f"{time[:10]} {time[11:16]} UTC" in said


def test_what_nobody_can_be_asked_for_is_not_known(project: Project) -> None:
    counts = Counts({}, Text("hub1 svarer ikke", "hub1 does not answer"))
    time = record(project, [PASSED], PROOFS, 1)
    found = status(project, counts).verdict
    assert found.of(PartName.LEDGER) is Level.UNKNOWN
    assert found.exit_code == 1
    last = f"last measured {time[:10]} {time[11:16]} UTC"
    assert f"whether events are missing ({counts.unknown.en}; {last})" in found.headline.en
    assert f"; sidst målt {time[:10]}" in found.headline.da


def test_a_count_of_an_hour_ago_says_nothing_of_now(project: Project) -> None:
    record(project, [PASSED], PROOFS, 1)
    found = status(project, counted(0, minutes_ago=60)).verdict
    assert found.of(PartName.LEDGER) is Level.UNKNOWN
    assert "whether events are missing (last measured 20" in found.headline.en


def test_a_municipality_without_keys_is_not_connected(project: Project) -> None:
    fleet = load_fleet(project, ("favrskov",))
    with pytest.raises(ProvisionError, match="favrskov is not connected") as raised:
        require_connected(project, fleet, "favrskov")
    assert raised.value.fix == "run `vaern onboard favrskov`"
    keys = project.inventories / "favrskov/group_vars/all/keys.lab.yml"
    keys.write_text("enrolment: {favrskov-gw1: {}}\n")
    require_connected(project, fleet, "favrskov")


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
