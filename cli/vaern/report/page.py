"""The report page: one self-contained HTML file in both languages, for screen and paper."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from vaern.model.controls import STANDARDS, Catalogue, area
from vaern.model.finding import Control, Finding, Outcome, Text
from vaern.report.content import Report, Verdict
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
VERDICTS = {
    Verdict.GOOD: Text(
        "{name} er forbundet, og overvågningen virker: alle krav er opfyldt, og alle prøver nåede frem.",
        "{name} is connected and monitoring works: every demand is met, and every test arrived.",
    ),
    Verdict.UNPROVED: Text(
        "Alle krav er opfyldt i {name}. Der er ikke sendt prøver i denne omgang.",
        "Every demand is met in {name}. No tests were sent this time.",
    ),
    Verdict.ATTENTION: Text(
        "{name}: {failed} krav er ikke opfyldt. De står øverst her på siden.",
        "{name}: {failed} demands are not met. They are at the top of this page.",
    ),
    Verdict.BROKEN: Text(
        "Overvågningen af {name} virker ikke helt: {missing} af {proofs} prøver nåede ikke frem.",
        "The monitoring of {name} does not fully work: {missing} of {proofs} tests did not arrive.",
    ),
}
ONE_FAILED = Text(
    "{name}: ét krav er ikke opfyldt. Det står øverst her på siden.",
    "{name}: one demand is not met. It is at the top of this page.",
)
LEGS = {
    "device": Text("ved kilden", "at the source"),
    "relay": Text("i kommunens logindsamler", "at the municipality's relay"),
    "collector": Text("hos modtageren", "at the receiver"),
    "archive": Text("i arkivet", "in the archive"),
}
WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED, Outcome.PASSED)


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
        """Controls that no host fails."""
        return sum(row.outcome is not Outcome.FAILED for row in self.rows)


def render_html(report: Report, catalogue: Catalogue) -> str:
    """The page. Every text from outside is escaped; nothing is fetched when it is opened."""
    rows = grouped(report, catalogue)
    return _template().render(
        report=report,
        catalogue=catalogue,
        verdict=sentence(report),
        areas=areas(rows, catalogue),
        failing=[row for row in rows if row.outcome is Outcome.FAILED],
        counts={outcome: sum(row.outcome is outcome for row in rows) for outcome in Outcome},
        marks=MARKS,
        outcomes=OUTCOMES,
        legs=LEGS,
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


def sentence(report: Report) -> Text:
    """The verdict as one sentence."""
    failed = len({finding.control for finding in report.failed})
    text = ONE_FAILED if report.verdict is Verdict.ATTENTION and failed == 1 else VERDICTS[report.verdict]
    values = {
        "name": report.name,
        "failed": failed,
        "missing": len(report.proofs) - report.seen,
        "proofs": len(report.proofs),
    }
    return Text(text.da.format(**values), text.en.format(**values))
