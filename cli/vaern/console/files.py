"""Where a result goes: to standard output, or to a file that an option names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from vaern.errors import UsageError

STANDARD_OUTPUT = Path("-")
"""What an output option is given for standard output, on which nothing else is written then."""


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
