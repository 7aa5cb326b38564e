"""`vaern search`: find events of a municipality in the archive."""

from __future__ import annotations

import getpass
import sys
from typing import Any

import click

from vaern.console import one_line, say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.argument("text", metavar="TEXT")
@click.option(
    "--since", metavar="TIME", help="Received at or after: 2026-11-24, 2026-11-24T09:30, or 90m, 24h, 7d ago."
)
@click.option("--until", metavar="TIME", help="Received before this time.")
@click.option("--source", default="", metavar="NAME", help="Only events of this source.")
@click.option(
    "--limit",
    default=100,
    show_default=True,
    type=click.IntRange(1, 10000),
    help="Highest number of events, newest first.",
)
@click.option(
    "--asked-by", default="", metavar="NAME", help="The person who asks; by default the user of this machine."
)
@click.option("--json", "as_json", is_flag=True, help="One event a line, as archived, then the manifest.")
@click.pass_context
def command(
    ctx: click.Context,
    slug: str,
    text: str,
    since: str | None,
    until: str | None,
    source: str,
    limit: int,
    asked_by: str,
    as_json: bool,
) -> int:
    """Find events of a municipality in the archive.

    Reads the archive of that municipality on the collector, and no other. The collector records who asked, when and
    for what. TEXT is searched for literally; `-` reads it from standard input, so that a name does not end up in the
    shell's history. Times without a zone are UTC. Ends with exit code 0 even when nothing is found.

    \b
    Examples:
      vaern search favrskov 198.51.100.77 --since 24h
      vaern search favrskov "login failed" --source journal1 --since 2026-11-01 --until 2026-12-01
    """
    from datetime import UTC, datetime

    from vaern.archive.export import Request, copies, moment, search
    from vaern.console import print_json
    from vaern.declaration import load_fleet

    project: Project = ctx.obj
    fleet, now = load_fleet(project, [slug]), datetime.now(UTC)
    request = Request(
        asked_by=asked_by or getpass.getuser(),
        texts=(sys.stdin.readline().rstrip("\n") if text == "-" else text,),
        source=source,
        since=moment(since, now) if since else None,
        until=moment(until, now) if until else None,
        limit=limit,
    )
    events, manifest = search(project, fleet.deployment, fleet.municipalities[slug], request)
    for event in events:
        print_json(event) if as_json else say(_line(event))
    if as_json:
        print_json(manifest)
    else:
        more = "" if manifest["complete"] else f", and more than --limit {limit}"
        counts = f"{manifest['events']} events{copies(manifest)}{more}"
        say(one_line(f"{counts}; recorded as {manifest['access'][:12]}"), aside=True)
    return ExitCode.OK


def _line(event: dict[str, Any]) -> str:
    """One event on one line: time, source, host and message."""
    return one_line(*(event.get(key, "-") for key in ("received", "source", "host", "message")))
