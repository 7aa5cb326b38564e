"""`vaern preview`: what provisioning would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import OutputFile, say, write_output
from vaern.errors import ExitCode, UsageError
from vaern.model.progress import counted
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vaern.model.fleet import Fleet
    from vaern.provision.previews import Planned


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--all", "everything", is_flag=True, help="The shared collectors and every declared municipality.")
@click.option("--jobs", type=click.IntRange(min=1), help="Previews at the same time.  [default: one for each core]")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something would change, for CI.")
@click.option(
    "--arm",
    type=OutputFile(),
    metavar="FILE",
    help="Write the declared graph as an ARM template instead (- for standard output); Azure is not asked.",
)
@click.pass_context
def command(
    ctx: click.Context,
    slugs: tuple[str, ...],
    everything: bool,
    jobs: int | None,
    as_json: bool,
    exit_code: bool,
    arm: Path | None,
) -> int:
    """Show what provisioning would change.

    Without a name: the shared collectors. Nothing is changed. Progress goes to standard error.

    \b
    Examples:
      vaern preview                     the shared collectors
      vaern preview favrskov            one municipality
      vaern preview --all --exit-code   all, for a nightly run
      vaern preview --arm shared.json   as an ARM template
    """
    from dataclasses import asdict

    from vaern.console import print_json, progress_listener
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.provision import previews
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    if everything and arm is not None:
        raise UsageError(
            "--arm writes one stack, and --all means every stack", fix="name one municipality instead of --all"
        )
    if everything and slugs:
        raise UsageError("--all and a name were both given", fix="give only one of them")
    fleet = load_fleet(project, slugs)
    if arm is not None:
        return _export(fleet, slugs, arm)
    stacks = [SHARED, *fleet.municipalities] if everything else list(slugs) or [SHARED]
    with (
        progress_listener(as_json=False) as listener,
        step(listener, "preview", counted(len(stacks), "stack")) as running,
    ):
        planned = previews.plan(project, fleet, stacks, running, jobs)
        running.done = (
            f"{counted(sum(len(one.changes) for one in planned), 'change')} in {counted(len(stacks), 'stack')}"
        )
    if as_json:
        print_json({one.stack: [asdict(change) for change in one.changes] for one in planned if not one.fault})
    else:
        _print(planned)
    previews.raise_for(planned)
    return ExitCode.FINDINGS if exit_code and any(one.changes for one in planned) else ExitCode.OK


def _print(planned: Sequence[Planned]) -> None:
    for one in planned:
        for change in one.changes:
            say(f"{one.stack}: {change.action} {change.type} {change.name}")
        if not one.fault:
            say(f"{one.stack}: {counted(len(one.changes), 'change') if one.changes else 'nothing would change'}")


def _export(fleet: Fleet, slugs: tuple[str, ...], file: Path) -> int:
    """Write the ARM template of one stack to the file. Raises UsageError when several stacks are named."""
    import json

    from vaern import provision

    if len(slugs) > 1:
        raise UsageError(
            f"--arm writes one stack, and {len(slugs)} are named", fix=f"run `vaern preview {slugs[0]} --arm {file}`"
        )
    if slugs:
        template = provision.arm_template(fleet.deployment, fleet.municipalities[slugs[0]], slugs[0])
    else:
        template = provision.arm_template(fleet.deployment)
    write_output(file, json.dumps(template, indent=2, ensure_ascii=False) + "\n")
    return ExitCode.OK
