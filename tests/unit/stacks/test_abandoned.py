"""What a failed program leaves behind is not told of; everything else is."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from vaern_stacks import abandoned


class Left:
    """Holds itself, so that only the garbage collector ends it, and then fails."""

    def __init__(self, words: str) -> None:
        self.words, self.itself = words, self

    def __del__(self) -> None:
        raise RuntimeError(self.words)


@pytest.mark.parametrize(("words", "told"), [("Event loop is closed", 0), ("the disk is full", 1)])
def test_only_what_was_abandoned_is_quiet(words: str, told: int, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[Any] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: heard.append(str(found.exc_value)))

    def fails() -> None:
        Left(words)
        raise ValueError("the program's own")

    with pytest.raises(ValueError, match="own"), abandoned.ignored():
        fails()
    assert len(heard) == told
    assert sys.unraisablehook.__name__ == "<lambda>", "the hook is put back"
