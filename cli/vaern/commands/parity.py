"""`vaern parity`: has a SOC received what the archive holds of its sectors?"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.archive.parity import Parity
    from vaern.model.fleet import Fleet

GAPS_SHOWN = 20
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.argument("profile")
@click.option("--exported", required=True, type=FILE, help="What `vaern export` wrote, uncompressed.")
@click.option("--received", required=True, multiple=True, type=FILE, help="What the SOC kept; repeat for each output.")
@click.option(
    "--resend", metavar="OUTPUT", default="", help="Have the relays send what is missing by that output again."
)
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def command(
    project: Project,
    slug: str,
    profile: str,
    exported: Path,
    received: tuple[Path, ...],
    resend: str,
    as_json: bool,
) -> int:
    """Hold what a SOC received against the archive.

    Everything of its sectors must be there, and nothing else. Run it before a SOC goes from one output to another:
    with both declared, export a day from the archive, have the SOC hand over what each output brought, and switch
    when neither misses anything. Files are JSON lines, an event each, as they were sent. Ends with 1 when an event is
    missing, or one of another sector or municipality is there.

    --resend hands the SOC what its output has not brought, such as what RELP forgot when a relay was restarted. Look
    again afterwards; it takes one --received, that of the output.

    \b
    Examples:
      vaern export favrskov --from 24h --asked-by Operations --output day.jsonl
      vaern parity favrskov national --exported day.jsonl --received relp.jsonl --received kafka.jsonl
      vaern parity favrskov national --exported day.jsonl --received relp.jsonl --resend relp
    """
    from dataclasses import asdict

    from vaern.archive.parity import compare, read_events, sectors_of
    from vaern.console import print_json
    from vaern.declaration import load_fleet

    if resend and len(received) > 1:
        raise UsageError("--resend is about one output", fix="give the one file of that output as --received")
    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    sectors = sectors_of(fleet.deployment, municipality, profile)
    found = {
        str(path): compare(read_events(exported), read_events(path), municipality.code, sectors) for path in received
    }
    if resend:
        _resend(project, fleet, slug, profile, resend, exported, found[str(received[0])])
    if as_json:
        print_json({path: asdict(one) | {"missing": one.missing, "holds": one.holds} for path, one in found.items()})
        return ExitCode.OK if all(one.holds for one in found.values()) else ExitCode.FINDINGS
    for path, one in found.items():
        click.echo(
            f"{path}: {one.archived} in the archive, {one.received} received, {one.missing} missing, "
            f"{one.duplicates} doubled, {one.foreign} foreign, {one.unknown} outside the exported time"
        )
        for gap in one.gaps[:GAPS_SHOWN]:
            click.echo(f"  missing: {gap.source} {gap.first} to {gap.last} of {gap.relay}, {gap.begins} to {gap.ends}")
        if len(one.gaps) > GAPS_SHOWN:
            click.echo(f"  and {len(one.gaps) - GAPS_SHOWN} more; --json shows all of them")
    return ExitCode.OK if all(one.holds for one in found.values()) else ExitCode.FINDINGS


def _resend(
    project: Project, fleet: Fleet, slug: str, profile: str, output: str, exported: Path, found: Parity
) -> None:
    """Hand over what is missing; said on standard error, as it is no part of the answer."""
    from vaern.archive.parity import missing_lines
    from vaern.archive.redelivery import receiver_of, redeliver

    municipality = fleet.municipalities[slug]
    receiver = receiver_of(fleet.deployment, municipality, profile, output)
    lines = missing_lines(exported, found)
    handed = redeliver(project, slug, municipality, receiver, lines, lambda line: click.echo(line, err=True))
    click.echo(f"{handed} events handed to {receiver.name} again; look again when it has them", err=True)
