"""Booting and stopping hosts: systemd-nspawn in the host's own network namespace and control group.

A running host is recognised by the command line of its process, never by a process id alone, so that a reused id or a
reboot of the machine is not mistaken for a host.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from vaern.errors import ProvisionError, SetupError
from vaern.runtime.process_tree import OUTLIVES
from vaern_stacks.lab import disk, names
from vaern_stacks.lab.spec import Host, Lab

CAPABILITIES = "CAP_NET_ADMIN,CAP_NET_RAW,CAP_SYS_NICE,CAP_IPC_LOCK"
"""CAP_SYS_TIME is not among them: a host that sets the clock sets the machine's."""
BOOT_SECONDS = 60.0
POLL_SECONDS = 0.02
DEAD_SECONDS = 0.5
"""A process has no command line for a moment while it becomes another program."""
ENVIRONMENT = {
    "PATH": os.defpath + ":/usr/sbin:/sbin",
    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
    OUTLIVES: "a host of the lab",
}
"""Control groups v2 whatever the machine has, and network settings that the host may change: they are its own."""
HIERARCHIES = ("cgroup2", "name=systemd", "memory")
"""What hosts join: control groups v2, and of version 1 systemd's own and the memory controller, where they are."""
JOIN_GROUPS = 'for group in $1; do echo $$ > "$group/cgroup.procs" || exit 1; done; shift; exec "$@"'


def argv(lab: Lab, host: str) -> list[str]:
    """The command line of the host."""
    machine = names.namespace(lab.name, host)
    return [
        "systemd-nspawn",
        "--quiet",
        f"--directory={disk.root(lab, host)}",
        f"--machine={machine}",
        f"--hostname={names.shorten(host, 63)}",
        f"--network-namespace-path=/run/netns/{machine}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--settings=no",
        "--link-journal=no",
        "--resolv-conf=off",
        "--timezone=off",
        "--console=pipe",
        f"--capability={CAPABILITIES}",
        "--bind=/dev/net/tun",
        f"--bind-ro={lab.pool}:{disk.POOL}",
        *(f"--bind={top / machine}:{disk.MEMORY_GROUPS}" for top in _hierarchies(("memory",))),
    ]


def start(lab: Lab, host: Host) -> None:
    """Boot it unless it runs; returns at once. Its network and disk must be there."""
    if running(lab, host.name):
        return
    stop(lab, host.name)
    lab.pool.mkdir(parents=True, exist_ok=True)
    groups = _groups(names.namespace(lab.name, host.name))
    for group in groups:
        group.mkdir(exist_ok=True)
    command = ["/bin/sh", "-c", JOIN_GROUPS, "sh", " ".join(map(str, groups)), *argv(lab, host.name)]
    with (disk.folder(lab, host.name) / "console.log").open("ab") as console:
        try:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
                env=ENVIRONMENT,
            )
        except FileNotFoundError as error:
            raise SetupError("systemd-nspawn is not installed", fix="run `make setup`") from error
    (disk.folder(lab, host.name) / "pid").write_text(f"{process.pid}\n")


def wait(lab: Lab, host: str, within: float = BOOT_SECONDS) -> None:
    """Until sshd listens. Raises ProvisionError, with the end of the console, when the host dies or takes too long."""
    alive = time.monotonic()
    deadline = alive + within
    while not answers(lab, host):
        if running(lab, host):
            alive = time.monotonic()
        elif time.monotonic() > alive + DEAD_SECONDS:
            raise ProvisionError(f"{host} did not boot: {_console(lab, host)}", fix="run `vaern lab down`, then again")
        if time.monotonic() > deadline:
            raise ProvisionError(f"{host} did not answer within {within:.0f} s: {_console(lab, host)}")
        time.sleep(POLL_SECONDS)


def running(lab: Lab, host: str) -> bool:
    """Whether the host's process is alive with an init of its own."""
    return init(lab, host) is not None


def init(lab: Lab, host: str) -> int | None:
    """Process id of the host's init as the machine sees it."""
    pid = _recorded(lab, host)
    if pid is None:
        return None
    children = Path(f"/proc/{pid}/task/{pid}/children")
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int(children.read_text().split()[0])
    return pid


