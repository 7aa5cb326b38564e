"""`vaern preview`: what provisioning would change."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.paths import Project


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.option("--exit-code", is_flag=True, help="Exit 1 when something would change, for CI.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], as_json: bool, exit_code: bool) -> int:
    """Show what provisioning would change.

    Without a name: the shared collectors. Nothing is changed.

    \b
    Examples:
      vaern preview                    the shared collectors
      vaern preview favrskov           one municipality's connection
    """
    from dataclasses import asdict

    from vaern import provision
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED

    project: Project = ctx.obj
    fleet = load_fleet(project, slugs)
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
