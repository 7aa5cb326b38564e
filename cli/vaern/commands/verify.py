"""`vaern verify`: is every host as it is declared?"""

from __future__ import annotations

from pathlib import Path

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project


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
    from vaern.archive import alarms
    from vaern.declaration import load_fleet
    from vaern.model.controls import load_catalogue
    from vaern.model.finding import Outcome
    from vaern.report import make_report, render_json, render_junit, show, write_reports
    from vaern.verify import verify

    project: Project = ctx.obj
    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    findings = verify(project, slug, municipality, fleet.deployment, controls=controls)
    told = alarms.read(project, fleet.deployment)
    report = make_report(slug, municipality, fleet.deployment, findings, alarms=told.texts(municipality.code))
    paths = None if controls else write_reports(project, slug, report)
    if junit:
        junit.write_text(render_junit(report, load_catalogue()), encoding="utf-8")
    if as_json:
        click.echo(render_json(report, load_catalogue()), nl=False)
    else:
        show(report, paths)
    return ExitCode.FINDINGS if report.count(Outcome.FAILED) else ExitCode.OK
