"""`vaern rotate`: replace the sending keys of a municipality's relays."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines.")
@click.pass_context
def command(ctx: click.Context, slug: str, as_json: bool) -> int:
    """Replace the sending keys of a municipality's relays, without losing an event.

    Only on Azure, where each relay has two keys. A relay changes to its other key, and must deliver with it, before the
    first one is replaced. Run the command again to finish a run that was interrupted.

    \b
    Example:
      vaern rotate favrskov
    """
    from vaern.console import progress_listener, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.recording import recorded
    from vaern.workflows.rotation import Rotation

    project: Project = ctx.obj
    load_fleet(project, (slug,))
    fleet = load_fleet(project)
    with (
        exclusive(project, slug),
        recorded(project, fleet, slug, words_of(ctx), say_aside) as recording,
        progress_listener(as_json) as listener,
    ):
        recording.outcome = "both keys of every relay were replaced"
        Rotation(project, fleet, slug, listener).run()
    return ExitCode.OK
