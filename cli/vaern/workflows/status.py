"""How far each municipality is, and the verdict on it now, from records and what the collector says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vaern import inventory
from vaern.archive.alarms import Alarms
from vaern.archive.counts import Counts
from vaern.enrolment.key_record import read_record, record_of
from vaern.errors import ApprovalError, ProvisionError, SetupError
from vaern.model.finding import Outcome
from vaern.model.fleet import Fleet
from vaern.model.naming import host_name
from vaern.model.situation import Measured, PartName
from vaern.model.verdict import Verdict, judge
from vaern.model.verdict_parts import Level
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.workflows import approving, situation
from vaern.workflows.dropped_senders import AllDropped, dropped
from vaern.workflows.proposing import Proposals
from vaern.workflows.sources import Sources
from vaern.workflows.unknown_senders import Strangers, strangers


@dataclass(frozen=True, slots=True)
class Status:
    """One municipality now. `report` is the time of the last one; counts are zero without a report."""

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
    verdict: Verdict
    strangers: Strangers
    """Who sends and is not declared. That is no fault of the connection, and no part of the verdict."""
    dropped: AllDropped
    """The same, of whom the firewall of a relay drops."""

    @property
    def connected(self) -> bool:
        """Whether no control of the last report failed, and every proof was seen at the collector."""
        controls, proofs = self.verdict.of(PartName.CONTROLS), self.verdict.of(PartName.PROOFS)
        return controls in {Level.GOOD, Level.PARTIAL} and proofs is Level.GOOD


def statuses(project: Project, fleet: Fleet, found: Alarms, counts: Counts) -> list[Status]:
    """One Status each, in the order of the fleet; `found` and `counts` were read of the collector now."""
    sources = None if fleet.deployment.target is Target.LAB else _sources(project)
    return [_status(project, fleet, slug, sources, found, counts) for slug in fleet.municipalities]


def enrolled_slugs(project: Project, fleet: Fleet) -> list[str]:
    """Slugs of the municipalities whose hosts are all enrolled."""
    return [slug for slug, one in fleet.municipalities.items() if len(_keys(project, fleet, slug)) == len(one.hosts)]


def require_connected(project: Project, fleet: Fleet, slug: str) -> None:
    """Raise ProvisionError when no key of the municipality's hosts is recorded: there is nothing to look at yet."""
    hosts = fleet.municipalities[slug].hosts
    if not _keys(project, fleet, slug):
        names = ", ".join(host_name(slug, host.name) for host in hosts)
        raise ProvisionError(
            f"{slug} is not connected: the keys of {names} have not been made", fix=f"run `vaern onboard {slug}`"
        )


def _status(
    project: Project, fleet: Fleet, slug: str, sources: Sources | None, found: Alarms, counts: Counts
) -> Status:
    municipality = fleet.municipalities[slug]
    files = inventory.municipality_files(fleet, slug)
    taken, reported = situation.recorded(project, fleet, slug, found, counts)
    controls = taken.controls.result.findings if isinstance(taken.controls, Measured) else ()
    proofs = taken.proofs.result.proofs if isinstance(taken.proofs, Measured) else ()
    proposals = Proposals(municipality)
    outcomes = [finding.outcome for finding in controls]
    return Status(
        municipality=slug,
        code=municipality.code,
        hosts=len(municipality.hosts),
        inventory=_inventory(project, slug, files),
        approved_by=_approved_by(project, fleet, slug, sources),
        enrolled=len(_keys(project, fleet, slug)),
        report=reported,
        passed=outcomes.count(Outcome.PASSED),
        failed=outcomes.count(Outcome.FAILED),
        proofs_seen=sum(proof.seen for proof in proofs),
        proofs=len(proofs),
        verdict=judge(taken),
        strangers=strangers(slug, municipality, found, proposals),
        dropped=dropped(slug, municipality, found, proposals),
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
