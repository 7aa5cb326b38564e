"""Removing everything a lab ever made, whether a record of it is left or not: what a kill in the middle needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from vaern_stacks.lab import access, disk, hosts, machine, network, sites
from vaern_stacks.lab.command import run
from vaern_stacks.lab.records import Kind, Record, recorded
from vaern_stacks.lab.spec import Lab


def leftovers(lab: Lab) -> list[str]:
    """Everything of the lab on the machine, one line each; empty when nothing is left."""
    found = [f"namespace {name}" for name in network.namespaces(lab.name)]
    found += [f"machine {name}" for name in machine.machines(lab.name)]
    found += [f"mount {place}" for place in _mounts(lab)]
    found += [f"file {lab.path}"] if lab.path.exists() else []
    return found + ([f"file {access.control_folder(lab)}"] if access.control_folder(lab).exists() else [])


def sweep(lab: Lab) -> None:
    """Remove all of it. Finds processes, groups and namespaces by the lab's prefix, mounts by its folder."""
    access.close_connections(lab)
    for name in _folders(lab):
        hosts.remove_host(lab, name)
    for name in machine.machines(lab.name):
        machine.stop_machine(name)
    for name in reversed(network.namespaces(lab.name)):
        network.remove_namespace(name)
    for place in _mounts(lab):
        run(["umount", place])
    shutil.rmtree(lab.path, ignore_errors=True)


def sweep_stack(lab: Lab, stack: str) -> list[Record]:
    """Remove what one stack wrote down and never removed, and return it."""
    found = recorded(lab, stack)
    for made in found:
        if made.kind is Kind.MIRROR:
            sites.remove_mirror(lab, made.name, stack)
        elif made.kind is Kind.HOST:
            hosts.remove_host(lab, made.name, stack)
        elif made.kind is Kind.SITE:
            sites.remove_site(lab, made.name, stack)
        else:
            hosts.remove_network(lab, stack)
    return found


def _folders(lab: Lab) -> list[str]:
    folder = disk.folder(lab, "any").parent
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _mounts(lab: Lab) -> list[str]:
    """Mount points below the lab's folder, deepest first."""
    places = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    decoded = (place.replace("\\040", " ") for place in places)
    return sorted((place for place in decoded if Path(place).is_relative_to(lab.path)), reverse=True)
