"""Does a piece of work in a process of its own, with a limit to its memory and its time.

What one municipality has sent is read there: if that takes too much, or brings the process down, the others are not
concerned.
"""

from __future__ import annotations

import math
import multiprocessing
import resource
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

WAIT_SECONDS = 1.0
NOT_IN_TIME = "not done in time"


class WorkError(Exception):
    """The work was not done; says why."""


def apart(work: Callable[[], Any], *, seconds: float, memory_bytes: int, wall_seconds: float | None = None) -> Any:
    """What `work` returns, which must be values of JSON. Raises WorkError when it fails or takes more than it may.

    `seconds` are of processor time, so that a busy machine fails nobody; it may wait ten times as long, or for
    `wall_seconds`.
    """
    context = multiprocessing.get_context("fork")
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(writer, work, seconds, memory_bytes))
    process.start()
    writer.close()
    try:
        if not reader.poll(10 * seconds if wall_seconds is None else wall_seconds):
            raise WorkError(NOT_IN_TIME)
        fault, result = reader.recv()
    except (EOFError, OSError):  # It is the latter where it was ended in the middle of its answer.
        process.join(WAIT_SECONDS)
        raise WorkError(f"took more memory or time than it may (process ended with {process.exitcode})") from None
    finally:
        process.kill()
        process.join()
        reader.close()
    if fault:
        raise WorkError(fault)
    return result


def _work(writer: Connection, work: Callable[[], Any], seconds: float, memory_bytes: int) -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds), math.ceil(seconds)))
    resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        answer = ("", work())
    except Exception as error:  # noqa: BLE001 whatever it is, it is of this work only, and the caller gets it
        answer = (f"{type(error).__name__}: {error}"[:500], None)
    writer.send(answer)
