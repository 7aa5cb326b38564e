"""`vaern drift`: what is no longer as vaern left it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.workflows.drift import Drifted


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines, then one document with what moved.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool) -> int:
    """Show what somebody else has changed since, and change nothing.

    Compares what the engine made with what is there, and asks every host in check mode. The shared collectors are
    always among it; without a name, every municipality that is connected. Exit code 1 when something moved.

    \b
    Examples:
      vaern drift                   everything
      vaern drift favrskov --json   hubs and one municipality
    """
    from dataclasses import asdict

    from vaern.console import print_json, progress_listener
    from vaern.declaration import load_fleet
    from vaern.workflows.drift import drift, stacks_to_compare
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    load_fleet(project, slugs)
    fleet = load_fleet(project)
    with progress_listener(as_json) as listener, step(listener, "drift", "comparing") as running:
        stacks = stacks_to_compare(project, fleet, slugs)
        found = drift(project, fleet, stacks, running)
        running.done = f"{len(found)} moved in {', '.join(stacks)}"
    if as_json:
        print_json({"stacks": stacks, "moved": [asdict(one) for one in found]})
    else:
        _show(found, stacks)
    return ExitCode.FINDINGS if found else ExitCode.OK


def _show(found: list[Drifted], stacks: list[str]) -> None:
    from rich.markup import escape
    from rich.table import Table

    from vaern.console import terminal

    if not found:
        click.echo(f"nothing has moved in {', '.join(stacks)}")
        return
    table = Table("stack", "where", "what", "moved", "was", "now", box=None, pad_edge=False)
    for one in found:
        table.add_row(*map(escape, (one.stack, one.where, one.subject, one.what, one.was, one.now)))
    terminal().print(table)
    click.echo("fix: `vaern up` and `vaern onboard MUNICIPALITY` put it back, or declare what is meant to be")
