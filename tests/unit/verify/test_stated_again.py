"""Where verification states a path, port or unit again, it says that this is on purpose."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
FILES = sorted([*ROOT.glob("cli/vaern/verify/*.py"), *ROOT.glob("tests/compliance/*.py")])
FACT = re.compile(
    r"/(etc|var|usr|run|opt)/|\.(service|socket|timer|path)$|^(local|vaern)[.-]|^[0-9.]+/[0-9]+$|^vaern0$"
)
OTHERS = {"AUDIT_UNITS": "units of Debian, not of vaern"}
"""Constants that look like such a fact and are none, with the reason."""


def constants(body: list[ast.stmt]) -> Iterator[tuple[str, ast.expr, str]]:
    """Name, value and docstring of each constant of a module; of several with one docstring below, that docstring."""
    waiting: list[tuple[str, ast.expr]] = []
    for statement in [*body, ast.Pass()]:
        if isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            waiting.append((statement.targets[0].id, statement.value))
            continue
        text = isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) and statement.value.value
        together = isinstance(text, str) and ", both:" in text
        for number, (name, value) in enumerate(reversed(waiting)):
            covered = isinstance(text, str) and (number == 0 or (together and number == 1))
            yield name, value, str(text) if covered else ""
        waiting = []


def states_a_fact(name: str, value: ast.expr) -> bool:
    """Whether it is a port, or holds a path, unit, network or name of vaern's."""
    literals = [one.value for one in ast.walk(value) if isinstance(one, ast.Constant)]
    return "PORT" in name or any(isinstance(one, str) and FACT.search(one) for one in literals)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_fact_that_is_stated_again_says_so(path: Path) -> None:
    found = list(constants(ast.parse(path.read_text(encoding="utf-8")).body))
    silent = {
        name for name, value, text in found
        if name not in OTHERS and states_a_fact(name, value) and "again on purpose" not in text
    }  # fmt: skip
    assert silent == set()


def test_a_fact_without_that_line_is_found() -> None:
    body = ast.parse('SPOOL = "/var/spool/x"\nKEY = "/etc/key"\n"""Stated again on purpose."""\nLIMIT = 3\n').body
    assert {name for name, value, text in constants(body) if states_a_fact(name, value) and not text} == {"SPOOL"}
