"""The example municipality with some of its text changed, and what is wrong with it then."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern.declaration import load_municipality
from vaern.errors import DeclarationError, Problem
from vaern.runtime.paths import Project


def changed(project: Project, *changes: tuple[str, str]) -> Path:
    """The file of its declaration, each first text of a pair replaced once by the second."""
    path = project.municipality("favrskov") / "municipality.yml"
    text = path.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after, 1)
    path.write_text(text, encoding="utf-8")
    return path


def problems(path: Path) -> list[Problem]:
    """Why it is refused."""
    with pytest.raises(DeclarationError) as caught:
        load_municipality(path)
    return caught.value.problems
