"""`vaern discover`: listen who sends to the relays, and propose what to declare."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--minutes", default=5, show_default=True, type=click.IntRange(1, 60), help="How long to listen.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of text.")
@click.pass_context
def command(ctx: click.Context, slug: str, minutes: int, as_json: bool) -> int:
    """Listen who sends to the relays of a municipality, and propose what to declare.

    Nothing is changed: packets are read before the firewall, so that a sender is heard whom nobody has declared. Of
    one that sends by TCP or TLS and is not declared only its address and port are known, as it is not let in.
    What a message says stays on the relay; kind, vendor, host, zone and clock of its sender do not.

    \b
    Example:
      vaern discover favrskov --minutes 10
    """
    from dataclasses import asdict

    from vaern.console import print_json, say_aside
    from vaern.declaration import load_fleet
    from vaern.workflows.discovering import discover

    project: Project = ctx.obj
    fleet = load_fleet(project, [slug])
    found, others = discover(project, slug, fleet.municipalities[slug], minutes * 60, say_aside)
    if as_json:
        print_json({"senders": [asdict(one) for one in found], "not_named": others})
        return ExitCode.OK
    for one in found:
        sender = one.heard
        rate = f"{sender['events_per_second']:g} a second by {sender['protocol']} {sender['port']}"
        known = f"declared as {', '.join(one.sources)}" if one.sources else "not declared"
        say(f"{one.site}: {sender['address']}, {rate}: {known}")
    proposals = "".join(one.proposal for one in found)
    wanted = f"For log_sources of inventories/{slug}/municipality.yml:\n\n{proposals}"
    say(f"\n{wanted}" if proposals else "\nNothing to add.")
    for relay, count in others.items():
        if count:
            say(f"{relay} heard {count} packets of more senders than are named")
    return ExitCode.OK
