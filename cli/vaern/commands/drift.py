"""`vaern drift`: what has changed since vaern's last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.workflows.drift import Drifted


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines, then one document with the differences.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool) -> int:
    """Show what has changed since the last run, without changing anything.

    Compares the engine's state with what exists, and every host with its roles in Ansible's check mode. The shared
    collectors are always compared; without a name, every connected municipality is too. Ends with exit code 1 when
    something has changed.

    \b
    Examples:
      vaern drift                   everything
      vaern drift favrskov --json   hubs and one municipality
    """
    import json
    from dataclasses import asdict

    from vaern.console import print_json, progress_listener, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.workflows.drift import drift, stacks_to_compare
    from vaern.workflows.recording import recorded
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    load_fleet(project, slugs)
    fleet = load_fleet(project)
    with progress_listener(as_json) as listener, step(listener, "drift", "comparing") as running:
        stacks = stacks_to_compare(project, fleet, slugs)
        with recorded(project, fleet, SHARED, words_of(ctx), say_aside) as recording:
            found = drift(project, fleet, stacks, running)
            document = {"stacks": stacks, "moved": [asdict(one) for one in found]}
            recording.outcome = running.done = f"{len(found)} differences in {', '.join(stacks)}"
            recording.exit_code = ExitCode.FINDINGS if found else ExitCode.OK
            recording.files["drift.json"] = json.dumps(document, ensure_ascii=False) + "\n"
    if as_json:
        print_json(document)
    else:
        _show(found, stacks)
    return recording.exit_code


def _show(found: list[Drifted], stacks: list[str]) -> None:
    from rich.table import Table

    from vaern.console import terminal
    from vaern.console.tables import literal

    if not found:
        say(f"nothing has changed in {', '.join(stacks)}")
        return
    table = Table("stack", "where", "what", "changed", "was", "now", box=None, pad_edge=False)
    for one in found:
        table.add_row(*literal(one.stack, one.where, one.subject, one.what, one.was, one.now))
    terminal().print(table)
    say("fix: restore it with `vaern up` or `vaern onboard MUNICIPALITY`, or change the declaration")
