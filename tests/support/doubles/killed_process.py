"""A process that is killed while it changes files: at its nth change of the disk, in the middle of a write too."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


class KilledError(BaseException):
    """The process is gone: nothing that catches errors sees this."""


class killed_at:  # noqa: N801 - reads as what it does
    """Raises KilledError instead of the nth change of the disk; a write is done by so many of its bytes first."""

    CHANGES = ((os, "write"), (os, "truncate"), (os, "ftruncate"), (Path, "replace"), (Path, "unlink"), (Path, "mkdir"))

    def __init__(self, kill: tuple[int, int] | None) -> None:
        self.left, self.part = kill or (1 << 30, 0)
        self.patch = pytest.MonkeyPatch()

    def __enter__(self) -> None:
        for owner, name in self.CHANGES:
            self.patch.setattr(owner, name, self.counted(name, getattr(owner, name)))

    def __exit__(self, *_: object) -> None:
        self.patch.undo()

    def counted(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def change(*arguments: Any, **named: Any) -> Any:
            if self.left == 0:
                if name == "write":
                    real(arguments[0], bytes(arguments[1])[: self.part])
                raise KilledError
            self.left -= 1
            return real(*arguments, **named)

        return change
