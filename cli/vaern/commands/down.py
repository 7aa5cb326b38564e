"""`vaern down`: remove the shared collectors."""

from __future__ import annotations

import click

from vaern.console import say
from vaern.errors import ExitCode
from vaern.model.progress import counted
from vaern.runtime.paths import Project

STAYS = (
    "these are kept, and still cost money: the evidence with its endpoint, network and zone; the workspace; the vault "
    "with the authority's key; the hubs' data disks and public addresses"
)


@click.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--dry-run", is_flag=True, help="Only list what would be removed.")
@click.pass_context
def command(ctx: click.Context, yes: bool, dry_run: bool) -> int:
    """Remove the shared collectors.

    Refused while a municipality is connected. In the lab their archive is removed too. On Azure the evidence is kept,
    together with what it depends on (docs/azure.md).

    \b
    Examples:
      vaern down --dry-run
      vaern down --yes
    """
    from vaern import provision
    from vaern.console import progress_listener, say_aside, words_of
    from vaern.declaration import load_deployment
    from vaern.model.fleet import Fleet
    from vaern.model.naming import SHARED
    from vaern.model.vocabulary import Target
    from vaern.runtime.run_lock import exclusive
    from vaern.workflows.recording import recorded
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    deployment = load_deployment(project.municipality(SHARED) / "collector.yml")
    if SHARED not in provision.stacks(project, deployment):
        say("the shared collectors have not been made (`vaern up` makes them): there is nothing to take away")
        return ExitCode.OK
    say(f"hosts of the shared collectors: {', '.join(hub.name for hub in deployment.hubs)}")
    on_azure = deployment.target is Target.AZURE
    if on_azure:
        say(STAYS)
    if dry_run:
        return ExitCode.OK
    if not yes:
        click.confirm("Remove them?" if on_azure else "Remove them, and what they hold?", abort=True)
    with (
        exclusive(project, SHARED),
        recorded(project, Fleet(deployment, {}), SHARED, words_of(ctx), say_aside) as recording,
        progress_listener(as_json=False) as listener,
        step(listener, "down", "removing") as running,
    ):
        removed = provision.destroy_shared(
            project,
            lambda step_seen: running(f"{step_seen.change.type} {step_seen.change.name}"),
            deployment=deployment,
        )
        running.done = recording.outcome = (
            f"{counted(sum(one.action == 'delete' for one in removed), 'resource')} removed"
        )
    return ExitCode.OK
