"""`vaern approve`: municipal IT signs what decides about its network, and operations who may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vaern.console import say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project

if TYPE_CHECKING:
    from vaern.approval import Manifest

KEY = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("slug", metavar="MUNICIPALITY")
@click.option("--prepare", is_flag=True, help="Write the manifest that is to be signed, and sign nothing.")
@click.option(
    "--key",
    type=KEY,
    help="Prepare and sign, with the SSH key of who approves; the public key when an ssh agent has the other.",
)
@click.option("--pin", metavar="DIGEST", help="Operations: pin who may sign, by the digest that the municipality told.")
@click.option("--countersign", type=KEY, help="Operations: countersign, with the SSH key of one of its signers.")
@click.option("--days", type=click.IntRange(1, 800), help="How many days a new manifest is good for; 400 unless given.")
@click.option(
    "--rollback-days",
    type=click.IntRange(0, 90),
    help="How many days the approval before may be returned to without a signature; 14 unless given.",
)
@click.pass_context
def command(
    ctx: click.Context,
    slug: str,
    prepare: bool,
    key: Path | None,
    pin: str | None,
    countersign: Path | None,
    days: int | None,
    rollback_days: int | None,
) -> int:
    """Approve what decides about a municipality's network, or say whether it is approved.

    The signature is over one file, `inventories/MUNICIPALITY/manifest`: the declaration, who receives, digests of the
    generated files, the roles and the host packages, a serial and an expiry. Without an option: whether the approval
    covers what would be applied now, and if not, what has changed; exit code 7 then.

    \b
    Examples:
      git diff inventories/favrskov       review first
      vaern approve favrskov --key ~/.ssh/id_ed25519
      vaern approve favrskov
    """
    from vaern import approval
    from vaern.approval import Roots
    from vaern.approval.checking import signers_of
    from vaern.declaration import load_fleet
    from vaern.workflows import approving
    from vaern.workflows.sources import Sources

    if sum(map(bool, (prepare, key, pin, countersign))) > 1:
        raise UsageError(
            "--prepare, --key, --pin and --countersign exclude each other",
            fix="name one of them, and run once for each",
        )
    project: Project = ctx.obj
    fleet = load_fleet(project, (slug,))
    folder, roots = project.municipality(slug), Roots.of(project.state, slug)
    if pin:
        roots.pin(signers_of(folder), pin)
        say(f"pinned who may approve for {slug}")
        return ExitCode.OK
    if countersign:
        say(f"countersigned by {approval.countersign(folder, roots, countersign)}")
        return ExitCode.OK
    sources = Sources.read(project)
    if not prepare and not key:
        say(str(approving.current(project, fleet, slug, sources)))
        return ExitCode.OK
    manifest = approval.prepared(
        folder,
        roots,
        approving.what_decides(project, fleet, slug, sources),
        approving.today(),
        valid_days=approval.VALID_DAYS if days is None else days,
        rollback_days=approval.ROLLBACK_DAYS if rollback_days is None else rollback_days,
    )
    if key:
        signer = approval.approve(folder, manifest, key)
        say(f"approved by {signer}: {_told(slug, manifest)}")
    else:
        approval.write_manifest(folder, manifest)
        say(f"to be signed: {_told(slug, manifest)}")
        say(f"  sha256sum --check --strict --quiet inventories/{slug}/manifest")
        say(f"  ssh-keygen -Y sign -f ~/.ssh/id_ed25519 -n vaern-inventory inventories/{slug}/manifest")
    return ExitCode.OK


def _told(slug: str, manifest: Manifest) -> str:
    before = manifest.predecessor
    back = f", rollback to {before.digest[:12]} until {before.until}" if before else ""
    return (
        f"inventories/{slug}/manifest, serial {manifest.serial}, until {manifest.expires}, "
        f"{len(manifest.contents.files)} files{back}"
    )
