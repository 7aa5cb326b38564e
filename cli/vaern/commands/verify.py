"""`vaern verify`: whether every host is as declared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import (
    STANDARD_OUTPUT,
    OutputFile,
    print_document,
    say,
    say_aside,
    terminal,
    words_of,
    write_output,
)
from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.model.fleet import Fleet
    from vaern.workflows.recording import Recording


@click.command()
@click.argument("slug", metavar="[MUNICIPALITY]", required=False)
@click.option("--control", "controls", multiple=True, metavar="ID", help="Only this control; may be repeated.")
@click.option("--list-controls", is_flag=True, help="Check nothing; list the controls, or those that apply there.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.option("--junit", type=OutputFile(), help="Also write JUnit XML to this file; - is standard output.")
@click.pass_context
def command(
    ctx: click.Context,
    slug: str | None,
    controls: tuple[str, ...],
    list_controls: bool,
    as_json: bool,
    junit: Path | None,
) -> int:
    """Check the hosts of a municipality against its declaration.

    Only reads; nothing is changed on a host. A run of all controls also asks the collector for open alarms and missing
    events, reads when certificates end, and is kept as the last report, with the proofs of the last onboarding. Ends
    with exit code 1 when something is wrong or not known, 9 when the last proof did not arrive. With --control only
    those are looked at, and the answer is about them alone. MUNICIPALITY may be left out with --list-controls only.

    \b
    Examples:
      vaern verify favrskov
      vaern verify favrskov --control VPN-03 --control BASE-08
      vaern verify favrskov --junit results.xml
      vaern verify --list-controls
    """
    project: Project = ctx.obj
    if list_controls:
        return _list(project, slug, controls, as_json)
    if as_json and junit == STANDARD_OUTPUT:
        raise click.UsageError("--json and --junit - both write to standard output; give --junit a file", ctx)
    if slug is None:
        raise click.UsageError("Missing argument 'MUNICIPALITY'.", ctx)
    return _record(project, slug, controls, as_json, junit, words_of(ctx))


def _record(
    project: Project, slug: str, controls: tuple[str, ...], as_json: bool, junit: Path | None, words: tuple[str, ...]
) -> int:
    from vaern.declaration import load_fleet
    from vaern.workflows.recording import recorded

    fleet = load_fleet(project, [slug])
    with recorded(project, fleet, slug, words, say_aside) as recording:
        recording.exit_code = _verify(project, fleet, slug, controls, as_json, junit, recording)
    return recording.exit_code


def _verify(
    project: Project,
    fleet: Fleet,
    slug: str,
    controls: tuple[str, ...],
    as_json: bool,
    junit: Path | None,
    recording: Recording,
) -> int:
    from vaern.model.controls import load_catalogue
    from vaern.report import make_report, render_json, render_junit, show, write_reports
    from vaern.verify import verify
    from vaern.workflows import situation
    from vaern.workflows.status import require_connected

    municipality = fleet.municipalities[slug]
    named = load_catalogue().chosen(controls)
    require_connected(project, fleet, slug)
    findings = verify(project, slug, municipality, fleet.deployment, controls=named)
    report = make_report(
        slug, municipality, fleet.deployment, situation.verified(project, fleet, slug, findings, named)
    )
    document = render_json(report, load_catalogue())
    recording.judge(document, report.verdict, whole=not named, proved=report.proved)
    paths = None if named else write_reports(project, slug, report)
    if junit:
        write_output(junit, render_junit(report, load_catalogue()))
    if as_json:
        print_document(document)
    else:
        show(report, terminal(aside=junit == STANDARD_OUTPUT), paths)
    return report.verdict.exit_code


def _list(project: Project, slug: str | None, controls: tuple[str, ...], as_json: bool) -> int:
    """The controls there are, or that apply to the hosts looked at for one municipality; no host is asked."""
    from dataclasses import asdict

    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model.controls import load_catalogue
    from vaern.verify.subjects import expected_pairs, subjects

    catalogue = load_catalogue()
    wanted = set(catalogue.chosen(controls)) or {one.id for one in catalogue.controls}
    if slug:
        fleet = load_fleet(project, [slug])
        hosts = subjects(slug, fleet.municipalities[slug], fleet.deployment)
        wanted &= {control for control, _ in expected_pairs(catalogue, hosts)}
    listed = [one for one in catalogue.controls if one.id in wanted]
    if as_json:
        print_json([asdict(one) for one in listed])
    else:
        for one in listed:
            say(f"{one.id:<8} {', '.join(one.applies_to):<24} {one.title.en}")
    return ExitCode.OK
