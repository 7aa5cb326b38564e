"""`vaern report`: the last result again, as a page, JSON or JUnit."""

from __future__ import annotations

import click

from vaern.console import print_document, say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

FORMATS = ("html", "json", "junit")


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", show_default=True, help="Which document.")
@click.option("--open/--no-open", "show", default=False, help="Open the page in the browser of this machine.")
@click.pass_context
def command(ctx: click.Context, slug: str, form: str, show: bool) -> int:
    """Write the last result again, as a page, JSON or JUnit.

    The page is written beside the result and its path printed; json and junit go to standard output.

    \b
    Examples:
      vaern report favrskov
      vaern report favrskov --format junit > results.xml
    """
    from vaern.declaration import load_fleet
    from vaern.model.controls import load_catalogue
    from vaern.report import read_report, render_json, render_junit, write_reports

    project: Project = ctx.obj
    try:
        report = read_report(project, slug)
    except UsageError:
        load_fleet(project, [slug])  # Says so when there is no such municipality.
        raise
    if form == "html":
        page = write_reports(project, slug, report)["html"]
        say(page)
        if show:
            click.launch(page)
    elif form == "json":
        print_document(render_json(report, load_catalogue()))
    else:
        say(render_junit(report, load_catalogue()), end="")
    return ExitCode.OK
