"""`vaern ledger`: whether everything that was sent has arrived."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from vaern.console import one_line, say
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.archive.ledger import Ledger
    from vaern.model.verdict import Verdict

GAPS_SHOWN = 20


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--day",
    type=click.DateTime(["%Y-%m-%d"]),
    metavar="YYYY-MM-DD",
    help="Only this day, UTC; by default the last week.",
)
@click.option("--now", "fresh", is_flag=True, help="First ask the relays what they have sent until now.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of tables.")
@click.pass_obj
def command(project: Project, slug: str, day: datetime | None, fresh: bool, as_json: bool) -> int:
    """Compare what the relays sent with what has arrived.

    Counts sent, received, duplicate and missing events for each source and day. Relays state every minute what they
    have sent. Each gap is listed with its time span. Days before the last week are shown when events of them are
    missing. Ends with exit code 1 when anything is missing, left out of the count or refused, when more is under way
    than has arrived, when a relay has not stated what it sent, and when nothing was counted.

    \b
    Examples:
      vaern ledger favrskov
      vaern ledger favrskov --day 2026-11-24 --json
      vaern ledger favrskov --now   up to this minute
    """
    from dataclasses import asdict
    from functools import partial

    from vaern.archive.ledger import await_statements, ledger, state_now
    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.model.verdict import judge
    from vaern.workflows import situation

    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    stated = state_now(project, slug, municipality) if fresh else {}
    found = await_statements(
        partial(ledger, project, municipality, fleet.deployment, day.date() if day else None), stated
    )
    for relay in found.behind(stated):
        say(
            one_line(
                f"The statement {relay} made at {stated[relay]} is not in the archive yet, and is not counted here."
            ),
            aside=True,
        )
    taken = situation.of_balance(slug, municipality, found, day.date() if day else None)
    verdict = judge(taken)
    if as_json:
        print_json(asdict(found) | {"unstated": situation.unstated(taken)} | balance_keys(verdict))
    else:
        show(found, verdict)
    return verdict.exit_code


def balance_keys(verdict: Verdict) -> dict[str, Any]:
    """The verdict as keys, and whether everything balances: it was counted, and nothing is missing or unknown."""
    from vaern.report import verdict_keys

    return {"balances": not verdict.exit_code, **verdict_keys(verdict)}


def show(found: Ledger, verdict: Verdict) -> None:
    """Print the balance as a table, then each gap with its time span, then the verdict."""
    from rich.table import Table

    from vaern.console import terminal
    from vaern.console.tables import literal
    from vaern.report import verdict_lines

    columns = ("sent", "received", "duplicate", "under_way", "given_up", "missing")
    table = Table("day", "relay", "source", *(column.replace("_", " ") for column in columns))
    for row in found.rows:
        style = "red" if row.missing or row.given_up else ""
        counts = (f"{getattr(row, column):,}" for column in columns)
        table.add_row(*literal(row.day, row.relay, row.source), *counts, style=style)
    terminal().print(table)
    for line in sentences(found):
        say(one_line(line))
    for line in verdict_lines(verdict):
        terminal().print(line)


def sentences(found: Ledger) -> list[str]:
    """One sentence for each thing that does not balance, gaps first."""
    lines = [
        f"{gap.state.replace('_', ' ')}: {gap.events:,} events of {gap.source} by {gap.relay}, "
        f"{_span(gap.begun, gap.ended)} (numbers {gap.first} to {gap.last} of start {gap.boot[:8]})"
        for gap in found.gaps[:GAPS_SHOWN]
    ]
    if len(found.gaps) > GAPS_SHOWN:
        lines.append(f"and {len(found.gaps) - GAPS_SHOWN} more gaps; --json lists them all")
    lines += [
        f"gone from the archive: {one.file}, {one.events:,} events of {', '.join(one.sources)}, "
        f"{_span(one.begun, one.ended)}"
        for one in found.lost_segments
    ]
    if found.broken:
        lines.append(
            f"{found.broken:,} events of the archive are no JSON: a relay of an earlier version wrote what a device "
            "sent as a number without quotation marks. `vaern search` and `vaern export` find and count them."
        )
    if found.others:
        lines.append(f"{found.others:,} lines of the archive are no events of a relay.")
    if found.refused:
        lines.append(f"{found.refused:,} statements of the last two days are none: what they state is not counted.")
    if found.unlisted:
        lines.append(
            f"{found.unlisted:,} events and rows of statements were left out of the count, as there were too many: "
            "invented names, or far more gaps than a relay makes."
        )
    if found.total("missing"):
        lines.append("The relays send what they still have again by themselves; `vaern repair` makes them do it now.")
    return lines


def _span(begun: str, ended: str) -> str:
    def short(time: str) -> str:
        return f"{time[:10]} {time[11:19]}" if time else "an unknown time"

    return f"between {short(begun)} and {short(ended)} UTC"
