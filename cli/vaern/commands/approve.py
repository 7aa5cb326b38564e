"""`vaern approve`: municipal IT signs what will be applied to its network."""

from __future__ import annotations

from pathlib import Path

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option(
    "--key",
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="SSH key of the person who approves; the public key when the private one is in an ssh agent.",
)
@click.pass_context
def command(ctx: click.Context, slug: str, key: Path) -> int:
    """Sign the generated inventory on behalf of a municipality.

    The signature covers every generated file. When one of them changes, a new signature is needed.

    \b
    Examples:
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
            f"the generated files of {slug} do not match its declaration, so they cannot be approved",
            fix=f"run `vaern inventory {slug}`, review the difference, then approve",
        )
    signature = approval.sign(project.municipality(slug), files, key)
    signer = approval.verify(project.municipality(slug), files)
    say(f"approved by {signer}: {signature.relative_to(project.root)}, {len(files)} files")
    return ExitCode.OK
