"""Removing everything a lab ever made, whether a record of it is left or not: what a kill in the middle needs."""

from __future__ import annotations

import shutil
from pathlib import Path

from vaern_stacks.lab import access, disk, hosts, machine, network
from vaern_stacks.lab.command import run
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
    for name in recorded(lab):
        hosts.remove_host(lab, name)
    for name in machine.machines(lab.name):
        machine.stop_machine(name)
    for name in reversed(network.namespaces(lab.name)):
        network.remove_namespace(name)
    for place in _mounts(lab):
        run(["umount", place])
    shutil.rmtree(lab.path, ignore_errors=True)


def recorded(lab: Lab) -> list[str]:
    """Hosts the lab has a folder for."""
    folder = disk.folder(lab, "any").parent
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _mounts(lab: Lab) -> list[str]:
    """Mount points below the lab's folder, deepest first."""
    places = (line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines())
    decoded = (place.replace("\\040", " ") for place in places)
    return sorted((place for place in decoded if Path(place).is_relative_to(lab.path)), reverse=True)
