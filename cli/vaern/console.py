"""How progress and results look: colours and a running clock on a terminal, plain lines without, JSON on request.

And where results go: to standard output, or to a file that an option names.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vaern.errors import UsageError
from vaern.model.progress import Listener, Phase, Progress

if TYPE_CHECKING:
    from rich.console import Console

STANDARD_OUTPUT = Path("-")
"""What an output option is given for standard output, on which nothing else is written then."""
UNLIMITED_COLUMNS = 100_000
"""Wider than any table. Without it, rich takes what is no terminal for one of 80 columns."""


class OutputFile(click.Path):
    """The type of every option that names a file to write; `-` is standard output.

    A folder that is not there or cannot be written to is refused before any work is done.
    """

    def __init__(self) -> None:
        super().__init__(path_type=Path, dir_okay=False, allow_dash=True, writable=True)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path as it was given."""
        path = Path(os.fsdecode(super().convert(value, param, ctx)))
        folder = path.absolute().parent
        if path != STANDARD_OUTPUT and not (folder.is_dir() and os.access(folder, os.W_OK)):
            self.fail(f"'{path}' cannot be written: {folder} is no folder you can write to.", param, ctx)
        return path


def write_output(path: Path, text: str) -> None:
    """Write the whole text, or nothing, to a file or to standard output. Raises UsageError."""
    try:
        with click.open_file(str(path), "w", encoding="utf-8", atomic=path != STANDARD_OUTPUT) as file:
            file.write(text)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", fix="name another file") from error


@contextmanager
def progress_listener(as_json: bool) -> Iterator[Listener]:
    """Yield a listener that prints progress: JSON lines, one live line for each stage on a terminal, or plain lines."""
    if as_json:
        yield lambda event: print_json(asdict(event))
    elif sys.stderr.isatty():
        with _live() as live:
            yield live
    else:
        yield _plain


def print_json(value: Any) -> None:
    """One JSON document on one line of standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def terminal(*, aside: bool = False) -> Console:
    """A rich console on standard output; with `aside` on standard error, because standard output takes a document.

    Without colours in a pipe or a file, or when NO_COLOR is set. What is no terminal has no width, so nothing is cut.
    """
    from rich.console import Console

    seen = (sys.stderr if aside else sys.stdout).isatty()
    return Console(highlight=False, stderr=aside, soft_wrap=not seen, width=None if seen else UNLIMITED_COLUMNS)


def _plain(event: Progress) -> None:
    if event.phase is Phase.STARTED:
        click.echo(f"{event.stage}: {event.text}", err=True)
    elif event.phase is Phase.DETAIL:
        click.echo(f"  {event.stage}: {event.text}", err=True)
    else:
        click.echo(f"{event.stage}: {event.text} ({event.seconds:.1f} s)", err=True)


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

    def handle(event: Progress) -> None:
        if event.stage not in tasks:
            tasks[event.stage] = bar.add_task(event.stage, total=None, text="")
        if event.phase is Phase.FINISHED:
            bar.remove_task(tasks.pop(event.stage))
            write(f"[green]✓[/] [bold]{event.stage:<12}[/] {event.seconds:6.1f} s  {escape(event.text)}")
        else:
            bar.update(tasks[event.stage], text=escape(event.text)[:100])

    return handle
