"""Every line, document and table that is printed; nothing in it can command the terminal or hide from the reader."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import click

from vaern.runtime.visible_text import visible, visible_json, visible_line

if TYPE_CHECKING:
    from rich.console import Console

UNLIMITED_COLUMNS = 100_000
"""Wider than any table. Without it, rich takes what is no terminal for one of 80 columns."""


def say(text: str = "", *, aside: bool = False, colour: str | None = None, end: str = "\n") -> None:
    """Print text on standard output; with `aside` on standard error."""
    click.secho(visible(text) + end, fg=colour, nl=False, err=aside)


def say_aside(line: str) -> None:
    """Print one line beside the result, on standard error."""
    say(one_line(line), aside=True)


def say_error(what: str, fix: str = "") -> None:
    """Print on standard error what is wrong, and the command or edit that repairs it.

    Further lines are indented, so that none that a host has written passes for the one with the repair.
    """
    click.secho("error: ", fg="red", bold=True, nl=False, err=True)
    say(what.rstrip("\n").replace("\n", "\n    "), aside=True)
    if fix:
        say(f"  fix: {fix}", aside=True)


def print_json(value: Any, *, aside: bool = False) -> None:
    """One JSON document on one line."""
    print_document(json.dumps(value, ensure_ascii=False, default=str) + "\n", aside=aside)


def print_document(document: str, *, aside: bool = False) -> None:
    """A JSON document as it is, on standard output or, with `aside`, on standard error."""
    click.echo(visible_json(document), nl=False, err=aside)


def one_line(*parts: object) -> str:
    """Parts with spaces between them, which stay on one line whatever a host put into them."""
    return visible_line(" ".join(map(str, parts)))


def terminal(*, aside: bool = False) -> Console:
    """A rich console on standard output; with `aside` on standard error, because standard output takes a document.

    Without colours in a pipe or a file, or when NO_COLOR is set. What is no terminal has no width, so nothing is cut.
    """
    from vaern.console.tables import HarmlessConsole

    seen = (sys.stderr if aside else sys.stdout).isatty()
    return HarmlessConsole(highlight=False, stderr=aside, soft_wrap=not seen, width=None if seen else UNLIMITED_COLUMNS)
