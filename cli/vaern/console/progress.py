"""How progress looks: one live line for each stage on a terminal, plain lines without one, JSON lines on request."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from vaern.console.output import one_line, print_json, say
from vaern.model.progress import Listener, Phase, Progress

LONGEST_DETAIL = 100
"""Characters of a detail beside the running clock."""


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


def _plain(event: Progress) -> None:
    line = one_line(f"{event.stage}: {event.text}")
    if event.phase is Phase.STARTED:
        say(line, aside=True)
    elif event.phase is Phase.DETAIL:
        say(f"  {line}", aside=True)
    else:
        say(f"{line} ({event.seconds:.1f} s)", aside=True)


@contextmanager
def _live() -> Iterator[Listener]:
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    from vaern.console.tables import HarmlessConsole

    console = HarmlessConsole(stderr=True, highlight=False)
    name, detail = TextColumn("[bold]{task.description:<12}"), TextColumn("{task.fields[text]}")
    columns = (SpinnerColumn(), name, TimeElapsedColumn(), detail)
    with Bar(*columns, console=console, transient=True) as bar:
        yield _bar_listener(bar, console.print)


def _bar_listener(bar: Any, write: Callable[[str], None]) -> Listener:
    from rich.markup import escape

    tasks: dict[str, Any] = {}

    def handle(event: Progress) -> None:
        text = one_line(event.text)
        if event.stage not in tasks:
            tasks[event.stage] = bar.add_task(event.stage, total=None, text="")
        if event.phase is Phase.FINISHED:
            bar.remove_task(tasks.pop(event.stage))
            write(f"[green]✓[/] [bold]{event.stage:<12}[/] {event.seconds:6.1f} s  {escape(text)}")
        else:
            bar.update(tasks[event.stage], text=escape(text[:LONGEST_DETAIL]))

    return handle
