"""`vaern repair`: have the relays send again what is missing."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.pass_obj
def command(project: Project, slug: str, as_json: bool) -> int:
    r"""Have the relays send again what is missing.

    Exactly that, and it waits until it is in the archive. The relays do so by themselves every minute, for what
    has been missing for two minutes. An event that was under way after all is counted as a duplicate.
    Ends with 1 when something is missing still.

    \b
    Example:
      vaern repair favrskov
    """
    from dataclasses import asdict

    from vaern.commands.ledger import show
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.ledger import repair

    fleet = load_fleet(project, [slug])
    done = repair(project, slug, fleet.municipalities[slug], fleet.deployment, lambda told: click.echo(told, err=True))
    if as_json:
        print_json(asdict(done) | {"balances": done.after.balances})
    else:
        show(done.after)
    return ExitCode.OK if done.after.balances else ExitCode.FINDINGS
