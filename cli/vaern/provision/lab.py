"""The lab as a whole: its hosts, a shell in one of them, and taking all of it down."""

from __future__ import annotations

from vaern.errors import ProvisionError, UsageError
from vaern.model.naming import SHARED
from vaern.provision.engines import lab_of, require_root
from vaern.provision.making import OnEvent, destroy, stacks
from vaern.provision.outputs import forget_everything
from vaern.runtime.paths import Project
from vaern_stacks.lab import machine, sweep
from vaern_stacks.lab.records import Kind, recorded


def lab_hosts(project: Project) -> dict[str, bool]:
    """Every host of the lab by inventory name, and whether it runs."""
    lab = lab_of(project)
    return {made.name: machine.running(lab, made.name) for made in recorded(lab) if made.kind is Kind.HOST}


def shell_argv(project: Project, host: str) -> list[str]:
    """The command that opens a shell in a lab host, past its network. Raises UsageError for a host there is not.

    Raises ProvisionError when no host has been made at all.
    """
    lab = lab_of(project)
    init = machine.init(lab, host)
    if init is None:
        names_known = ", ".join(lab_hosts(project))
        if not names_known:
            fix = "run `vaern lab up MUNICIPALITY`, or `vaern onboard MUNICIPALITY`"
            raise ProvisionError("no host of this lab has been made", fix=fix)
        raise UsageError(f"{host} is not a running host of this lab ({names_known})", fix="run `vaern lab list`")
    return ["nsenter", f"--target={init}", "--all", "--wd=/root", "/bin/bash", "--login"]


def down(project: Project, on_event: OnEvent | None = None) -> list[str]:
    """Remove every stack, then whatever of the lab is left, and return what could not be removed."""
    lab = lab_of(project)
    require_root()
    for stack in sorted(stacks(project), key=lambda stack: stack == SHARED):
        destroy(project, stack, on_event)
    sweep.sweep(lab)
    forget_everything(project)
    return sweep.leftovers(lab)
