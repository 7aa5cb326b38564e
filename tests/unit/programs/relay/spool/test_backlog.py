"""What vaern-delivery still has to send: what it says last, and whole."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from vaern_programs.relay.spool import backlog

TIME = "2026-11-24T10:00:00.000+00:00"


@pytest.fixture(scope="module")
def spool() -> ModuleType:
    return backlog


def word(waiting: int, behind: float) -> str:
    """A line of the delivery's statistics."""
    line = {"time": TIME, "started": TIME, "acknowledged": 9, "refused": 0, "waiting_bytes": waiting}
    return json.dumps(line | {"behind_seconds": behind, "errors": {"unreachable": 3}}) + "\n"


@pytest.mark.parametrize(
    ("text", "queued"),
    [
        (word(700, 0.1), 0),
        (word(700, 5.0), 0),
        (word(700, 5.1), 700),
        (word(700, 90) + word(800, 1), 0),
        (word(700, 1) + word(800, 90), 800),
        (word(0, 0.1) * 300 + word(800, 90), 800),
        (word(700, 90) + word(800, 1)[:50], 700),
        (word(700, 90) + word(800, 1)[:-2], 700),
        (word(700, 90) + word(800, 1)[:50] + word(900, 1), 700),
        (word(700, 90) + '{"waiting_bytes": 1}\n[]\n', 700),
        (word(800, 90)[20:], 0),
        ("", 0),
    ],
    ids=[
        *("keeps up", "has just sent", "is behind", "has caught up", "fell behind", "is long", "cut off"),
        *("cut off at its last brace", "cut off and gone on", "no word", "no whole line", "empty"),
    ],
)
def test_what_waits_is_the_newest_whole_word(spool: ModuleType, tmp_path: Path, text: str, queued: int) -> None:
    """A full disk cuts lines off. That ended the round, and nothing was let go of."""
    path = tmp_path / "delivery.json"
    path.write_text(text)
    assert spool.queued(path) == queued


def test_a_delivery_that_never_spoke_has_nothing(spool: ModuleType, tmp_path: Path) -> None:
    assert spool.queued(tmp_path / "delivery.json") == 0
