"""How ssh reaches the hosts of a lab: one key, known host keys, and a way into the lab's namespace."""

from __future__ import annotations

import fcntl
import hashlib
import subprocess
from collections.abc import Iterable
from pathlib import Path

from vaern.errors import StateError
from vaern.model.outputs import HostOutput
from vaern_stacks.access_file import write_access_file
from vaern_stacks.lab import names
from vaern_stacks.lab.command import run
from vaern_stacks.lab.records import Kind, recorded
from vaern_stacks.lab.spec import Lab

PERSIST_SECONDS = 120


def ensure_key(lab: Lab) -> None:
    """Make the control node's ssh key unless it is there; two runs at once make one.

    Raises StateError when it is lost while there are hosts that let nobody else in.
    """
    folder = lab.key.parent
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        public = lab.key.with_suffix(".pub")
        if lab.key.exists() and not public.exists():
            write_access_file(public, run(["ssh-keygen", "-y", "-f", str(lab.key)]))
        elif not lab.key.exists():
            hosts = [made.name for made in recorded(lab) if made.kind is Kind.HOST]
            if public.exists() and hosts:
                raise StateError(
                    f"{lab.key} is lost: the key with which {', '.join(hosts)} can be reached",
                    fix="restore it from its backup, or run `vaern lab down`, which takes these hosts away",
                )
            public.unlink(missing_ok=True)
            run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", lab.name, "-f", str(lab.key)])


def control_folder(lab: Lab) -> Path:
    """Sockets of shared ssh connections, outside the state: a socket's path has a limit of 108 bytes."""
    return Path("/run") / f"{lab.name}-{hashlib.sha256(lab.folder.encode()).hexdigest()[:6]}"


def control_socket(lab: Lab, host: str) -> Path:
    """The socket of one host's shared connection."""
    return control_folder(lab) / names.digest(host)


def ssh_config(lab: Lab, hosts: Iterable[HostOutput], known_hosts: Path) -> str:
    """The configuration ssh, Ansible and testinfra use: what differs in one block a host, the rest in one for all."""
    listed = sorted(hosts, key=lambda host: host.name)
    blocks = [
        f"Host {host.name}\n    HostName {host.address}\n    HostKeyAlias {host.name}\n"
        f"    ControlPath {control_socket(lab, host.name)}\n"
        for host in listed
    ]
    common = {
        "User": "root",
        "IdentityFile": f'"{lab.key}"',
        "IdentitiesOnly": "yes",
        "UserKnownHostsFile": f'"{known_hosts}"',
        "GlobalKnownHostsFile": "none",
        "StrictHostKeyChecking": "yes",
        "BatchMode": "yes",
        "ConnectTimeout": "60",
        "ServerAliveInterval": "5",
        "GSSAPIAuthentication": "no",
        "PreferredAuthentications": "publickey",
        "ControlMaster": "auto",
        "ControlPersist": str(PERSIST_SECONDS),
        "ProxyCommand": f"nsenter --net=/run/netns/{lab.name} nc %h %p",
        "LogLevel": "ERROR",
    }
    every = " ".join(host.name for host in listed) or "none.invalid"
    return "\n".join([*blocks, f"Host {every}", *(f"    {key} {value}" for key, value in common.items())]) + "\n"


def known_hosts(hosts: Iterable[HostOutput]) -> str:
    """The hosts' keys, by inventory name."""
    return "".join(f"{host.name} {host.host_key}\n" for host in sorted(hosts, key=lambda host: host.name))


def write_access(lab: Lab, hosts: Iterable[HostOutput], folder: Path) -> Path:
    """Write `ssh_config` and `known_hosts` (0600) in the folder, and return the path of the first."""
    listed = list(hosts)
    folder.mkdir(parents=True, exist_ok=True)
    control_folder(lab).mkdir(mode=0o700, parents=True, exist_ok=True)
    write_access_file(folder / "known_hosts", known_hosts(listed))
    return write_access_file(folder / "ssh_config", ssh_config(lab, listed, folder / "known_hosts"))


def close_connection(lab: Lab, host: str) -> None:
    """End the shared connection to one host, which is about to boot again."""
    _close(control_socket(lab, host))


def close_connections(lab: Lab) -> None:
    """End all of the lab's shared connections and remove their folder."""
    folder = control_folder(lab)
    if folder.is_dir():
        for socket in folder.iterdir():
            _close(socket)
        folder.rmdir()


def _close(socket: Path) -> None:
    if socket.is_socket():
        command = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", "any"]
        subprocess.run(command, capture_output=True, check=False, timeout=10)
    socket.unlink(missing_ok=True)
