"""`vaern verify`: is every host as it is declared?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode
from vaern.paths import Project

if TYPE_CHECKING:
    from vaern.report import Report

COLOURS = {"passed": "green", "failed": "red", "skipped": "yellow"}


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--control", "controls", multiple=True, metavar="ID", help="Only this control; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option("--junit", type=click.Path(path_type=Path, dir_okay=False), help="Also write JUnit XML to this file.")
@click.pass_context
def command(ctx: click.Context, slug: str, controls: tuple[str, ...], as_json: bool, junit: Path | None) -> int:
    """Check the hosts of a municipality against its declaration.

    Reads only; nothing is changed on a host. Ends with 1 when a control is not met. A run of all controls is
    kept as the last report.

    \b
    Examples:
      vaern verify favrskov
      vaern verify favrskov --control VPN-03 --control BASE-08
      vaern verify favrskov --junit results.xml
    """
    from vaern.controls import load_catalogue
    from vaern.declaration import load_fleet
    from vaern.model.finding import Outcome
    from vaern.report import make_report, render_json, render_junit, write_reports
    from vaern.verify import verify

    project: Project = ctx.obj
    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    findings = verify(project, slug, municipality, fleet.deployment, controls=controls)
    report = make_report(slug, municipality, findings)
    place = None if controls else write_reports(project, report).html
    if junit:
        junit.write_text(render_junit(report, load_catalogue()), encoding="utf-8")
    if as_json:
        click.echo(render_json(report, load_catalogue()), nl=False)
    else:
        _print_table(report, place)
    return ExitCode.FINDINGS if report.count(Outcome.FAILED) else ExitCode.OK


def _print_table(report: Report, place: Path | None) -> None:
    from rich.markup import escape
    from rich.table import Table

    from vaern.console import terminal
    from vaern.controls import load_catalogue
    from vaern.model.finding import Outcome

    catalogue = load_catalogue()
    table = Table("control", "host", "result", "what", box=None, pad_edge=False)
    for finding in report.findings:
        what = escape(catalogue[finding.control].title.en)
        if finding.outcome is Outcome.FAILED:
            what += f"\n  expected {escape(finding.expected)}\n  observed {escape(finding.observed)}"
        elif finding.outcome is Outcome.SKIPPED:
            what += f" ({escape(finding.observed)})"
        colour = COLOURS[finding.outcome]
        table.add_row(finding.control, finding.host, f"[{colour}]{finding.outcome.value}[/]", what)
    counts = ", ".join(f"{report.count(outcome)} {outcome.value}" for outcome in Outcome)
    terminal().print(table)
    click.echo(counts)
    if place:
        click.echo(f"report: {place}")
