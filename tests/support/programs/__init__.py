"""Programs that tests copy to hosts of the lab and run there. They import nothing of the tests."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).parent


def source_of(name: str) -> str:
    """The text of one program, by its file name."""
    return (FOLDER / name).read_text(encoding="utf-8")
