"""Interrupting a program as a person or a system does, and looking at what it leaves.

The process of the tests takes in whatever a program leaves behind without a parent, so that what is left is a matter
of descent, not of a pattern over all processes of the machine.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import pty
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
CTRL_C = b"\x03"
BETWEEN_SECONDS = 0.3
"""From one Ctrl-C to the next of an impatient person."""
MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, not written to


@dataclass
class Run:
    """A program on a terminal of its own, whose session it leads, as a shell's is."""

    process: subprocess.Popen[bytes]
    terminal: int
    output: bytearray = field(default_factory=bytearray)
    pids: set[int] = field(default_factory=set)
    """Every process of it that was seen."""
    stop_reading: threading.Event = field(default_factory=threading.Event)
    taking: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def wait(self, seconds: float) -> int | None:
        """Its exit code, when all that it had printed is in `output`; nothing when it runs on after that time."""
        try:
            code = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None
        with contextlib.suppress(OSError):
            while self.take():
                pass
        return code

    def press(self, key: bytes) -> None:
        """Type on its terminal. The kernel makes of Ctrl-C a SIGINT for the whole foreground process group."""
        with contextlib.suppress(OSError):
            os.write(self.terminal, key)

    def hang_up(self) -> None:
        """Close its terminal: the kernel sends SIGHUP."""
        self.stop_reading.set()
        self.reader.join()
        terminal, self.terminal = self.terminal, -1
        os.close(terminal)

    def look(self) -> None:
        """Remember the processes that are below it now."""
        self.pids |= {self.process.pid, *below(self.process.pid)}

    def read(self) -> None:
        """Take what it prints: a terminal that nobody reads stops who prints."""
        with contextlib.suppress(OSError):
            while not self.stop_reading.is_set():
                select.select([self.terminal], [], [], 0.05)
                self.take()

    def take(self) -> bool:
        """Take what it has printed by now; whether there was anything. Raises OSError when nobody can print more."""
        with self.taking:
            if self.terminal < 0 or not select.select([self.terminal], [], [], 0)[0]:
                return False
            self.output += os.read(self.terminal, 65536)
            return True


@contextlib.contextmanager
def run(arguments: Sequence[str], *, cwd: Path, environment: Mapping[str, str]) -> Iterator[Run]:
    """Start a program on a terminal of its own; with it ends whatever of it the test did not find gone."""
    outer, inner = pty.openpty()
    # Leads a session whose terminal this is, and then becomes the program.
    process = subprocess.Popen(
        ["setsid", "--ctty", *arguments], cwd=cwd, env=dict(environment), stdin=inner, stdout=inner, stderr=inner
    )
    os.close(inner)
    started = Run(process, outer)
    try:
        yield started
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        if started.terminal >= 0:
            started.hang_up()
        _bury(started.pids)


def ctrl_c(of: Run) -> None:
    """Ctrl-C, once."""
    of.press(CTRL_C)


def ctrl_c_three_times(of: Run) -> None:
    """As somebody does who does not want to wait."""
    for _ in range(3):
        of.press(CTRL_C)
        if of.wait(BETWEEN_SECONDS) is not None:
            return


def sends(number: int) -> Callable[[Run], None]:
    """What sends a signal to the process that was started, and to no other."""
    return lambda of: os.kill(of.process.pid, number)


WAYS: dict[str, tuple[Callable[[Run], None], int]] = {
    "Ctrl-C": (ctrl_c, 130),
    "Ctrl-C three times": (ctrl_c_three_times, 130),
    "SIGTERM": (sends(signal.SIGTERM), 143),
    "its terminal closed": (Run.hang_up, 143),
    "SIGKILL": (sends(signal.SIGKILL), -signal.SIGKILL),
}
"""Ways to interrupt, and what a run then ends with."""


@contextlib.contextmanager
def taking_in_orphans() -> Iterator[None]:
    """In the block, a process that loses its parent becomes a child of this one, and so is seen by `below`."""
    library = ctypes.CDLL(None, use_errno=True)
    for value in (1, 0):
        done = library.prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)
        assert done == 0, os.strerror(ctypes.get_errno())
        if value:
            yield


def below(pid: int, *, hosts_of: str = "") -> dict[int, str]:
    """Command line of every process below one, dead ones left out, and with `hosts_of` the hosts of that lab."""
    listed = subprocess.run(["ps", "-e", "-o", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    children: dict[int, list[tuple[int, str]]] = {}
    for line in listed.stdout.splitlines():
        words = line.split(None, 3)
        is_host = bool(hosts_of) and "systemd-nspawn" in line and f"--machine={hosts_of}-" in line
        if not words[2].startswith("Z") and not is_host and "ps -e -o pid=" not in line:
            children.setdefault(int(words[1]), []).append((int(words[0]), words[3] if words[3:] else ""))
    found: dict[int, str] = {}
    waiting = [pid]
    while waiting:
        for child, command in children.get(waiting.pop(), []):
            found[child] = command
            waiting.append(child)
    return found


def kill_all_of(vaern: subprocess.Popen[str]) -> set[int]:
    """Kill -9 `vaern`, its guard and the process that works, so that nobody is left to end the rest; their ids.

    A program that the last of them is just starting still has its command line, and is killed too.
    """
    own = {vaern.pid, *(pid for pid, command in below(vaern.pid).items() if "-m vaern" in command)}
    assert len(own) >= 3, f"not the three processes of a run: {own}"
    # Each gets SIGTERM when the one above it dies: halted first, none can act on it.
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in own:
            with contextlib.suppress(ProcessLookupError):  # a program that was just being started may be over
                os.kill(pid, number)
    return own


def left_of(before: Mapping[int, str], *, hosts_of: str, within: float) -> dict[int, str]:
    """What is below this process and was not before, once that is nothing or the time is up."""
    limit = time.monotonic() + within
    while True:
        left = {pid: command for pid, command in below(os.getpid(), hosts_of=hosts_of).items() if pid not in before}
        if not left or time.monotonic() > limit:
            return left
        time.sleep(0.1)


def _bury(known: Iterable[int]) -> None:
    """Take the exit code of those that have become children of this process and are dead."""
    for pid in known:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def folders_of(pids: set[int]) -> list[Path]:
    """Private folders that processes with those ids have made."""
    return [path for path in MEMORY.glob("vaern-*-*") if int(path.name.split("-")[1]) in pids]


def files_with(secrets: Sequence[bytes], places: Sequence[Path], *, but: Path) -> list[Path]:
    """Files in those places that hold one of the secrets; what is below `but` is not looked at."""
    found = []
    for path in (path for place in places for path in files_below(place, but=but)):
        with contextlib.suppress(OSError):
            if not path.is_symlink() and any(secret in path.read_bytes() for secret in secrets):
                found.append(path)
    return found


def files_below(place: Path, *, but: Path) -> Iterator[Path]:
    """Every file below a place; `but` is not entered, as what runs there makes and removes folders meanwhile."""
    for folder, inside, names in os.walk(place):
        inside[:] = [name for name in inside if Path(folder, name) != but]
        yield from (path for name in names if (path := Path(folder, name)).is_file())
