"""Every line of the threat model names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/threat-model.md").read_text(encoding="utf-8")
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def defences() -> list[str]:
    """Rows of the tables that say what stops an attempt."""
    rows, table = [], ""
    for line in PAGE.splitlines():
        if line.startswith("| it tries"):
            table = line
        elif not line.startswith("|"):
            table = ""
        elif table and not line.startswith("|---"):
            rows.append(line)
    return rows


def test_every_defence_has_a_test() -> None:
    assert len(defences()) > 10
    assert [row for row in defences() if not TEST.search(row)] == []


def test_every_test_that_is_named_exists() -> None:
    missing = [
        f"{path}::{name}"
        for path, name in TEST.findall(PAGE)
        if not (ROOT / path).exists() or f"def {name}(" not in (ROOT / path).read_text(encoding="utf-8")
    ]
    assert missing == []
