"""`vaern rotate`: make the sending keys of a municipality's relays anew."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines.")
@click.pass_context
def command(ctx: click.Context, slug: str, as_json: bool) -> int:
    """Make the sending keys of a municipality's relays anew, without losing an event.

    Only on Azure, where a relay has two keys: it is moved to the other one and seen to deliver before a key is made
    anew. A run that was interrupted is finished by running it again.

    \b
    Example:
      vaern rotate favrskov
    """
    from vaern.console import progress_listener
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.rotation import Rotation

    project: Project = ctx.obj
    load_fleet(project, (slug,))
    fleet = load_fleet(project)
    with exclusive(project, slug), progress_listener(as_json) as listener:
        Rotation(project, fleet, slug, listener).run()
    return ExitCode.OK
