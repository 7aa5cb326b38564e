"""`vaern preview`: what provisioning would change."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode, UsageError
from vaern.paths import Project

if TYPE_CHECKING:
    from vaern.model.fleet import Fleet


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something would change, for CI.")
@click.option(
    "--arm",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Write the declared graph as an ARM template instead (- for standard output); Azure is not asked.",
)
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool, exit_code: bool, arm: Path | None) -> int:
    """Show what provisioning would change.

    Without a name: the shared collectors. Nothing is changed.

    \b
    Examples:
      vaern preview                    the shared collectors
      vaern preview favrskov           one municipality's connection
      vaern preview --arm shared.json  the shared collectors on Azure, to read or to scan
    """
    from dataclasses import asdict

    from vaern import provision
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED

    project: Project = ctx.obj
    fleet = load_fleet(project, slugs)
    if arm is not None:
        return _export(fleet, slugs, arm)
    planned = {
        slug: provision.preview_municipality(project, fleet.deployment, fleet.municipalities[slug], slug)
        for slug in slugs
    }
    if not slugs:
        planned[SHARED] = provision.preview_shared(project, fleet.deployment)
    if as_json:
        print_json({stack: [asdict(change) for change in changes] for stack, changes in planned.items()})
    else:
        for stack, changes in planned.items():
            for change in changes:
                click.echo(f"{stack}: {change.action} {change.type} {change.name}")
            click.echo(f"{stack}: {len(changes)} changes" if changes else f"{stack}: nothing would change")
    return ExitCode.FINDINGS if exit_code and any(planned.values()) else ExitCode.OK


def _export(fleet: Fleet, slugs: tuple[str, ...], file: Path) -> int:
    """One template, of one stack: a file holds one."""
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
    with click.open_file(str(file), "w", encoding="utf-8", atomic=str(file) != "-") as written:
        written.write(json.dumps(template, indent=2, ensure_ascii=False) + "\n")
    return ExitCode.OK
