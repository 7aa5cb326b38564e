"""`vaern offboard`: disconnect a municipality and revoke its keys."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines.")
@click.pass_context
def command(ctx: click.Context, slug: str, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Disconnect a municipality and revoke its keys.

    The shared hosts revoke its access first, so that it holds even if the site never answers. The archive is kept until
    its retention ends. The declaration stays, so that `vaern onboard` can connect the municipality again with new keys.

    \b
    Examples:
      vaern offboard favrskov --dry-run
      vaern offboard favrskov
    """
    from vaern.console import progress_listener, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.offboarding import consequences, offboard, require_something_made
    from vaern.workflows.recording import recorded

    project: Project = ctx.obj
    load_fleet(project, (slug,))
    fleet = load_fleet(project)
    require_something_made(project, fleet, slug)
    for line in consequences(fleet, slug):
        say(f"{'would ' if dry_run else ''}{line}", aside=True)
    if dry_run:
        return ExitCode.OK
    if not yes:
        click.confirm(f"Disconnect {slug}?", abort=True)
    with (
        exclusive(project, slug),
        recorded(project, fleet, slug, words_of(ctx), say_aside) as recording,
        progress_listener(as_json) as listener,
    ):
        recording.outcome = "disconnected"
        offboard(project, fleet, slug, listener)
    return ExitCode.OK
