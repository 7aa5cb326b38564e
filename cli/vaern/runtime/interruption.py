"""What a signal does in the process that works: an exception in the main thread, so that every `finally` is run.

Ctrl-C, an ended terminal and `kill` are the same here. A run that was ended by any of them is finished by running the
same command again.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TYPE_CHECKING, Any

from vaern.errors import ExitCode

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Hook = Callable[["UnraisableHookArgs"], Any]
AGAIN_SECONDS = 0.01
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """The run is to end.

    A KeyboardInterrupt to every library, except that none takes it for granted that its own children have got the
    signal too: they have not, and are ended by `supervision`.
    """


class _State:
    """The signals the main thread has received. Only the handler and the main thread touch it, which are one thread."""

    first: int = 0
    deferring: bool = False
    once: bool = False


_state = _State()


def install_handlers(*, once: bool = False) -> None:
    """Make signals raise Interrupted in the main thread. A signal the caller ignores, as nohup does, stays ignored.

    With `once` only the first signal does so: another process decides how long cleaning up may take.
    """
    _state.once = once
    for number in handled_signals():
        signal.signal(number, _handle_signal)
    signal.signal(signal.SIGALRM, _raise_again)
    sys.unraisablehook = _unless_swallowed(sys.unraisablehook)


def handled_signals() -> list[signal.Signals]:
    """The signals that end a run: all of SIGNALS except those the caller ignores."""
    return [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]


def block_signals() -> None:
    """Block all signals at the end of a run, so that a late one no longer changes its result."""
    signal.pthread_sigmask(signal.SIG_BLOCK, (*SIGNALS, signal.SIGALRM))


def exit_code(number: int = 0) -> ExitCode:
    """Exit code of a run that this signal ended; by default of the first signal received."""
    return ExitCode.INTERRUPTED if (number or _state.first) in {0, signal.SIGINT} else ExitCode.TERMINATED


def is_interrupted() -> bool:
    """Whether a signal that ends the run has been received."""
    return _state.first != 0


@contextmanager
def deferred() -> Iterator[None]:
    """For work that is asked to end by itself and must be heard to its end, such as a write of the engine's state.

    A signal raises Interrupted when the block ends; a second one, unless that is left to somebody else, at once.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # a signal is never raised here
        return
    outer, _state.deferring = _state.deferring, True
    before = _state.first
    try:
        yield
    finally:
        _state.deferring = outer
        if _state.first != before and not outer:
            raise Interrupted


def _handle_signal(number: int, _frame: FrameType | None) -> None:
    again, _state.first = _state.first != 0, _state.first or number
    if not (_state.once if again else _state.deferring):
        raise Interrupted


def _unless_swallowed(shown: Hook) -> Hook:
    """Where an exception cannot be raised, as in `__del__` or a call from C, it is raised again right after."""

    def handle(found: UnraisableHookArgs) -> None:
        if isinstance(found.exc_value, Interrupted):
            signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            shown(found)

    return handle


def _raise_again(_number: int, _frame: FrameType | None) -> None:
    raise Interrupted
