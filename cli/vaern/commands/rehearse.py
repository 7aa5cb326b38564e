"""`vaern rehearse`: cut the log path on purpose, and report what was buffered and lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from vaern.console import one_line, say
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
@click.option("--dry-run", is_flag=True, help="Only show what would be cut, and whether the spools have room.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_context
def command(ctx: click.Context, slug: str, minutes: float, yes: bool, dry_run: bool, as_json: bool) -> int:
    """Rehearse an outage: cut a municipality's log path for minutes, and count what is lost.

    During the cut the relays receive and keep events. Afterwards the ledger shows how many were buffered, how long it
    took to catch up, and how many are duplicate or missing. Only the relays' connection to the brokers is cut; they can
    still be reached by ssh. The cut ends by itself, even if this program is killed. It is refused when a spool has no
    room for the declared rates. A long cut raises the same alarms about silence as a real outage; they clear again.
    Ends with exit code 1 when anything is missing afterwards.

    \b
    Examples:
      vaern rehearse favrskov --dry-run
      vaern rehearse favrskov --minutes 10
      vaern rehearse favrskov --yes --json
    """
    import json
    from dataclasses import asdict

    from vaern.console import print_json, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.recording import recorded
    from vaern.workflows.rehearsal import needs, refuse_without_room, rehearse, spools

    project: Project = ctx.obj
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
            say("\n".join(f"{'would ' if dry_run else ''}{one_line(line)}" for line in lines), aside=not dry_run)
    if dry_run:
        return ExitCode.OK
    if not yes:
        click.confirm(f"Cut {slug} from the collector for {minutes:g} minutes?", abort=True, err=True)
    with exclusive(project, slug), recorded(project, fleet, slug, words_of(ctx), say_aside) as recording:
        done = rehearse(project, slug, municipality, fleet.deployment, seconds, say_aside)
        recording.outcome = " ".join(sentences(done))
        recording.exit_code = ExitCode.OK if done.holds else ExitCode.FINDINGS
        recording.files["rehearsal.json"] = json.dumps(asdict(done) | {"holds": done.holds}) + "\n"
    if as_json:
        print_json(asdict(done) | {"holds": done.holds})
    else:
        say("\n".join(map(one_line, sentences(done))))
    return recording.exit_code


def plan(wanted: dict[str, int], spool_states: dict[str, Spool], minutes: float) -> list[str]:
    """One line for each relay: what is cut, and how much its spool must take in."""
    return [
        f"cut {relay} from the brokers for {minutes:g} minutes; it takes in about {wanted[relay] / 2**20:.1f} MiB, "
        f"and its spool holds {spool.used / 2**20:.1f} of {spool.bound / 2**20:.0f} MiB"
        for relay, spool in spool_states.items()
    ]


def sentences(done: Rehearsal) -> list[str]:
    """The result in sentences."""
    spool_states = ", ".join(f"{relay} {events:,}" for relay, events in done.buffered.items())
    caught = "not caught up in time" if done.catch_up_seconds is None else f"caught up in {done.catch_up_seconds} s"
    lines = [
        f"cut for {done.seconds} s, buffered {sum(done.buffered.values()):,} events ({spool_states})",
        f"{caught}, {done.duplicates:,} duplicates, lost {done.lost:,}",
    ]
    if not done.holds:
        lines.append("See `vaern ledger` for what is missing; `vaern repair` has it sent again.")
    return lines
