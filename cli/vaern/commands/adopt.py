"""`vaern adopt`: take over what a run made and lost sight of."""

from __future__ import annotations

import click

from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", required=False, metavar="[MUNICIPALITY]")
@click.option("--resource", "name", required=True, help="Its name in the stack, as the failed run told it.")
@click.option("--id", "identity", required=True, help="Its id on Azure, /subscriptions/...")
@click.pass_context
def command(ctx: click.Context, slug: str | None, name: str, identity: str) -> int:
    """Take into the state what is on Azure and not in it.

    For what a run made before its connection broke, and for a vault that somebody recovered. Nothing is made or
    changed; the next run makes it as declared. Look at it first: what is taken over is then managed, and removed, by
    vaern. Without a municipality: the shared collectors.

    \b
    Example:
      vaern adopt favrskov --resource archive-favrskov --id /subscriptions/.../storageAccounts/...
    """
    from vaern import provision
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.model.vocabulary import Target

    project: Project = ctx.obj
    fleet = load_fleet(project, (slug,) if slug else ())
    if fleet.deployment.target is not Target.AZURE:
        raise UsageError("only what is on Azure is adopted", fix="the lab mends itself: run the same command again")
    wanted = f"/subscriptions/{fleet.deployment.on_azure.subscription}/"
    if not identity.startswith(wanted):
        raise UsageError(f"{identity} is not in the declared subscription", fix=f"give an id that starts with {wanted}")
    stack = slug or SHARED
    provision.adopt(project, fleet, stack, name, identity)
    click.echo(f"{stack}: {name} is in the state; run `vaern {f'onboard {slug}' if slug else 'up'}` to go on")
    return ExitCode.OK
