"""`vaern up`: make and configure the shared collectors."""

from __future__ import annotations

import click

from vaern.errors import ExitCode
from vaern.model.progress import counted
from vaern.runtime.paths import Project


@click.command()
@click.option("--full", is_flag=True, help="Run the roles even where nothing has changed since the last run.")
@click.option("--json", "as_json", is_flag=True, help="Progress as JSON lines.")
@click.pass_context
def command(ctx: click.Context, full: bool, as_json: bool) -> int:
    """Make and configure the shared collectors.

    `vaern preview` shows what would be made. `vaern onboard` also does this before it connects a municipality.

    \b
    Example:
      vaern up
    """
    from vaern import inventory
    from vaern.console import progress_listener, say_aside, words_of
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.runtime.run_lock import queued
    from vaern.workflows import hubs
    from vaern.workflows.recording import recorded
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    fleet = load_fleet(project)
    with progress_listener(as_json) as listener, step(listener, "up", "shared collectors") as running:
        with queued(project, SHARED, running), recorded(project, fleet, SHARED, words_of(ctx), say_aside) as recording:
            hubs.provision_hubs(project, fleet.deployment, running)
            inventory.write(project.inventories, SHARED, inventory.shared_files(fleet.deployment))
            hubs.enrol_hubs(project, fleet.deployment, running)
            configured = hubs.configure_hubs(project, fleet, running, full=full)
            recording.outcome = counted(len(configured.changes), "change")
            recording.files["changes.txt"] = "".join(f"{change}\n" for change in configured.changes)
        running.done = "nothing has changed" if configured.skipped else counted(len(configured.changes), "change")
    return ExitCode.OK
