"""`vaern export`: write a municipality's events to a file, for an access request."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from vaern.console import STANDARD_OUTPUT, OutputFile, one_line, print_json, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--person",
    "persons",
    multiple=True,
    metavar="TEXT",
    help="Name, user, address or token to look for; may be repeated.",
)
@click.option("--source", default="", metavar="NAME", help="Only events of this source.")
@click.option("--from", "since", metavar="TIME", help="Received at or after: 2026-11-24, 2026-11-24T09:30, or 7d ago.")
@click.option("--to", "until", metavar="TIME", help="Received before this time.")
@click.option("--asked-by", required=True, metavar="NAME", help="The person in the municipality who asks.")
@click.option("--case", default="", metavar="REFERENCE", help="Case number at the municipality, for the record.")
@click.option(
    "--output",
    required=True,
    type=OutputFile(),
    help="A new file, compressed when it ends with .zst; - is standard output.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the manifest.")
@click.pass_context
def command(
    ctx: click.Context,
    slug: str,
    persons: tuple[str, ...],
    source: str,
    since: str | None,
    until: str | None,
    asked_by: str,
    case: str,
    output: Path,
    as_json: bool,
) -> int:
    """Write a municipality's events to a file, for an access request.

    Writes all archived events about a person, from a source or from a period: JSON lines, oldest first, each event once
    even if it was delivered twice. A manifest is written beside the file: who asked, when and for what, the number of
    events, and their digest. The collector records the access before it reads. `--person -` reads texts from standard
    input, one on each line. When civil registration numbers are hashed, look for the token of a number; a
    program on the municipality's relay makes it (docs/cpr.md).

    With `--output -` the events go to standard output; how many there are, or the manifest, goes to standard error.
    The events are compared with the manifest last: use them only when the command has ended with exit code 0.

    \b
    Examples:
      vaern export favrskov --person ahs --person 198.51.100.77 --asked-by "T. Testesen" --output ahs.jsonl
      vaern export favrskov --source journal1 --from 2026-11-01 --to 2026-12-01 --asked-by DPO --output nov.jsonl.zst
    """
    from datetime import UTC, datetime

    from vaern.archive.export import Request, copies, export, moment, stream
    from vaern.declaration import load_fleet

    project: Project = ctx.obj
    fleet, now = load_fleet(project, [slug]), datetime.now(UTC)
    typed = sys.stdin.read().split("\n") if "-" in persons else []
    request = Request(
        asked_by=asked_by,
        case=case,
        texts=tuple(text for text in (*persons, *typed) if text and text != "-"),
        source=source,
        since=moment(since, now) if since else None,
        until=moment(until, now) if until else None,
    )
    municipality, aside = fleet.municipalities[slug], output == STANDARD_OUTPUT
    if aside:
        _refuse_terminal()
        manifest = stream(project, fleet.deployment, municipality, request, sys.stdout.buffer.write)
    else:
        manifest = export(project, fleet.deployment, municipality, request, output)
    if as_json:
        print_json(manifest, aside=aside)
    else:
        where = "written" if aside else f"in {output}, manifest beside it"
        counts = f"{manifest['events']} events{copies(manifest)}"
        say(one_line(f"{counts} {where}; recorded as {manifest['access'][:12]}"), aside=aside)
    return ExitCode.OK


def _refuse_terminal() -> None:
    """Events leave byte for byte, so that their digest holds, and others have written them."""
    if sys.stdout.isatty():
        raise UsageError(
            "standard output is a terminal, which what is in an event could command",
            fix="send it to a program or a file, or look with `vaern search MUNICIPALITY TEXT`",
        )
