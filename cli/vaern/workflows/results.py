"""The last results of a municipality, from its evidence, or from before there was any."""

from __future__ import annotations

from dataclasses import dataclass

from vaern import evidence
from vaern.report import Report, parse_json, read_report
from vaern.runtime.paths import Project


@dataclass(frozen=True, slots=True)
class Result:
    """A report, and whether a record of the chain vouches for it."""

    report: Report
    vouched: bool


def last(project: Project, slug: str) -> Result:
    """The last result of all controls.

    Raises EvidenceError when a record of the chain is not as it was written, UsageError when there is no result.
    """
    found = evidence.read(project, slug, lambda record: record.run.whole)
    if found is None:
        return Result(read_report(project, slug), vouched=False)
    return Result(parse_json(found.findings.read_text(encoding="utf-8"), str(found.findings)), vouched=True)
