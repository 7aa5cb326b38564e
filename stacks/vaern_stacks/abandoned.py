"""What a failed program leaves to the garbage collector: coroutines that waited for resources which never came.

Python tells of each on standard error, in the middle of what the operator has to read, and none of it is a fault.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Hook = Callable[["UnraisableHookArgs"], Any]


def ignore_abandoned() -> None:
    """Say nothing of them from now on: when they are collected, nobody knows. Everything else is told as before.

    Nor of the server that ran the program, whose last word finds the engine gone: the engine has told the fault.
    """
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    if getattr(sys.unraisablehook, "__module__", "") != __name__:
        sys.unraisablehook = _unless_abandoned(sys.unraisablehook)


def _unless_abandoned(original: Hook) -> Hook:
    def handle(found: UnraisableHookArgs) -> None:
        if "Event loop is closed" not in str(found.exc_value):
            original(found)

    return handle
