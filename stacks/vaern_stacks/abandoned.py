"""Silences what a failed Pulumi program leaves behind: coroutines that wait for resources which were never made.

When they are garbage collected, Python prints an error for each in the middle of the operator's output. None is a
fault.
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
    """Stop printing these errors from now on, since they may be collected at any time. All others are still printed.

    Also silences the gRPC server that ran the program: it fails to reach the engine, which has reported the fault
    itself.
    """
    logging.getLogger("grpc._server").setLevel(logging.CRITICAL)
    if getattr(sys.unraisablehook, "__module__", "") != __name__:
        sys.unraisablehook = _unless_abandoned(sys.unraisablehook)


def _unless_abandoned(original: Hook) -> Hook:
    def handle(found: UnraisableHookArgs) -> None:
        if "Event loop is closed" not in str(found.exc_value):
            original(found)

    return handle
