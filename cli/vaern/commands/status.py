"""`vaern status`: how far each municipality is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode
from vaern.paths import Project

if TYPE_CHECKING:
    from vaern.status import Status


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool) -> int:
    """Show how far each municipality is.

    Read from the records of the last runs; `vaern verify` asks the hosts themselves.

    \b
    Examples:
      vaern status
      vaern status favrskov --json
    """
    from dataclasses import asdict

    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.status import statuses

    project: Project = ctx.obj
    found = statuses(project, load_fleet(project, slugs))
    if as_json:
        print_json([asdict(status) | {"connected": status.connected} for status in found])
    else:
        _print_table(found)
    return ExitCode.OK


def _print_table(found: list[Status]) -> None:
    from rich.table import Table

    from vaern.console import terminal

    table = Table("municipality", "code", "inventory", "approved by", "enrolled", "controls", "proofs", "last report")
    for status in found:
        table.add_row(
            f"[green]{status.municipality}[/]" if status.connected else status.municipality,
            status.code,
            status.inventory,
            status.approved_by or "nobody yet",
            f"{status.enrolled}/{status.hosts}",
            f"{status.passed} passed, {status.failed} failed" if status.report else "-",
            f"{status.proofs_seen}/{status.proofs}" if status.report else "-",
            status.report or "never",
        )
    terminal().print(table)
