"""The report page: one self-contained HTML file in both languages, for screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from vaern.model.controls import STANDARDS, Catalogue, area
from vaern.model.finding import Control, Finding, Outcome, Text
from vaern.model.verdict_parts import WORST_FIRST, Level
from vaern.model.verdict_texts import leg
from vaern.report.content import Report
from vaern.runtime.visible_text import visible

if TYPE_CHECKING:
    from jinja2 import Template

MARKS = {Outcome.PASSED: "✓", Outcome.FAILED: "✗", Outcome.SKIPPED: "–", Outcome.UNKNOWN: "?"}
OUTCOMES = {
    Outcome.PASSED: Text("Opfyldt", "Met"),
    Outcome.FAILED: Text("Ikke opfyldt", "Not met"),
    Outcome.SKIPPED: Text("Kan ikke prøves her", "Cannot be tried here"),
    Outcome.UNKNOWN: Text("Kunne ikke prøves", "Could not be tried"),
}
VERDICT_MARKS = {
    Level.GOOD: "✓",
    Level.PARTIAL: "–",
    Level.UNKNOWN: "?",
    Level.NOTHING: "?",
    Level.ATTENTION: "!",
    Level.BROKEN: "✗",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One control with its findings, worst first."""

    control: Control
    findings: tuple[Finding, ...]

    @property
    def outcome(self) -> Outcome:
        """The worst of them."""
        return self.findings[0].outcome


@dataclass(frozen=True, slots=True)
class Area:
    """One area of the page."""

    title: Text
    rows: tuple[Row, ...]

    @property
    def met(self) -> int:
        """Controls that every host meets."""
        return sum(row.outcome is Outcome.PASSED for row in self.rows)


def render_html(report: Report, catalogue: Catalogue) -> str:
    """The page. Every text from outside is escaped; nothing is fetched when it is opened."""
    rows = grouped(report, catalogue)
    return _template().render(
        report=report,
        catalogue=catalogue,
        verdict=report.verdict,
        mark=VERDICT_MARKS[report.verdict.level],
        areas=areas(rows, catalogue),
        failing=[row for row in rows if row.outcome is Outcome.FAILED],
        counts={outcome: sum(row.outcome is outcome for row in rows) for outcome in Outcome},
        marks=MARKS,
        outcomes=OUTCOMES,
        leg=leg,
        proofs_made=getattr(report.situation.proofs, "time", ""),
        standards=STANDARDS,
    )


@cache
def _template() -> Template:
    """Compiled once: that takes longer than writing a page."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("vaern.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_harmless,
    )
    environment.filters["comma"] = lambda number: f"{number:.1f}".replace(".", ",")
    return environment.get_template("page.html.j2")


def _harmless(value: object) -> object:
    """A value as the page shows it; what the template itself has rendered stays."""
    from markupsafe import Markup

    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def grouped(report: Report, catalogue: Catalogue) -> tuple[Row, ...]:
    """Findings by control, in the order of the catalogue."""
    found: dict[str, list[Finding]] = {}
    for finding in report.findings:
        found.setdefault(finding.control, []).append(finding)
    return tuple(
        Row(control, tuple(sorted(found[control.id], key=lambda one: (WORST_FIRST.index(one.outcome), one.host))))
        for control in catalogue.controls
        if control.id in found
    )


def areas(rows: tuple[Row, ...], catalogue: Catalogue) -> list[Area]:
    """The areas that have any control here."""
    by_area = {prefix: tuple(row for row in rows if area(row.control.id) == prefix) for prefix in catalogue.areas}
    return [Area(catalogue.areas[prefix], own) for prefix, own in by_area.items() if own]
