"""`vaern lab`: the hosts of the lab, without anything configured on them."""

from __future__ import annotations

import os

import click

from vaern.console import say
from vaern.errors import ExitCode, ProvisionError
from vaern.runtime.paths import Project


@click.group()
def command() -> None:
    """Start, list, enter or remove the hosts of the lab.

    The lab consists of real Debian hosts in network namespaces of their own. It never touches this machine's network.

    \b
    Examples:
      vaern lab up favrskov    boot its hosts and the shared
      vaern lab list
      vaern lab shell favrskov-gw1
      vaern lab down
    """


@command.command()
@click.argument("slugs", nargs=-1, metavar="[MUNICIPALITY]...")
@click.pass_context
def up(ctx: click.Context, slugs: tuple[str, ...]) -> int:
    """Boot the shared hosts, and those of the municipalities named; configure nothing.

    \b
    Example:
      vaern lab up favrskov
    """
    from vaern import provision
    from vaern.console import progress_listener
    from vaern.declaration import load_fleet
    from vaern.model.naming import SHARED
    from vaern.runtime.run_lock import queued
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    fleet = load_fleet(project, slugs)
    with progress_listener(as_json=False) as listener:
        with step(listener, "lab", "shared hosts") as running, queued(project, SHARED, running):
            running.done = ", ".join(host.name for host in provision.provision_shared(project, fleet.deployment).hosts)
        for slug in slugs:
            with step(listener, "lab", slug) as running:
                made = provision.provision_municipality(project, fleet.deployment, fleet.municipalities[slug], slug)
                running.done = ", ".join(host.name for host in made.hosts)
    return ExitCode.OK


@command.command()
@click.pass_context
def down(ctx: click.Context) -> int:
    """Remove every host, network, process and mount of this lab, also what a killed run left.

    \b
    Example:
      vaern lab down
    """
    from vaern import provision
    from vaern.console import progress_listener
    from vaern.workflows.steps import step

    project: Project = ctx.obj
    with progress_listener(as_json=False) as listener, step(listener, "lab", "removing everything") as running:
        left = provision.down(project, lambda step_seen: running(f"{step_seen.change.type} {step_seen.change.name}"))
        if left:
            raise ProvisionError(f"could not remove: {', '.join(left)}", fix="run `vaern lab down` again")
        _forget(project)
        running.done = "nothing is left"
    return ExitCode.OK


def _forget(project: Project) -> None:
    """Delete the records of removed hosts: the state their last play left, and their public keys."""
    import shutil

    shutil.rmtree(project.state / "configured", ignore_errors=True)
    for record in project.inventories.glob("*/group_vars/*/*.lab.yml"):
        record.unlink()


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of lines.")
@click.pass_context
def list_(ctx: click.Context, as_json: bool) -> int:
    """List the hosts and whether they run.

    \b
    Examples:
      vaern lab list
      vaern lab list --json
    """
    from vaern import provision
    from vaern.console import print_json

    hosts = provision.lab_hosts(ctx.obj)
    if as_json:
        print_json([{"name": name, "running": running} for name, running in hosts.items()])
    else:
        for name, running in hosts.items():
            say(f"{name:<32} {'running' if running else 'dead'}")
        if not hosts:
            say("there are no hosts; `vaern lab up` or `vaern onboard` makes them", aside=True)
    return ExitCode.OK


@command.command()
@click.argument("host")
@click.pass_context
def shell(ctx: click.Context, host: str) -> None:
    """Open a shell in a host, past its network and its ssh.

    \b
    Example:
      vaern lab shell favrskov-gw1
    """
    from vaern import provision

    argv = provision.shell_argv(ctx.obj, host)
    os.execvp(argv[0], argv)  # noqa: S606 - the user asked for a shell
