"""`vaern onboard`: connect a municipality, from declaration to report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.model.progress import counted
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.model.fleet import Fleet
    from vaern.model.progress import Listener
    from vaern.workflows.onboarding import Onboarding
    from vaern.workflows.recording import Recording


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--dry-run", is_flag=True, help="Change nothing; list everything that would change.")
@click.option("--full", is_flag=True, help="Run the roles even where nothing has changed since the last run.")
@click.option(
    "--accept-fewer-fields",
    is_flag=True,
    help="Upgrade also when the new reader reads less of a relay's sample. It is recorded.",
)
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines, and the result as the last one.")
@click.pass_context
def command(ctx: click.Context, slug: str, dry_run: bool, full: bool, accept_fewer_fields: bool, as_json: bool) -> int:
    """Connect a municipality, from declaration to report.

    Running it again changes only what is not as declared; a run that was interrupted is continued. Ends with exit code
    1 when something is wrong or not known at the end, and with 9 when a test event did not arrive. An upgrade whose
    reader reads less of what a relay keeps as sample stops with 1 before a host is changed.

    \b
    Examples:
      vaern onboard favrskov --dry-run
      vaern onboard favrskov
    """
    from vaern.console import progress_listener, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.onboarding import Onboarding
    from vaern.workflows.recording import recorded
    from vaern.workflows.replaying import record
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    durations: dict[str, float] = {}
    with progress_listener(as_json) as listener:
        with step(listener, "declaration", "reading and checking", durations) as running:
            load_fleet(project, (slug,))
            fleet = load_fleet(project)
            running.done = f"{slug} is sound, as are all {len(fleet.municipalities)} declarations"
        if dry_run:
            return _dry_run(project, fleet, slug, listener, as_json)
        with (
            exclusive(project, slug),
            recorded(project, fleet, slug, words_of(ctx), say_aside) as recording,
        ):
            onboarding = Onboarding(
                project, fleet, slug, listener,
                full=full, accept_fewer_fields=accept_fewer_fields, durations=durations, say=say_aside,
            )  # fmt: skip
            try:
                onboarding.run()
            finally:
                if onboarding.replays:
                    recording.files["replay.json"] = record(onboarding.replays, accepted=accept_fewer_fields)
            recording.exit_code = _conclude(onboarding, as_json, recording)
        return recording.exit_code


def _dry_run(project: Project, fleet: Fleet, slug: str, listener: Listener, as_json: bool) -> int:
    from dataclasses import asdict

    from vaern.console import print_json
    from vaern.workflows.dry_run import plan
    from vaern.workflows.steps import step

    with step(listener, "dry run", "finding what would change") as running:
        planned = plan(project, fleet, slug, running)
        running.done = f"{counted(len(planned), 'change')}; nothing was done"
    if as_json:
        print_json({"planned": [asdict(one) for one in planned]})
        return ExitCode.OK
    for one in planned:
        say(f"{one.stage}: would {one.what}")
        say(one.diff, end="")
    return ExitCode.OK


def _conclude(onboarding: Onboarding, as_json: bool, recording: Recording) -> int:
    """Write and show the report, and end as its verdict says. A lost canary raises ProofError, which names its leg."""
    import json
    from pathlib import Path

    from vaern.console import print_json, terminal
    from vaern.model.controls import load_catalogue
    from vaern.report import make_report, render_json, show, write_reports
    from vaern.workflows import situation
    from vaern.workflows.steps import step

    with step(onboarding.listener, "report", "reading alarms and ledger", onboarding.durations) as running:
        found = situation.onboarded(
            onboarding.project, onboarding.fleet, onboarding.slug, onboarding.findings, onboarding.proofs
        )
        report = make_report(
            onboarding.slug, onboarding.municipality, onboarding.fleet.deployment, found, onboarding.durations
        )
        document = render_json(report, load_catalogue())
        recording.judge(document, report.verdict, whole=True, proved=report.proved)
        recording.files["changes.txt"] = "".join(f"{change}\n" for change in onboarding.changes)
        paths = write_reports(onboarding.project, onboarding.slug, report)
        running.done = str(paths["html"])
    if as_json:
        print_json({"result": json.loads(Path(paths["json"]).read_text(encoding="utf-8")), "paths": paths})
    else:
        show(report, terminal(), paths)
    onboarding.require_proofs()
    return report.verdict.exit_code
