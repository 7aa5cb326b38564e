"""How ssh reaches the hosts of a deployment on Azure: hubs through Bastion, municipalities through the overlay.

A municipality's host is reached by a jump over a hub to the gateway's overlay address, and from there on to its LAN.
Before the overlay is up there is no such way: a host declares another one (`ssh:`), which is written here for that host
alone. Nobody trusts a first use: host keys of a municipality stand in `inventories/<slug>/known_hosts`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vaern.model.deployment import Deployment
from vaern.model.naming import SHARED
from vaern.model.outputs import HostOutput
from vaern_stacks.access_file import write_access_file
from vaern_stacks.azure.identifiers import Identifiers
from vaern_stacks.azure.naming import HUB_LOGIN, Names

BASTION = "bastion"
PERSIST_SECONDS = 300
COMMON = {
    "IdentitiesOnly": "no",
    "GlobalKnownHostsFile": "none",
    "StrictHostKeyChecking": "yes",
    "BatchMode": "yes",
    "ConnectTimeout": "90",
    "ServerAliveInterval": "15",
    "GSSAPIAuthentication": "no",
    "PreferredAuthentications": "publickey",
    "ControlMaster": "auto",
    "ControlPath": "~/.ssh/vaern-%C",
    "ControlPersist": str(PERSIST_SECONDS),
    "LogLevel": "ERROR",
}


@dataclass(frozen=True, slots=True)
class SshFiles:
    """Where on the control node what belongs to ssh stands."""

    inventories: Path
    """Each municipality's folder may hold `known_hosts`."""
    state: Path
    """Takes what is written here."""
    tunnel: Path
    """The program `bastion_tunnel.py`."""

    @property
    def known_hosts(self) -> Path:
        """Host keys of the hubs, as Azure returned them."""
        return self.state / "known_hosts"


def tunnel(deployment: Deployment, hub: str, program: Path) -> str:
    """ProxyCommand that carries a connection to a hub through Bastion, by the Azure CLI of whoever is logged in."""
    names = Names.of(deployment)
    machine = Identifiers(names).shared("Microsoft.Compute/virtualMachines", hub)
    where = f"{names.subscription} {names.group('shared')} {BASTION} {machine}"
    return f'"{sys.executable}" "{program}" {where} %p'


def ssh_config(deployment: Deployment, stacks: Mapping[str, Iterable[HostOutput]], places: SshFiles) -> str:
    """The configuration ssh, Ansible and testinfra use, of the hosts of each stack."""
    hubs = list(stacks.get(SHARED, ()))
    blocks = []
    for hub in hubs:
        way = tunnel(deployment, hub.name, places.tunnel)
        ways = {"User": HUB_LOGIN, "UserKnownHostsFile": f'"{places.known_hosts}"', "ProxyCommand": way}
        blocks.append(_block(hub, ways))
    for slug in sorted(set(stacks) - {SHARED}):
        hosts = list(stacks[slug])
        gateway = next((host.name for host in hosts if ":" in host.address and host.port is None), "")
        for host in hosts:
            over = hubs[0].name if ":" in host.address and hubs else gateway
            ways = {"User": "root", "UserKnownHostsFile": f'"{places.inventories / slug / "known_hosts"}"'}
            usual = {"ProxyJump": over} if over else {}
            declared = {"Port": str(host.port), "ProxyJump": host.jump or "none"}
            blocks.append(_block(host, ways | (usual if host.port is None else declared)))
    every = "".join(f"    {key} {value}\n" for key, value in COMMON.items())
    return "\n".join([*blocks, f"Host *\n{every}"])


def write_access(deployment: Deployment, stacks: Mapping[str, Iterable[HostOutput]], places: SshFiles) -> Path:
    """Write `ssh_config` and `known_hosts` (0600) in the state, and return the path of the first."""
    write_access_file(places.known_hosts, "".join(f"{hub.name} {hub.host_key}\n" for hub in stacks.get(SHARED, ())))
    return write_access_file(places.state / "ssh_config", ssh_config(deployment, stacks, places))


def _block(host: HostOutput, ways: Mapping[str, str]) -> str:
    lines = {"HostName": host.address, "HostKeyAlias": host.name, **ways}
    return f"Host {host.name}\n" + "".join(f"    {key} {value}\n" for key, value in lines.items())
