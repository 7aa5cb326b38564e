"""`vaern approve`: municipal IT signs what will be applied to its network."""

from __future__ import annotations

from pathlib import Path

import click

from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="SSH key of the person who approves; a public one when the private half is in an agent.",
)
@click.pass_context
def command(ctx: click.Context, slug: str, key: Path) -> int:
    """Sign the generated inventory on behalf of a municipality.

    The signature covers every generated file; when one changes, a new signature is asked for.

    \b
    Example:
      git diff inventories/favrskov       review first
      vaern approve favrskov --key ~/.ssh/id_ed25519
    """
    from vaern import approval, inventory
    from vaern.declaration import load_fleet
    from vaern.errors import ApprovalError

    project: Project = ctx.obj
    files = inventory.municipality_files(load_fleet(project, (slug,)), slug)
    if inventory.compare(project.inventories, slug, files):
        raise ApprovalError(
            f"the files of {slug} are not what its declaration generates, so there is nothing sound to sign",
            fix=f"run `vaern inventory {slug}`, review the difference, then approve",
        )
    signature = approval.sign(project.municipality(slug), files, key)
    signer = approval.verify(project.municipality(slug), files)
    click.echo(f"approved by {signer}: {signature.relative_to(project.root)}, {len(files)} files")
    return ExitCode.OK
