"""What a failed program leaves behind is not told of; everything else is."""

from __future__ import annotations

import sys

import pytest

from vaern_stacks import abandoned


class Left:
    """Fails when it is collected."""

    def __init__(self, words: str) -> None:
        self.words = words

    def __del__(self) -> None:
        raise RuntimeError(self.words)


@pytest.mark.parametrize(("words", "told"), [("Event loop is closed", []), ("the disk is full", ["the disk is full"])])
def test_only_what_was_abandoned_is_quiet(words: str, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda found: heard.append(str(found.exc_value)))
    abandoned.ignore_abandoned()
    abandoned.ignore_abandoned()
    Left(words)
    assert heard == told
