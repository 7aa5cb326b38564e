"""The result on a terminal: a line for each control, the hosts that fail it, the proofs, and the verdict."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from vaern.model.controls import load_catalogue
from vaern.model.finding import Outcome
from vaern.model.situation import PartName
from vaern.model.verdict import Verdict
from vaern.model.verdict_parts import Level
from vaern.report.content import Report
from vaern.report.page import Row, grouped
from vaern.runtime.visible_text import visible_line

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

LEVELS = {
    Level.GOOD: "green",
    Level.PARTIAL: "cyan",
    Level.UNKNOWN: "magenta",
    Level.NOTHING: "magenta",
    Level.ATTENTION: "red",
    Level.BROKEN: "red",
}
SHOWN_ABOVE = frozenset({PartName.CONTROLS, PartName.PROOFS})
"""Their details stand in the tables."""
COLOURS = {Outcome.PASSED: "green", Outcome.FAILED: "red", Outcome.SKIPPED: "yellow", Outcome.UNKNOWN: "magenta"}


def show(report: Report, console: Console, paths: Mapping[str, str] | None = None) -> None:
    """Print the controls, the proofs, the verdict and where the page is."""
    from rich.markup import escape

    console.print(_controls(report))
    if report.proofs:
        console.print(_proofs(report))
    for line in verdict_lines(report.verdict, without=SHOWN_ABOVE):
        console.print(line, soft_wrap=True)
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome)
    console.print(f"{len(report.findings)} findings: {counts}", soft_wrap=True)
    if paths:
        console.print(f"report: {escape(paths['html'])}", soft_wrap=True)


def verdict_lines(verdict: Verdict, without: frozenset[PartName] = frozenset()) -> list[str]:
    """The details of what is wrong, then the headline, as lines in rich's markup.

    `without` are the parts whose details are left out.
    """
    from rich.markup import escape

    details = [
        f"[red]{'ALARM' if clause.part is PartName.ALARMS else 'WRONG'}[/] {escape(visible_line(detail.en))}"
        for clause in verdict.wrong
        if clause.part not in without
        for detail in clause.details
    ]
    return [*details, f"[{LEVELS[verdict.level]}]{escape(visible_line(verdict.headline.en))}[/]"]


def _controls(report: Report) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("control", "result", "hosts", "requirement", box=None, pad_edge=False)
    for row in grouped(report, load_catalogue()):
        colour = COLOURS[row.outcome]
        table.add_row(
            row.control.id, f"[{colour}]{row.outcome.value}[/]", str(len(row.findings)), escape(row.control.title.en)
        )
        for line in _details(row):
            table.add_row("", "", "", escape(line))
    return table


def _details(row: Row) -> list[str]:
    lines = []
    for finding in row.findings:
        if finding.outcome is Outcome.FAILED:
            lines += [f"{finding.host}: expected {finding.expected}", f"{finding.host}: observed {finding.observed}"]
        elif finding.outcome in {Outcome.SKIPPED, Outcome.UNKNOWN}:
            lines.append(f"{finding.host}: {finding.observed}")
    return lines


def _proofs(report: Report) -> Table:
    from rich.markup import escape
    from rich.table import Table

    table = Table("seen at the collector", "", "seconds", "last seen at", box=None, pad_edge=False)
    for proof in report.proofs:
        seen = "[green]seen[/]" if proof.seen else "[red]not seen[/]"
        table.add_row(escape(proof.subject), seen, f"{proof.seconds:.1f}", escape(proof.leg))
    return table
