"""Stale locks, processes and half-written files of the Pulumi engine, left by killed runs.

They are removed only when the process that held them is dead. `pulumi cancel` would also remove a lock that is in use.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from vaern.errors import BusyError

PATIENCE_SECONDS = 60.0
"""Longest wait for an engine whose caller was killed: it finishes its operation, such as a boot, and then ends."""
POLL_SECONDS = 0.1
_HOLDER = re.compile(r"(\S+): created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")


def holders(refusal: str) -> list[str]:
    """Who holds a stack of a shared backend and since when, one text for each lock in the engine's message."""
    return [
        f"{user} on {host} (process {pid}) since {since}, by the lock {where}"
        for where, user, host, pid, since in _HOLDER.findall(refusal)
    ]


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for the lock on that file and hold it; it is released when its process ends for any reason."""
    with path.open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def clear(backend: Path, project: str, stack: str, work: Path) -> None:
    """Remove locks, providers and incomplete files of dead runs. Raises BusyError when a live run holds the stack."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while living := _living(backend, project, stack):
        if time.monotonic() > deadline:
            what = f"another run (process {living[0]}) works on the stack {stack}"
            raise BusyError(what, fix="wait for it to end, then run again")
        time.sleep(POLL_SECONDS)
    for pid in orphans(work):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    for torn in _torn(backend / ".pulumi", project, stack):
        torn.unlink(missing_ok=True)


def _torn(state: Path, project: str, stack: str) -> Iterator[Path]:
    """Files an engine was writing when it was killed. It replaces a state as a whole, but not its attributes file.

    With an empty attributes file the engine refuses the state (EOF); without one it accepts it. So empty ones of every
    stack are removed, even if somebody is writing them; the history is searched for this stack only.
    """
    stacks = state / "stacks" / project
    own = (state / "history" / project / stack).rglob("*.attrs")
    for path in chain(state.glob("*.attrs"), stacks.glob("*.attrs"), own):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == 0:
                yield path
    yield from stacks.glob(f"{stack}.json.*.tmp")


def _living(backend: Path, project: str, stack: str) -> list[int]:
    """Process ids of engines that hold the stack; locks of dead engines are removed."""
    found = []
    for lock in (backend / ".pulumi" / "locks").glob(f"*/{project}/{stack}/*.json"):
        try:
            lock_file = json.loads(lock.read_text())
        except (OSError, ValueError):
            continue  # removed or being written just now: the engine itself decides
        if lock_file.get("hostname") == socket.gethostname() and not is_engine(int(lock_file["pid"])):
            lock.unlink(missing_ok=True)
        else:
            found.append(int(lock_file["pid"]))
    return found


def is_engine(pid: int) -> bool:
    """Whether that process is a Pulumi engine; the id may belong to another program by now."""
    return "pulumi" in _words(pid)[:1] or any(word.endswith("/pulumi") for word in _words(pid)[:1])


def orphans(work: Path) -> Iterator[int]:
    """Provider processes of this stack whose engine is dead."""
    marker = f"PULUMI_HOME={work / 'home'}".encode()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and "pulumi.dynamic" in _words(int(entry.name)):
            with contextlib.suppress(OSError):
                parent = int(_status(entry, "PPid"))
                if marker in (entry / "environ").read_bytes().split(b"\0") and not is_engine(parent):
                    yield int(entry.name)


def _words(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
    except OSError:
        return []


def _status(process: Path, key: str) -> str:
    lines = (process / "status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{key}:"))
