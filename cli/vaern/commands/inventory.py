"""`vaern inventory`: generate what a municipality reviews."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.model.progress import counted
from vaern.runtime.paths import Project


@click.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.option("--check", is_flag=True, help="Write nothing; show the difference and exit 1 if there is one.")
@click.pass_context
def command(ctx: click.Context, slugs: tuple[str, ...], check: bool) -> int:
    """Generate the inventory a municipality reviews.

    Without a name: of all municipalities and of the shared hosts. A folder with a file that is neither generated,
    declared nor recorded is refused: the file is named, and nothing is written into that folder.

    \b
    Examples:
      vaern inventory favrskov
      vaern inventory --check   in CI: 1 when not current
    """
    from vaern import inventory
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED

    project: Project = ctx.obj
    fleet = load_fleet(project, slugs)
    folders = {slug: inventory.municipality_files(fleet, slug) for slug in slugs or fleet.municipalities}
    if not slugs:
        folders[SHARED] = inventory.shared_files(fleet.deployment)
    different = unknown = 0
    for folder, files in folders.items():
        if check:
            for difference in inventory.compare(project.inventories, folder, files):
                say(difference.diff, end="")
                different += 1
            for path in inventory.unknown(project.inventories, folder, files):
                say(f"inventories/{path}: nobody has generated, declared or recorded this; move it out of here")
                unknown += 1
            continue
        for path in inventory.write(project.inventories, folder, files):
            say(f"wrote inventories/{path}")
            different += 1
    if different and check:
        say(f"{counted(different, 'file')} not current; run `vaern inventory` and commit what it writes", aside=True)
    if unknown:
        say(f"{counted(unknown, 'file')} that nobody knows; nothing is applied while there is one", aside=True)
    if check and (different or unknown):
        return ExitCode.FINDINGS
    say("every generated file is current" if not different else f"{counted(different, 'file')} written", aside=True)
    return ExitCode.OK
