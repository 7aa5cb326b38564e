"""`vaern check`: whether the declarations are right."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import DeclarationError, ExitCode, Problem
from vaern.model.progress import counted

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vaern.model.fleet import Fleet
    from vaern.runtime.paths import Project


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document: faults, warnings and what was read.")
@click.option("--write-schema", is_flag=True, help="First write the JSON Schemas that editors use.")
@click.pass_obj
def command(project: Project, slugs: tuple[str, ...], as_json: bool, write_schema: bool) -> int:
    """Check the declarations and show what to correct.

    Without a name: all of them. Ends with exit code 3 when there is a fault; a warning does not change the exit code.

    \b
    Examples:
      vaern check
      vaern check samsoe --json
    """
    from vaern.declaration import load_fleet

    if write_schema:
        from vaern.declaration.schema import write_schemas

        for path in write_schemas(project):
            say(f"wrote {path.relative_to(project.root)}", aside=True)
    fleet: Fleet | None = None
    faults: list[Problem] = []
    try:
        fleet = load_fleet(project, slugs)
    except DeclarationError as error:
        if not as_json:
            raise
        faults = error.problems
    read = list(fleet.municipalities) if fleet else []
    warnings = fleet.warnings if fleet else ()
    if as_json:
        _print_json(read, faults, warnings)
    else:
        for warning in warnings:
            say(f"{warning} (warning)\n    fix: {warning.fix}")
        say(f"{counted(len(read), 'declaration')} right, {counted(len(warnings), 'warning')}")
    return ExitCode.DECLARATION if faults else ExitCode.OK


def _print_json(read: list[str], faults: Iterable[Problem], warnings: Iterable[Problem]) -> None:
    from vaern.console import print_json

    print_json(
        {
            "municipalities": read,
            "faults": [asdict(fault) for fault in faults],
            "warnings": [asdict(warning) for warning in warnings],
        }
    )
