"""Processes of this machine as a tree, and who of them is to outlive the run that started it.

Read from /proc only: nothing is started, and no process is recognised by a pattern in its command line.
"""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

OUTLIVES = "VAERN_OUTLIVES"
"""Set in the environment of a process that is made to stay, such as a host of the lab; so is everything below it."""
ZOMBIE = "Z"
CONNECTED = "03"
"""State of a connected Unix socket in /proc/net/unix."""


def parents() -> dict[int, int]:
    """The parent of every process that runs."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                state, parent = state_and_parent((entry / "stat").read_text(errors="replace"))
                if state != ZOMBIE:
                    found[int(entry.name)] = parent
    return found


def state_and_parent(stat: str) -> tuple[str, int]:
    """State letter and parent from /proc/PID/stat. The program's name, in parentheses, may itself hold some."""
    state, parent = stat.rpartition(")")[2].split()[:2]
    return state, int(parent)


def children(of: int, tree: Mapping[int, int], spared: Collection[int] = ()) -> list[int]:
    """The processes a process has started, without those spared."""
    return [pid for pid, parent in tree.items() if parent == of and pid not in spared]


def descendants(of: int, tree: Mapping[int, int], spared: Collection[int] = ()) -> list[int]:
    """Everything below a process; what is below one that is spared is left out with it."""
    found: list[int] = []
    level = {of}
    while level:
        level = {pid for pid, parent in tree.items() if parent in level and pid not in spared}
        found += level
    return found


def to_stay(candidates: Iterable[int], *, connections: bool) -> set[int]:
    """Those of the candidates that outlive the run: what is marked so, and shared ssh connections that are needed.

    With `connections` every shared connection is; without, only one in which a process outside the candidates has a
    command: another run, which must not be disturbed. The program that carries a connection stays with it.
    """
    listed = list(candidates)
    stay = {pid for pid in listed if _environment_has(pid, OUTLIVES)}
    used = set() if connections else _connected_sockets()
    for master in (pid for pid in listed if is_shared_connection(pid)):
        held = _open_files(master)
        if connections or held & used:
            pipes = {name for name in held if name.startswith("pipe:")}
            stay |= {master, *(pid for pid in listed if _open_files(pid, standard=True) & pipes)}
    return stay


def is_shared_connection(pid: int) -> bool:
    """Whether that is the background process of ssh's ControlMaster, which names itself so."""
    try:
        title = Path(f"/proc/{pid}/cmdline").read_bytes().rstrip(b"\0 ")
    except OSError:
        return False
    return title.startswith(b"ssh: ") and title.endswith(b"[mux]")


def _environment_has(pid: int, name: str) -> bool:
    with contextlib.suppress(OSError):
        entries = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
        return any(entry.startswith(f"{name}=".encode()) for entry in entries)
    return False


def _open_files(pid: int, *, standard: bool = False) -> set[str]:
    """What a process holds open, as /proc names it (`pipe:[123]`); `standard`: its input and output only."""
    found = set()
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            if not standard or entry.name in {"0", "1"}:
                with contextlib.suppress(OSError):
                    found.add(str(entry.readlink()))
    return found


def _connected_sockets() -> set[str]:
    """Named Unix sockets somebody is connected to, as /proc names open files."""
    rows = (line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:])
    return {f"socket:[{row[6]}]" for row in rows if len(row) > 7 and row[5] == CONNECTED}
