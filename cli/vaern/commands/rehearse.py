"""`vaern rehearse`: an outage on request, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.workflows.rehearsal import Rehearsal, Spool

LONGEST_MINUTES = 24 * 60.0


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--minutes",
    type=click.FloatRange(0, LONGEST_MINUTES, min_open=True),
    default=2.0,
    show_default=True,
    help="How long the link is cut.",
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only say what would be cut, and whether there is room.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def command(project: Project, slug: str, minutes: float, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Cut a connected municipality from the collector for a while, and show that nothing is lost.

    Relays go on taking events in and hold them; afterwards the ledger says what was buffered, how long it took to
    catch up, what came twice and what is missing. Only the relays' way to the brokers is cut, not that by which they
    are reached. The cut ends by itself, also when this program is killed. It is refused when a spool has no room for
    the declared rates. Alarms about silence are raised as in a real outage when it lasts as long, and clear again.
    Ends with 1 when anything is missing afterwards.

    \b
    Examples:
      vaern rehearse favrskov --dry-run
      vaern rehearse favrskov --minutes 10
      vaern rehearse favrskov --yes --json
    """
    from dataclasses import asdict

    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.rehearsal import needs, refuse_without_room, rehearse, spools

    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    seconds = minutes * 60
    wanted, spool_states = needs(slug, municipality, seconds), spools(project, slug, municipality)
    refuse_without_room(wanted, spool_states)
    if dry_run or not as_json:
        lines = plan(wanted, spool_states, minutes)
        if dry_run and as_json:
            print_json({relay: asdict(spool) | {"needs": wanted[relay]} for relay, spool in spool_states.items()})
        else:
            click.echo("\n".join(f"{'would ' if dry_run else ''}{line}" for line in lines), err=not dry_run)
    if dry_run:
        return ExitCode.OK
    if not yes:
        click.confirm(f"Cut {slug} from the collector for {minutes:g} minutes?", abort=True, err=True)
    with exclusive(project, slug):
        done = rehearse(project, slug, municipality, fleet.deployment, seconds, lambda line: click.echo(line, err=True))
    if as_json:
        print_json(asdict(done) | {"holds": done.holds})
    else:
        click.echo("\n".join(sentences(done)))
    return ExitCode.OK if done.holds else ExitCode.FINDINGS


def plan(wanted: dict[str, int], spool_states: dict[str, Spool], minutes: float) -> list[str]:
    """What is cut, and what each relay will have to hold."""
    return [
        f"cut {relay} from the brokers for {minutes:g} minutes; it takes in about {wanted[relay] / 2**20:.1f} MiB, "
        f"and its spool holds {spool.used / 2**20:.1f} of {spool.bound / 2**20:.0f} MiB"
        for relay, spool in spool_states.items()
    ]


def sentences(done: Rehearsal) -> list[str]:
    """What came of it, for people."""
    spool_states = ", ".join(f"{relay} {events:,}" for relay, events in done.buffered.items())
    caught = "not caught up in time" if done.catch_up_seconds is None else f"caught up in {done.catch_up_seconds} s"
    lines = [
        f"cut for {done.seconds} s, buffered {sum(done.buffered.values()):,} events ({spool_states})",
        f"{caught}, {done.duplicates:,} duplicates, lost {done.lost:,}",
    ]
    if not done.holds:
        lines.append("See `vaern ledger` for what is missing; `vaern repair` has it sent again.")
    return lines
