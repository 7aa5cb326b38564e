"""`vaern drift`: what has changed since vaern's last run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.workflows.drift import Comparison


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines, then one document with the differences.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool) -> int:
    """Show what has changed since the last run, without changing anything.

    Compares the engine's state with what exists, and every host with its roles in Ansible's check mode. The shared
    collectors are always compared; without a name, every connected municipality is too. Ends with exit code 1 when
    something has changed, or when the hosts of a stack could not be compared because they are not enrolled.

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
            result = drift(project, fleet, stacks, running)
            document = {"stacks": stacks, **asdict(result)}
            recording.outcome = running.done = f"{len(result.moved)} differences in {', '.join(stacks)}" + _unknown(
                result
            )
            recording.exit_code = result.exit_code
            recording.files["drift.json"] = json.dumps(document, ensure_ascii=False) + "\n"
    if as_json:
        print_json(document)
    else:
        _show(result, stacks)
    return recording.exit_code


def _unknown(result: Comparison) -> str:
    """What is not known, as the end of a sentence; nothing when everything was compared."""
    names = ", ".join(result.not_compared)
    return f"; not known: the hosts of {names}, which are not all enrolled" if names else ""


def _show(result: Comparison, stacks: list[str]) -> None:
    from rich.table import Table

    from vaern.console import terminal
    from vaern.console.tables import literal

    if result.moved:
        table = Table("stack", "where", "what", "changed", "was", "now", box=None, pad_edge=False)
        for one in result.moved:
            table.add_row(*literal(one.stack, one.where, one.subject, one.what, one.was, one.now))
        terminal().print(table)
        say(f"{len(result.moved)} differences{_unknown(result)}")
        say("fix: restore it with `vaern up` or `vaern onboard MUNICIPALITY`, or change the declaration")
    elif result.not_compared:
        say(f"nothing has changed where it was compared{_unknown(result)}")
        say("fix: finish it with `vaern up` or `vaern onboard MUNICIPALITY`")
    else:
        say(f"nothing has changed in {', '.join(stacks)}")
