"""`vaern repair`: make the relays send missing events again."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.pass_context
def command(ctx: click.Context, slug: str, as_json: bool) -> int:
    """Make the relays send missing events again.

    Only missing events are sent, and the command waits until they are in the archive. The relays do the same by
    themselves every minute, for events that have been missing for two minutes. An event that arrives after all is
    counted as a duplicate. Events go to the topic of their sector. A SOC that receives by RELP or syslog may still lack
    them: `vaern parity --resend` sends them there.
    Ends with exit code 1 when something is still missing or not known.

    \b
    Example:
      vaern repair favrskov
    """
    from dataclasses import asdict

    from vaern.archive.ledger import repair
    from vaern.commands.ledger import balance_keys, show
    from vaern.console import print_json, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.model import receiving
    from vaern.model.verdict import judge
    from vaern.workflows import situation
    from vaern.workflows.recording import recorded

    project: Project = ctx.obj
    fleet = load_fleet(project, [slug])
    with recorded(project, fleet, slug, words_of(ctx), say_aside) as recording:
        done = repair(project, slug, fleet.municipalities[slug], fleet.deployment, say_aside)
        recording.outcome = f"{sum(done.resent.values())} events were sent again"
        verdict = judge(situation.of_balance(slug, fleet.municipalities[slug], done.after))
        recording.exit_code = verdict.exit_code
    sent = receiving.sent(fleet.deployment, fleet.municipalities[slug])
    if sent and any(done.resent.values()):
        names = ", ".join(receiver.name for receiver in sent)
        say(
            f"Not sent to {names}; find out with `vaern parity` what is missing there, and send it with --resend.",
            aside=True,
        )
    if as_json:
        print_json(asdict(done) | balance_keys(verdict))
    else:
        show(done.after, verdict)
    return verdict.exit_code
