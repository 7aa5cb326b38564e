"""Two processes above the one that works, so that nothing of a run outlives it, however it is ended.

    vaern (what the user started) ── guard ── the process that works ── engine, Ansible, ssh, pytest, ...

The upper two do nothing but wait. Each takes in whatever below it loses its parent (prctl(2),
PR_SET_CHILD_SUBREAPER), so that no program leaves by starting a session of its own; each is told when the one above
it dies. The guard and everything below are a session of their own: Ctrl-C comes to `vaern` alone, and ends the rest in
an order that lets the engine write its state. See docs/decisions/0035-interruptions.md.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import NoReturn

from vaern.runtime import interruption
from vaern.runtime.keeper import Keeper, Patience

PR_SET_PDEATHSIG, PR_SET_NAME, PR_SET_CHILD_SUBREAPER = 1, 15, 36
NAME = b"vaern-guard"
"""Not the name of the others, so that `killall -9 vaern` leaves somebody who ends the rest."""


_outermost = os.getpid()
"""Where nothing is supervised, the process that works is also the one that was started."""


def outermost() -> int:
    """The process that the user started, by whose number a run is found and ended."""
    return _outermost


def supervise(patience: Patience | None = None) -> None:
    """Go on in a new process, which this one and a guard between them look after. Returns in the new one only.

    Here it ends with the exit code of the new process, 130 or 143 when it was interrupted.
    """
    global _outermost  # noqa: PLW0603 - what is forked below is to know it
    _outermost = os.getpid()
    patience = patience or Patience()
    guard = _fork()
    if guard:
        Keeper(guard, patience, asks=False).stay()
    os.setsid()
    _prctl(PR_SET_NAME, ctypes.c_char_p(NAME))
    worker = _fork()
    if worker:
        Keeper(worker, patience, asks=True).stay()


def leave(code: int) -> NoReturn:
    """End the process that works at once: its threads may wait for something, and what they started is ended."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _fork() -> int:
    """Fork; the child gets SIGTERM when its parent dies, and handles signals as this process did before."""
    watched = {signal.SIGCHLD, *interruption.handled_signals()}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, watched)
    parent = os.getpid()
    child = os.fork()
    if child:
        _prctl(PR_SET_CHILD_SUBREAPER, ctypes.c_ulong(1))
        return child
    _prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(signal.SIGTERM))
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    if os.getppid() != parent:
        os.kill(os.getpid(), signal.SIGTERM)  # it died before the kernel could signal it
    return 0


def _prctl(option: int, value: ctypes.c_ulong | ctypes.c_char_p) -> None:
    """Set one property of this process. Raises OSError."""
    library, none = ctypes.CDLL(None, use_errno=True), ctypes.c_ulong(0)
    if library.prctl(option, value, none, none, none) != 0:
        raise OSError(ctypes.get_errno(), "prctl")
