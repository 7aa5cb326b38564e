"""The last results of a municipality, from its evidence, or from before there was any."""

from __future__ import annotations

from dataclasses import dataclass

from vaern import evidence
from vaern.errors import UsageError
from vaern.model.situation import Measured, Proofs
from vaern.report import Report, parse_json, read_proofs, read_report
from vaern.runtime.paths import Project


@dataclass(frozen=True, slots=True)
class Result:
    """A report, and whether a record of the chain vouches for it."""

    report: Report
    vouched: bool


def last(project: Project, slug: str, *, whole: bool = True) -> Result:
    """The last result of all controls. When not `whole`, the chain is looked at from there on only.

    Raises EvidenceError when a record of the chain is not as it was written, UsageError when there is no result.
    """
    found = evidence.read(project, slug, lambda record: record.run.whole, whole=whole)
    if found is None:
        return Result(read_report(project, slug), vouched=False)
    return Result(_report(found), vouched=True)


def last_proofs(project: Project, slug: str) -> Measured[Proofs]:
    """The proofs that were made last, and when. Raises as `last` does."""
    found = evidence.read(project, slug, lambda record: record.run.proved, whole=False)
    if found is None:
        return read_proofs(project, slug)
    part = _report(found).situation.proofs
    if not isinstance(part, Measured):
        raise UsageError(f"{slug} has no proof yet", fix=f"make one with `vaern onboard {slug}`")
    return part


def _report(found: evidence.Reading) -> Report:
    return parse_json(found.findings.read_text(encoding="utf-8"), str(found.findings))
