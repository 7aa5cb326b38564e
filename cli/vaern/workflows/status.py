"""How far each municipality is, read from the records of the stages without contacting a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vaern import inventory
from vaern.enrolment.key_record import read_record, record_of
from vaern.errors import ApprovalError, SetupError
from vaern.model.fleet import Fleet
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.runtime.state_file import read_object
from vaern.workflows import approving
from vaern.workflows.sources import Sources


@dataclass(frozen=True, slots=True)
class Status:
    """One municipality. `report` is the time of the last one; counts are zero without a report."""

    municipality: str
    code: str
    hosts: int
    inventory: str
    approved_by: str
    enrolled: int
    report: str
    passed: int
    failed: int
    proofs_seen: int
    proofs: int

    @property
    def connected(self) -> bool:
        """Whether the last report has no failed control, and every proof was seen at the collector."""
        return bool(self.report) and not self.failed and self.proofs > 0 and self.proofs == self.proofs_seen


def statuses(project: Project, fleet: Fleet) -> list[Status]:
    """One Status each, in the order of the fleet."""
    sources = None if fleet.deployment.target is Target.LAB else _sources(project)
    return [_status(project, fleet, slug, sources) for slug in fleet.municipalities]


def enrolled_slugs(project: Project, fleet: Fleet) -> list[str]:
    """Slugs of the municipalities whose hosts are all enrolled."""
    return [slug for slug, one in fleet.municipalities.items() if len(_keys(project, fleet, slug)) == len(one.hosts)]


def _status(project: Project, fleet: Fleet, slug: str, sources: Sources | None) -> Status:
    municipality = fleet.municipalities[slug]
    files = inventory.municipality_files(fleet, slug)
    report = _report(project, slug, "latest")
    outcomes = [finding["outcome"] for finding in report.get("findings", [])]
    proofs = _report(project, slug, "proved").get("proofs", [])
    return Status(
        municipality=slug,
        code=municipality.code,
        hosts=len(municipality.hosts),
        inventory=_inventory(project, slug, files),
        approved_by=_approved_by(project, fleet, slug, sources),
        enrolled=len(_keys(project, fleet, slug)),
        report=str(report.get("time", "")),
        passed=outcomes.count("passed"),
        failed=outcomes.count("failed"),
        proofs_seen=sum(bool(proof["seen"]) for proof in proofs),
        proofs=len(proofs),
    )


def _inventory(project: Project, slug: str, files: dict[str, str]) -> str:
    if inventory.unknown(project.inventories, slug, files):
        return "unknown files"
    return "changed" if inventory.compare(project.inventories, slug, files) else "current"


def _sources(project: Project) -> Sources | None:
    """None where the packages have not been built, so that nobody can say what an approval would cover."""
    try:
        return Sources.read(project)
    except SetupError:
        return None


def _approved_by(project: Project, fleet: Fleet, slug: str, sources: Sources | None) -> str:
    if fleet.deployment.target is Target.LAB:
        return "not required in the lab"
    if sources is None:
        return ""
    try:
        return approving.current(project, fleet, slug, sources).signer
    except ApprovalError:
        return ""


def _keys(project: Project, fleet: Fleet, slug: str) -> dict[str, Any]:
    return read_record(record_of(project, fleet.deployment, slug))


def _report(project: Project, slug: str, which: str) -> dict[str, Any]:
    try:
        found = read_object(project.reports / slug / which / "findings.json", fix=f"run `vaern verify {slug}` again")
    except FileNotFoundError:
        return {}
    return found