def answers(lab: Lab, host: str) -> bool:
    """Whether sshd listens and the host's key can be read; reads /proc, connects to nothing."""
    pid = init(lab, host)
    if pid is None or not disk.host_key(lab, host):
        return False
    return any(_listens(Path(f"/proc/{pid}/net/{table}")) for table in ("tcp", "tcp6"))


def stop(lab: Lab, host: str) -> None:
    """Kill the host with everything in it and wait until it is gone; content when there is nothing."""
    stop_machine(names.namespace(lab.name, host), _recorded(lab, host))
    (disk.folder(lab, host) / "pid").unlink(missing_ok=True)


def stop_machine(machine: str, recorded: int | None = None, within: float = 60.0) -> None:
    """Kill every process of the machine: its nspawn, wherever it is, and whatever its control group holds."""
    groups = _groups(machine)

    def alive() -> set[int]:
        found = set(nspawn_processes(machine)) | set(_members(groups))
        return found | ({recorded} if recorded is not None and _is(recorded, machine) else set())

    def kill() -> bool:
        for pid in alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        return not alive()

    if not _until(kill, within):
        raise ProvisionError(f"{machine} does not die", fix="look for a process that sleeps in the kernel")
    for group in groups:
        _remove_group(group)
    with contextlib.suppress(OSError):
        Path(f"/run/systemd/nspawn/propagate/{machine}").rmdir()


def machines(lab: str) -> list[str]:
    """Machines of the lab that have a process or a control group, whether recorded or not."""
    found = {name for pid in _processes() if (name := _machine_of(pid)) and name.startswith(f"{lab}-")}
    for top in _hierarchies():
        found |= {group.name for group in top.glob(f"{lab}-*")}
    return sorted(found)


def nspawn_processes(machine: str) -> list[int]:
    """Processes of systemd-nspawn for that machine."""
    return [pid for pid in _processes() if _is(pid, machine)]


def _recorded(lab: Lab, host: str) -> int | None:
    with contextlib.suppress(OSError, ValueError):
        pid = int((disk.folder(lab, host) / "pid").read_text())
        return pid if _is(pid, names.namespace(lab.name, host)) else None
    return None


def _is(pid: int, machine: str) -> bool:
    return _machine_of(pid) == machine


def _machine_of(pid: int) -> str:
    """The machine a process boots; nothing for any other process, or one that is dead."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return ""
    if not any(word.rpartition(b"/")[2] == b"systemd-nspawn" for word in words):
        return ""
    return next((word[10:].decode() for word in words if word.startswith(b"--machine=")), "")


def _processes() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _hierarchies(wanted: Sequence[str] = HIERARCHIES) -> list[Path]:
    """Mount points of the control groups with these kinds or options."""
    mounts = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [
        Path(place)
        for _, place, kind, options, *_ in mounts
        if kind in {"cgroup", "cgroup2"} and {kind, *options.split(",")} & set(wanted)
    ]


def _groups(machine: str) -> list[Path]:
    return [top / machine for top in _hierarchies()]


def _members(groups: list[Path]) -> Iterator[int]:
    for group in groups:
        for listing in group.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                yield from (int(pid) for pid in listing.read_text().split() if pid != "0")


def _remove_group(group: Path) -> None:
    """A control group goes from its leaves up; the kernel may need a moment after the last process."""

    def gone() -> bool:
        for folder in sorted((p for p in group.rglob("*") if p.is_dir()), key=lambda p: -len(p.parts)):
            with contextlib.suppress(OSError):
                folder.rmdir()
        with contextlib.suppress(OSError):
            group.rmdir()
        return not group.exists()

    _until(gone, 30.0)


def _until(check: Callable[[], bool], within: float) -> bool:
    deadline = time.monotonic() + within
    while not check():
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _listens(table: Path) -> bool:
    """Whether a socket listens on port 22: hexadecimal 0016, state 0A, as proc(5) writes it."""
    with contextlib.suppress(OSError):
        rows = (line.split() for line in table.read_text().splitlines()[1:])
        return any(row[1].endswith(":0016") and row[3] == "0A" for row in rows)
    return False


def _console(lab: Lab, host: str) -> str:
    path = disk.folder(lab, host) / "console.log"
    lines = path.read_text(errors="replace").splitlines() if path.exists() else []
    return " | ".join(lines[-5:]) or "the console is empty"
