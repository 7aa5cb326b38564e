"""`vaern parity`: has a SOC received what the archive holds of its sectors?"""

from __future__ import annotations

from pathlib import Path

import click

from vaern.errors import ExitCode
from vaern.paths import Project

GAPS_SHOWN = 20
FILE = click.Path(path_type=Path, dir_okay=False, exists=True)


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.argument("profile")
@click.option("--exported", required=True, type=FILE, help="What `vaern export` wrote, uncompressed.")
@click.option("--received", required=True, multiple=True, type=FILE, help="What the SOC kept; repeat for each output.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_obj
def command(
    project: Project, slug: str, profile: str, exported: Path, received: tuple[Path, ...], as_json: bool
) -> int:
    r"""Hold what a SOC received against the archive.

    Everything of its sectors must be there, and nothing else. Run it before a SOC goes from one output to another:
    with both declared, export a day from the archive, have the SOC hand over what each output brought, and switch
    when neither misses anything. Files are JSON lines, an event each, as they were sent. Ends with 1 when an event is
    missing, or one of another sector or municipality is there.

    \b
    Examples:
      vaern export favrskov --from 24h --asked-by Operations --output day.jsonl
      vaern parity favrskov national --exported day.jsonl --received relp.jsonl --received kafka.jsonl
    """
    from dataclasses import asdict

    from vaern.console import print_json
    from vaern.declaration import load_fleet
    from vaern.parity import compare, read_events, sectors_of

    fleet = load_fleet(project, [slug])
    municipality = fleet.municipalities[slug]
    sectors = sectors_of(fleet.deployment, municipality, profile)
    found = {
        str(path): compare(read_events(exported), read_events(path), municipality.code, sectors) for path in received
    }
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
