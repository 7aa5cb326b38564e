"""The page of operations names every command."""

from __future__ import annotations

from pathlib import Path

from vaern.console.command_line import COMMANDS

PAGE = Path(__file__).resolve().parents[3] / "docs" / "operations.md"


def test_the_table_lists_every_command() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## Commands")[2].partition("\n## ")[0]
    assert {name for name in COMMANDS if f"`vaern {name}" not in table} == set()
