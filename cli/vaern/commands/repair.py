"""`vaern repair`: have the relays send again what is missing."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.pass_obj
def command(project: Project, slug: str, as_json: bool) -> int:
    """Have the relays send again what is missing.

    Exactly that, and it waits until it is in the archive. The relays do so by themselves every minute, for what
    has been missing for two minutes. An event that was under way after all is counted as a duplicate.
    Each goes to the topic of its sector. A SOC that is sent its events by RELP or syslog may miss them still:
    `vaern parity --resend` hands them to it.
    Ends with 1 when something is missing still.

    \b
    Example:
      vaern repair favrskov
    """
    from dataclasses import asdict

    from vaern.archive.ledger import repair
    from vaern.commands.ledger import show
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model import receiving

    fleet = load_fleet(project, [slug])
    done = repair(project, slug, fleet.municipalities[slug], fleet.deployment, lambda line: click.echo(line, err=True))
    sent = receiving.sent(fleet.deployment, fleet.municipalities[slug])
    if sent and any(done.resent.values()):
        names = ", ".join(receiver.name for receiver in sent)
        click.echo(f"Not sent to {names}; `vaern parity --resend` finds what is missing there.", err=True)
    if as_json:
        print_json(asdict(done) | {"balances": done.after.balances})
    else:
        show(done.after)
    return ExitCode.OK if done.after.balances else ExitCode.FINDINGS
