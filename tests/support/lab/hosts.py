"""Bare booted hosts for tests of roles, without the engine: a lab of its own in a temporary folder, swept at the end.

    with lab_hosts({"a": {"uplink": "198.18.0.10/15"}}) as lab: lab.run("a", "hostname")

By hand: `python -m support.lab.hosts up FOLDER NAME[:INTERFACE=ADDRESS[@BRIDGE]...]...`, then `... down FOLDER`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.paths import ROOT, TOOLS, program_packages
from vaern.configure import acceleration
from vaern.model.outputs import HostOutput
from vaern_stacks.lab import access, hosts, machine, names, network, sweep
from vaern_stacks.lab.spec import Host, Lab, Link

INVENTORY = "hosts.ini"


@dataclass(frozen=True)
class Booted:
    """Running hosts. `config` is what `ssh -F` and Ansible's ssh arguments take."""

    lab: Lab
    config: Path
    hosts: tuple[HostOutput, ...]

    def run(
        self, host: str, command: str, *, check: bool = True, stdin: str | None = None, seconds: float = 300.0
    ) -> str:
        """The output of a shell command on the host, which may take so long."""
        argv = ["ssh", "-F", str(self.config), host, command]
        done = subprocess.run(argv, input=stdin, capture_output=True, text=True, check=False, timeout=seconds)
        if check and done.returncode != 0:
            raise AssertionError(f"{host}: {command}: {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def playbook(self, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ansible-playbook as the product does when it is accelerated, with the inventory of that folder."""
        argv = [str(Path(sys.executable).with_name("ansible-playbook")), "-i", str(folder / INVENTORY), *arguments]
        settings = {
            "ANSIBLE_CONFIG": str(ROOT / "cli/vaern/configure/ansible.cfg"),
            "ANSIBLE_ROLES_PATH": str(ROOT / "roles"),
            # Shared connections are named by host alone: other labs have hosts of the same name.
            "ANSIBLE_SSH_CONTROL_PATH_DIR": str(folder / "cp"),
            "ANSIBLE_STRATEGY": f"{acceleration.FAMILY}linear",
            **acceleration.settings(),
        }
        return subprocess.run(argv, env=os.environ | settings, capture_output=True, text=True, check=False, timeout=900)

    def inventory(self, groups: Mapping[str, list[str]], folder: Path) -> None:
        """Write to that folder an Ansible inventory of these groups that reaches the hosts."""
        lines = [f"[{group}]\n" + "\n".join(members) + "\n" for group, members in groups.items()]
        shared = (
            "[all:vars]\nansible_python_interpreter=/usr/bin/python3\nansible_ssh_pipelining=true\n"
            f"ansible_ssh_args=-F {self.config}\nprograms_packages={program_packages()}\n"
        )
        (folder / INVENTORY).write_text("\n".join([*lines, shared]))


def lab_in(folder: Path, tools: Path = TOOLS) -> Lab:
    """The lab of that folder; its prefix is the folder's. Image and package pool are those in `tools`."""
    name = "v" + hashlib.sha256(str(folder.resolve()).encode()).hexdigest()[:5]
    return Lab(name, str(folder.resolve() / "lab"), str(tools))


def boot(folder: Path, wanted: Mapping[str, Mapping[str, str]], tools: Path = TOOLS) -> Booted:
    """Boot hosts given as name -> interface -> "address/prefix", "address/prefix@bridge" or "@bridge" (default: WAN).

    The first interface is the one ssh uses, so it must be on the WAN bridge (198.18.0.0/15).
    All know each other's names.
    """
    lab = lab_in(folder, tools)
    hosts.ensure_network(lab)
    known = {name: next(iter(links.values())).partition("/")[0] for name, links in wanted.items()}
    specs = [Host(name, tuple(_link(*item) for item in links.items()), known) for name, links in wanted.items()]
    for bridge in sorted({link.bridge for spec in specs for link in spec.links}):
        network.ensure_bridge(lab.name, bridge, str(names.CONTROL_NODE) if bridge == names.WAN else "")
    for spec in specs:
        hosts.begin(lab, spec)
    outputs = tuple(hosts.ensure_host(lab, spec) for spec in specs)
    return Booted(lab, access.write_access(lab, outputs, lab.path / "ssh"), outputs)


def stop(folder: Path) -> None:
    """Remove everything that `boot` made for this folder."""
    sweep.sweep(lab_in(folder))


@contextmanager
def lab_hosts(wanted: Mapping[str, Mapping[str, str]], folder: Path, tools: Path = TOOLS) -> Iterator[Booted]:
    """Booted hosts for the length of a block."""
    try:
        yield boot(folder, wanted, tools)
    finally:
        stop(folder)


def _link(interface: str, given: str) -> Link:
    address, _, bridge = given.partition("@")
    return Link(interface, bridge or names.WAN, (address,) if address else ())


def _main(verb: str, folder: str, *wanted: str) -> None:
    if verb == "down":
        stop(Path(folder))
        return
    parsed = {}
    for number, word in enumerate(wanted):
        name, *links = word.split(":")
        given = dict(link.split("=", 1) for link in links)
        parsed[name] = given or {"uplink": f"198.18.0.{10 + number}/15"}
    booted = boot(Path(folder), parsed)
    listed = [f"{host.name} {host.address} init {machine.init(booted.lab, host.name)}" for host in booted.hosts]
    sys.stdout.write("\n".join([str(booted.config), *listed, ""]))


if __name__ == "__main__":
    _main(*sys.argv[1:])
