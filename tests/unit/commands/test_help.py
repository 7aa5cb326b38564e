"""The help of every command as it stands on a terminal: examples keep their lines, and nothing is wider than it."""

from __future__ import annotations

import contextlib
import inspect
import io
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from vaern.console.command_line import cli
from vaern.errors import UsageError

WIDTHS = (60, 100)
REMARK = re.compile(r"(?<=\S)\s{2,}\S.*")
"""What stands behind an example, two spaces or more from it."""


def every_command(
    group: click.Group = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """The path of words and the command, for all of them, groups and the root too."""
    yield path, group
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from every_command(command, (*path, name))
        else:
            yield (*path, name), command


EVERY = dict(every_command())


def rendered(path: tuple[str, ...], width: int) -> list[str]:
    """The lines of `vaern PATH --help` on a terminal of that width; click's own runner knows 80 columns only."""
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out):
        patch.setenv("COLUMNS", str(width))
        cli.main([*path, "--help"], prog_name="vaern", standalone_mode=False)
    return out.getvalue().splitlines()


def examples(lines: list[str]) -> list[str]:
    """The lines under `Example:` or `Examples:`, to the next empty one."""
    begin = next(number for number, line in enumerate(lines) if line in {"  Example:", "  Examples:"}) + 1
    return lines[begin : lines.index("", begin)]


def written(command: click.Command) -> list[str]:
    """The examples as they stand in the docstring."""
    assert command.help is not None
    text = re.search(r"\x08\nExamples?:\n((?: +\S.*\n?)+)", inspect.cleandoc(command.help))
    assert text, "no paragraph `Example:` that keeps its lines: `\\b` on a line of its own before it"
    return [line.strip() for line in text[1].splitlines()]


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_help_as_it_stands_on_a_terminal(path: tuple[str, ...], width: int) -> None:
    lines = rendered(path, width)
    assert not [line for line in lines if "\\b" in line or "\x08" in line]
    shown = examples(lines)
    assert [line.strip() for line in shown] == written(EVERY[path])
    assert (f"  Example{'s' if len(shown) > 1 else ''}:") in lines
    assert not [line for line in lines if line.endswith("-")], "a name is broken at its hyphen"
    for line in lines:
        one_command = line in shown and not REMARK.search(line.strip())
        assert len(line) <= width or one_command, f"{len(line)} columns: {line}"


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_example_is_a_command_of_its_own(path: tuple[str, ...]) -> None:
    called = [shlex.split(REMARK.sub("", line)) for line in written(EVERY[path])]
    assert all(words[0] in {"vaern", "git"} for words in called), called
    assert any(tuple(words[1 : len(path) + 1]) == path for words in called), "none is of this command"


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_option_is_described(path: tuple[str, ...]) -> None:
    options = [one for one in EVERY[path].params if isinstance(one, click.Option) and not one.hidden]
    assert [one.name for one in options if not one.help] == []


def test_help_is_there_without_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("VAERN_PROJECT", raising=False)
    assert rendered(("check",), 100)[0] == "Usage: vaern check [OPTIONS] [MUNICIPALITY]..."
    with pytest.raises(UsageError, match="is not a vaern project"):
        cli.main(["check"], prog_name="vaern", standalone_mode=False)
