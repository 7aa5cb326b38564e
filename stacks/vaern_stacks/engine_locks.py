"""Locks, processes and half-written files a killed run left: removed only when the process that held them is dead.

`pulumi cancel` removes every lock of a stack, also a living one; this looks at the process first.
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

PATIENCE_SECONDS = 15.0
"""An engine whose caller was killed ends the operation it is in, then itself."""
POLL_SECONDS = 0.1
_HOLDER = re.compile(r"(\S+): created by (\S+)@(\S+) \(pid (\d+)\) at (\S+)")


def holders(refusal: str) -> list[str]:
    """Who holds a stack of a shared backend and since when, one a lock, as the engine's refusal tells it."""
    return [
        f"{user} on {host} (process {pid}) since {since}, by the lock {where}"
        for where, user, host, pid, since in _HOLDER.findall(refusal)
    ]


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Wait for whoever holds that file; it is let go when its holder ends, however it ends."""
    with path.open("w") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def clear(backend: Path, project: str, stack: str, work: Path) -> None:
    """Remove dead runs' locks, providers and torn files. Raises BusyError when a living run holds the stack."""
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
    """Files an engine had begun when it was killed. It puts a state in place whole, but not the attributes beside it.

    With empty attributes it refuses the state as ended too early (EOF); without any it takes it as it is. So those of
    every stack go, whoever may be writing them; what earlier runs of other stacks were is not gone through.
    """
    stacks = state / "stacks" / project
    own = (state / "history" / project / stack).rglob("*.attrs")
    for path in chain(state.glob("*.attrs"), stacks.glob("*.attrs"), own):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_size == 0:
                yield path
    yield from stacks.glob(f"{stack}.json.*.tmp")


def _living(backend: Path, project: str, stack: str) -> list[int]:
    """Engines that hold the stack; locks of dead ones are removed on the way."""
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
    """Whether that process is a Pulumi engine: its id may have been given to another program since."""
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
