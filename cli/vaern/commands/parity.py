"""`vaern parity`: whether a SOC has received all archived events of its sectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import one_line, say
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
@click.option("--exported", required=True, type=FILE, help="File that `vaern export` wrote, uncompressed.")
@click.option(
    "--received",
    required=True,
    multiple=True,
    type=FILE,
    help="File of what the SOC received; repeat it for each output.",
)
@click.option(
    "--resend", metavar="OUTPUT", default="", help="Make the relays send the missing events by this output again."
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
    """Compare what a SOC received with the archive.

    The SOC must have every event of its sectors, and no others. Run it before a SOC changes from one output to another:
    declare both, export a day from the archive, get a file of what each output delivered, and change when neither lacks
    anything. Files are JSON lines, one event on each line, as they were sent. Ends with exit code 1 when an event is
    missing, when one belongs to another sector or municipality, or when the exported file has none to compare.

    --resend sends the SOC the missing events of one output, such as those RELP lost when a relay restarted. It takes
    one --received, the file of that output. Compare again afterwards.

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
        raise UsageError(
            "--resend takes one --received, and several were given", fix="give only the file of that output"
        )
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
        say(
            f"{path}: {one.archived} in the archive, {one.received} received, {one.missing} missing, "
            f"{one.duplicates} duplicate, {one.foreign} foreign, {one.unknown} outside the exported time"
        )
        if not one.archived:
            say(f"  nothing was compared: {exported} holds no event of the sectors of {profile}")
        for gap in one.gaps[:GAPS_SHOWN]:
            span = f"{gap.source} {gap.first} to {gap.last} of {gap.relay}, {gap.begins} to {gap.ends}"
            say(f"  missing: {one_line(span)}")
        if len(one.gaps) > GAPS_SHOWN:
            say(f"  and {len(one.gaps) - GAPS_SHOWN} more; --json shows all of them")
    return ExitCode.OK if all(one.holds for one in found.values()) else ExitCode.FINDINGS


def _resend(
    project: Project, fleet: Fleet, slug: str, profile: str, output: str, exported: Path, found: Parity
) -> None:
    """Send the missing events again; progress goes to standard error, since it is not part of the result."""
    from vaern.archive.parity import missing_lines
    from vaern.archive.redelivery import receiver_of, redeliver

    municipality = fleet.municipalities[slug]
    receiver = receiver_of(fleet.deployment, municipality, profile, output)
    lines = missing_lines(exported, found)
    handed = redeliver(project, slug, municipality, receiver, lines, lambda line: say(one_line(line), aside=True))
    say(f"{handed} events sent to {receiver.name} again; compare again when they have arrived", aside=True)
