"""`vaern adopt`: add a resource that an interrupted run made to the engine's state."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode, UsageError
from vaern.runtime.paths import Project


@click.command()
@click.argument("slug", required=False, metavar="[MUNICIPALITY]")
@click.option("--resource", "name", required=True, help="Its name in the stack, as the failed run printed it.")
@click.option("--id", "identity", required=True, help="Its id on Azure, /subscriptions/...")
@click.pass_context
def command(ctx: click.Context, slug: str | None, name: str, identity: str) -> int:
    """Add a resource that exists on Azure to the engine's state.

    Use it for a resource that was made just before the connection broke, or for a vault that was recovered. Nothing is
    made or changed on Azure; the next run makes the resource as declared. Look at the resource first: from then on it
    is managed, and also removed, by vaern. Without MUNICIPALITY: the shared collectors.

    \b
    Example:
      vaern adopt favrskov --resource archive-favrskov --id /subscriptions/.../storageAccounts/...
    """
    from vaern import provision
    from vaern.console import say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.model.vocabulary import Target
    from vaern.workflows.recording import recorded

    project: Project = ctx.obj
    fleet = load_fleet(project, (slug,) if slug else ())
    if fleet.deployment.target is not Target.AZURE:
        raise UsageError(
            "the target is the lab, and only resources on Azure can be adopted",
            fix="run the command that failed again: the lab repairs itself",
        )
    wanted = f"/subscriptions/{fleet.deployment.on_azure.subscription}/"
    if not identity.startswith(wanted):
        raise UsageError(f"{identity} is not in the declared subscription", fix=f"give an id that starts with {wanted}")
    stack = slug or SHARED
    with recorded(project, fleet, stack, words_of(ctx), say_aside) as recording:
        provision.adopt(project, fleet, stack, name, identity)
        recording.outcome = f"{name} is in the state as {identity}"
    say(f"{stack}: {name} is in the state; continue with `vaern {f'onboard {slug}' if slug else 'up'}`")
    return ExitCode.OK
