"""What a failed program leaves to the garbage collector: coroutines that waited for resources which never came.

Python tells of each on standard error, in the middle of what the operator has to read, and none of it is a fault.
"""

from __future__ import annotations

import contextlib
import gc
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

Hook = Callable[["UnraisableHookArgs"], Any]


@contextlib.contextmanager
def ignored() -> Iterator[None]:
    """When what is inside fails, collect what it left behind at once and say nothing of it. The error passes."""
    try:
        yield
    except BaseException:
        told = sys.unraisablehook
        sys.unraisablehook = _unless_abandoned(told)
        try:
            gc.collect()
        finally:
            sys.unraisablehook = told
        raise


def _unless_abandoned(told: Hook) -> Hook:
    def hear(found: UnraisableHookArgs) -> None:
        if "Event loop is closed" not in str(found.exc_value):
            told(found)

    return hear
