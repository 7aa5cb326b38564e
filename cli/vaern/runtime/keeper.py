"""A process that waits for its child, and ends whatever the child has started when it is interrupted or dies.

Its child's orphans are its own (see `supervision`), so what is left of a run is what descends from it.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from dataclasses import dataclass, field
from typing import NoReturn

from vaern.runtime import interruption, private_folder, process_tree

POLL_SECONDS = 0.05
MESSAGE = "interrupted: ending what runs, which takes up to {:.0f} s; interrupt again not to wait\n"


@dataclass(frozen=True, slots=True)
class Patience:
    """Seconds that are waited. The sum is the longest that an interrupted run can take to end."""

    work: float = 20.0
    """For the process that works to clean up, and for what it started to end when asked."""
    hurried: float = 3.0
    """The same after a second signal; after a third nothing is waited for."""
    rest: float = 10.0
    """For what is left below the process that works, once that has ended, to end when asked."""
    killed: float = 5.0
    """For the kernel to end what was killed."""


@dataclass
class Keeper:
    """What such a process knows and does.

    Signals that end a run are blocked, and taken one by one: nothing here is ever interrupted in the middle.
    """

    child: int
    patience: Patience
    asks: bool
    """Whether what the child has started is asked to end with it. The outermost leaves that to the guard."""
    signals: list[int] = field(default_factory=list)
    """Those taken so far."""
    status: int | None = None
    """How the child ended, once it has."""

    def stay(self) -> NoReturn:
        """Until the child has ended and nothing of it is left; then leave with its exit code."""
        while self.status is None:
            self._wait(None)
            if self.signals and self.status is None:
                self._end_child()
        code = os.waitstatus_to_exitcode(self.status)
        if self.signals or code < 0:
            self._end_rest()
        private_folder.remove_abandoned()
        if self.signals:
            os._exit(interruption.exit_code(self.signals[0]))
        os._exit(code if code >= 0 else 128 - code)

    def _end_child(self) -> None:
        """Hand the signal on, and see the child ended within bounds."""
        if not self.asks:
            self._hand_on()
            return
        _tell(MESSAGE.format(self.patience.work))
        started = self._below(self.child, direct=True)
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.child, self.signals[0])
        # What the child starts from here on is its own cleaning up.
        _send(started, signal.SIGTERM)
        limit, taken = time.monotonic() + self.patience.work, 1
        while self.status is None and time.monotonic() < limit and len(self.signals) < 3:
            self._wait(POLL_SECONDS)
            if len(self.signals) > taken:
                taken = len(self.signals)
                _send(self._below(self.child, direct=True), signal.SIGTERM)
                limit = min(limit, time.monotonic() + self.patience.hurried)
        self._kill_child()

    def _hand_on(self) -> None:
        """To the guard, which knows what to do; also every further signal."""
        handed = 0
        while self.status is None:
            for number in self.signals[handed:]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(self.child, number)
            handed = len(self.signals)
            self._wait(None)

    def _kill_child(self) -> None:
        """First what it waits for, which lets it clean up; then the child itself."""
        limit = time.monotonic() + (self.patience.hurried if len(self.signals) < 3 else 0.5)
        while self.status is None:
            _send(self._below(self.child), signal.SIGKILL)
            if time.monotonic() > limit:
                _send([self.child], signal.SIGKILL)
            self._wait(POLL_SECONDS)

    def _end_rest(self) -> None:
        """End what has lost its parent: asked first, from the top, so that an engine ends its providers itself."""
        asked: set[int] = set()
        limit = time.monotonic() + (self.patience.rest if len(self.signals) < 3 else 0)
        while self._below(os.getpid()) and time.monotonic() < limit + self.patience.killed:
            if time.monotonic() > limit:
                _send(self._below(os.getpid()), signal.SIGKILL)
            else:
                fresh = set(self._below(os.getpid(), direct=True)) - asked
                _send(fresh, signal.SIGTERM)
                asked |= fresh
            taken = len(self.signals)
            self._wait(POLL_SECONDS)
            if len(self.signals) > taken:
                limit = min(limit, time.monotonic() + (self.patience.hurried if len(self.signals) < 3 else 0))
        if left := self._below(os.getpid()):
            _tell(f"these processes do not end: {', '.join(map(str, left))}\n")

    def _below(self, pid: int, *, direct: bool = False) -> list[int]:
        """What runs below a process and is not to stay."""
        tree = process_tree.parents()
        spared = process_tree.to_stay(process_tree.descendants(pid, tree), connections=self.status is None)
        find = process_tree.children if direct else process_tree.descendants
        return find(pid, tree, spared)

    def _wait(self, seconds: float | None) -> None:
        """Until a signal comes or a child ends, at most so long; notes signals, and how the child ended."""
        watched = {signal.SIGCHLD, *interruption.handled_signals()}
        received = signal.sigwaitinfo(watched) if seconds is None else signal.sigtimedwait(watched, seconds)
        if received is not None and received.si_signo != signal.SIGCHLD:
            self.signals.append(received.si_signo)
        with contextlib.suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG)) != (0, 0):
                if ended[0] == self.child:
                    self.status = ended[1]


def _send(pids: list[int] | set[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _tell(text: str) -> None:
    with contextlib.suppress(OSError):  # the terminal may be what has ended
        os.write(2, text.encode())
