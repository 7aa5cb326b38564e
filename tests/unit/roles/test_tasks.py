"""Task files are short, and every play, task and handler says in the imperative what it does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.yaml_text import read_yaml

ROLES = Path(__file__).resolve().parents[3] / "roles"
FILES = sorted([*ROLES.glob("*.yml"), *ROLES.glob("*/tasks/*.yml"), *ROLES.glob("*/handlers/*.yml")])
MOST_LINES = 120
VERBS = frozenset(
    {
        *("Apply", "Bring", "Check", "Configure", "Copy", "Declare", "Deliver", "Find", "Follow", "Forget", "Install"),
        *("Keep", "Leave", "Load", "Look", "Make", "Put", "Refuse", "Reload", "Remove", "Restart", "Run", "Set"),
        *("Stop", "Watch", "Write"),
    }
)
"""What a name may begin with. One more is added when no task can be called by these."""
PARTS = ("block", "rescue", "always", "pre_tasks", "tasks", "post_tasks", "handlers")


def named(entries: list[dict[str, Any]] | None) -> Iterator[str]:
    """Names of plays, tasks and handlers, also of those in blocks; empty for one without."""
    for entry in entries or []:
        yield entry.get("name", "")
        for part in PARTS:
            yield from named(entry.get(part))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROLES)))
def test_a_name_says_what_is_done(path: Path) -> None:
    found = list(named(read_yaml(path.read_text(encoding="utf-8"))))
    assert found
    assert [name for name in found if name.partition(" ")[0] not in VERBS] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROLES)))
def test_a_task_file_is_read_at_once(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


def test_names_in_blocks_are_found_too() -> None:
    play = {"name": "Run", "tasks": [{"block": [{"name": "Services run"}], "rescue": [{"fail": {}}]}]}
    assert list(named([play])) == ["Run", "", "Services run", ""]
