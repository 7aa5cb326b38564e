"""How progress and results look: colours and a running clock on a terminal, plain lines without, JSON on request."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from vaern.model.progress import Listener, Phase, Progress

if TYPE_CHECKING:
    from rich.console import Console


@contextmanager
def listener(as_json: bool) -> Iterator[Listener]:
    """Give the listener that fits: JSON lines, a live line per stage on a terminal, or plain lines."""
    if as_json:
        yield lambda told: print_json(asdict(told))
    elif sys.stderr.isatty():
        with _live() as live:
            yield live
    else:
        yield _plain


def print_json(value: Any) -> None:
    """One JSON document on one line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def terminal() -> Console:
    """A rich console on standard output; it honours NO_COLOR and leaves colours out in a pipe."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def _plain(told: Progress) -> None:
    if told.phase is Phase.STARTED:
        click.echo(f"{told.stage}: {told.text}", err=True)
    elif told.phase is Phase.DETAIL:
        click.echo(f"  {told.stage}: {told.text}", err=True)
    else:
        click.echo(f"{told.stage}: {told.text} ({told.seconds:.1f} s)", err=True)


@contextmanager
def _live() -> Iterator[Listener]:
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    console = Console(stderr=True, highlight=False)
    name, detail = TextColumn("[bold]{task.description:<12}"), TextColumn("{task.fields[text]}")
    columns = (SpinnerColumn(), name, TimeElapsedColumn(), detail)
    with Bar(*columns, console=console, transient=True) as bar:
        yield _bar_listener(bar, console.print)


def _bar_listener(bar: Any, write: Callable[[str], None]) -> Listener:
    from rich.markup import escape

    tasks: dict[str, Any] = {}

    def hear(told: Progress) -> None:
        if told.stage not in tasks:
            tasks[told.stage] = bar.add_task(told.stage, total=None, text="")
        if told.phase is Phase.FINISHED:
            bar.remove_task(tasks.pop(told.stage))
            write(f"[green]✓[/] [bold]{told.stage:<12}[/] {told.seconds:6.1f} s  {escape(told.text)}")
        else:
            bar.update(tasks[told.stage], text=escape(told.text)[:100])

    return hear
