"""`vaern lock`: lock the retention of an archive. It can never be undone."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--yes", "confirmed", metavar="MUNICIPALITY", help="The name once more, to confirm without a prompt.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document with the containers that were locked.")
@click.pass_context
def command(ctx: click.Context, slug: str, confirmed: str | None, as_json: bool) -> int:
    """Lock the retention of a municipality's archive permanently.

    Before that, an administrator can shorten or remove the retention. Afterwards nobody can, neither vaern nor
    Microsoft: nothing in the archive can be changed or removed before its days are over, and it costs money until then.

    \b
    Examples:
      vaern lock favrskov
      vaern lock favrskov --yes favrskov
    """
    from vaern import provision
    from vaern.console import print_json, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.model.vocabulary import Target
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.recording import recorded

    project: Project = ctx.obj
    fleet = load_fleet(project, (slug,))
    municipality = fleet.municipalities[slug]
    if fleet.deployment.target is Target.AZURE:
        days = provision.retention_days(municipality)
        say(f"{municipality.name}: everything in the archive stays for {days} days from the day it came.", aside=True)
        say("This can NEVER be undone. The number of days can only be raised, at most five times.", aside=True)
        _require_confirmation(slug, confirmed)
    with exclusive(project, slug), recorded(project, fleet, slug, words_of(ctx), say_aside) as recording:
        locked = provision.lock_retention(project, fleet.deployment, municipality, slug)
        recording.outcome = f"locked: {', '.join(locked) or 'nothing, it was locked already'}"
    if as_json:
        print_json({"municipality": slug, "locked": locked})
    else:
        say(f"locked: {', '.join(locked)}" if locked else "was locked already; nothing was changed")
    return ExitCode.OK


def _require_confirmation(slug: str, confirmed: str | None) -> None:
    """Require the whole name, since a yes is typed too quickly. Raises UsageError for any other word."""
    typed = confirmed if confirmed is not None else click.prompt(f"Type {slug} to lock it for ever", err=True)
    if typed != slug:
        raise UsageError(f"{typed} is not {slug}; nothing was locked", fix=f"run `vaern lock {slug}` and type {slug}")
