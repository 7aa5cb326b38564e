"""`vaern report`: the last result again, as a page, JSON or JUnit."""

from __future__ import annotations

import click

from vaern.console import print_document, say
from vaern.errors import UsageError
from vaern.runtime.paths import Project

FORMATS = ("html", "json", "junit")
OUTSIDE = "This report was written before there was a chain of evidence: nothing shows whether it was changed since."


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--format", "form", type=click.Choice(FORMATS), default="html", show_default=True, help="Which document.")
@click.option("--open/--no-open", "show", default=False, help="Open the page in the browser of this machine.")
@click.pass_context
def command(ctx: click.Context, slug: str, form: str, show: bool) -> int:
    """Write the last result again, as a page, JSON or JUnit.

    The page's path is printed; json and junit go to standard output. The result is read from the evidence, and refused
    when a record there is not as it was written. Ends as the run did that made the result: with exit code 0, 1 or 9.

    \b
    Examples:
      vaern report favrskov
      vaern report favrskov --format junit > results.xml
    """
    from vaern.console import say_aside
    from vaern.declaration import load_fleet
    from vaern.model.controls import load_catalogue
    from vaern.report import render_json, render_junit, write_reports
    from vaern.workflows import results

    project: Project = ctx.obj
    try:
        result = results.last(project, slug)
    except UsageError:
        load_fleet(project, [slug])  # Says so when there is no such municipality.
        raise
    report = result.report
    if not result.vouched:
        say_aside(OUTSIDE)
    if form == "html":
        page = write_reports(project, slug, report)["html"]
        say(page)
        if show:
            click.launch(page)
    elif form == "json":
        print_document(render_json(report, load_catalogue()))
    else:
        say(render_junit(report, load_catalogue()), end="")
    return report.verdict.exit_code
