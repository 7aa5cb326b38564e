"""Every `vaern ...` that an error, a help text or a document names is one that the command line takes."""

from __future__ import annotations

import ast
import itertools
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from vaern.console.command_line import cli

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("cli", "stacks", "roles", "docs", "inventories", "tests/compliance")
TEXTS = {".md", ".yml", ".yaml", ".j2", ".html", ".sh", ".toml", ".cfg", ".json", ""}
FILLED = "SOMETHING"
"""Stands for what is known only when the text is made."""
PLACEHOLDER = re.compile(r"[A-Z_]+|<.*>|.*\.\.\.")
QUOTED = re.compile(r"`(vaern\s[^`]+)`|<code>(vaern\s[^<]+)</code>")
TYPED = re.compile(r"^ *(?:\$ )?(vaern [a-z-].*)$", re.MULTILINE)
"""A line to be typed, in a block of commands."""
TO_BE_RUN = re.compile(r"\b[Rr]un$")


class NotACommandError(Exception):
    """What is wrong with a command that is named."""


def texts_of(node: ast.expr) -> list[str]:
    """Every text an expression can be: one a way through its conditions."""
    match node:
        case ast.Constant(value=str() as text):
            return [text]
        case ast.JoinedStr(values=parts):
            return ["".join(chosen) for chosen in itertools.product(*(texts_of(part) for part in parts))]
        case ast.FormattedValue(value=value):
            return texts_of(value)
        case ast.IfExp(body=body, orelse=other):
            return texts_of(body) + texts_of(other)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in texts_of(left) for b in texts_of(right)]
        case _:
            return [FILLED]


def texts_in(program: str) -> Iterator[tuple[int, str, bool]]:
    """Line and text of every string of a Python file, docstrings too, and whether it is the fix of an error.

    A text inside another one is given with it only.
    """
    inner: set[ast.AST] = set()
    fixes: set[ast.AST] = set()
    for node in ast.walk(ast.parse(program)):
        if isinstance(node, ast.keyword) and node.arg == "fix":
            fixes.update(ast.walk(node.value))
        text_itself = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if (text_itself or isinstance(node, ast.JoinedStr | ast.BinOp)) and node not in inner:
            inner.update(ast.walk(node))
            for text in texts_of(node):
                yield node.lineno, text, node in fixes


def named_in(text: str) -> Iterator[tuple[str, bool]]:
    """Each command a text names, and whether it is to be run as it stands."""
    for found in QUOTED.finditer(text):
        before = text[: found.start()].rstrip()
        yield " ".join((found[1] or found[2]).split()), bool(TO_BE_RUN.search(before))
    for found in TYPED.finditer(text) if "\n" in text else ():
        yield re.split(r"\s{2,}|\s#", found[1])[0], True


def files() -> Iterator[Path]:
    """Everything that a user or a municipality reads."""
    yield from (ROOT / "README.md", ROOT / "Makefile")
    for folder in FOLDERS:
        yield from (
            path
            for path in sorted((ROOT / folder).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and path.suffix in TEXTS | {".py"}
        )


def sources() -> Iterator[tuple[str, str, bool]]:
    """Where a text stands, the text, and whether it is the fix of an error."""
    for path in files():
        name = str(path.relative_to(ROOT))
        try:
            content = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a program or an archive
        if "vaern " not in content:
            continue
        if path.suffix == ".py":
            for line, text, is_fix in texts_in(content):
                yield f"{name}:{line}", text, is_fix
        else:
            yield name, content, False


def alternatives(command: str) -> Iterator[list[str]]:
    """The words of a command, once for each choice it writes as `a|b`; `[optional]` parts are taken as given."""
    plain = re.sub(r"[\[\]]|\{\{.*?\}\}", lambda found: FILLED if found[0].startswith("{{") else "", command)
    words = [word.split("|") for word in shlex.split(plain.replace("\\|", "|"))]
    for chosen in itertools.product(*words):
        yield list(itertools.takewhile(lambda word: word not in {">", "2>", "&&"}, chosen))


@cache
def command_of(words: tuple[str, ...]) -> tuple[click.Command, tuple[str, ...]]:
    """The command that is called, and the words after it. Raises NotACommandError."""
    command: click.Command = cli
    while isinstance(command, click.Group):
        context = click.Context(command)
        _, rest = parsed(command, list(words), context)
        if not rest:
            return command, ()
        found = command.get_command(context, rest[0])
        if found is None:
            if PLACEHOLDER.fullmatch(rest[0]):
                return command, ()
            raise NotACommandError(f"there is no command {rest[0]}")
        command, words = found, tuple(rest[1:])
    return command, words


def parsed(command: click.Command, words: list[str], context: click.Context) -> tuple[dict[str, object], list[str]]:
    """What click makes of the words: options and arguments, and what is left. Raises NotACommandError."""
    try:
        taken, rest, _ = command.make_parser(context).parse_args(args=words)
    except click.UsageError as error:
        raise NotACommandError(error.format_message()) from error
    return taken, rest


def judge(words: list[str], *, to_be_run: bool) -> None:
    """Raise NotACommandError for a command that the command line does not take.

    What is only spoken of (`vaern ledger --now`) may leave out what it is about, and the value of its last option.
    """
    command, rest = command_of(tuple(words))
    if isinstance(command, click.Group):
        return
    context = click.Context(command, help_option_names=["-h", "--help"])
    typed = [word for word in rest if word != "..."]
    if not to_be_run and typed and takes_a_value(command, typed[-1]):
        typed.append(FILLED)
    taken, left = parsed(command, typed, context)
    if left:
        raise NotACommandError(f"takes no {left[0]}")
    given = {name for name, value in taken.items() if isinstance(value, str | bool | list | tuple) and value}
    arguments = {one.name for one in command.params if isinstance(one, click.Argument)}
    whole = (to_be_run or given & arguments) and not {"--help", "-h", "..."} & {*rest}
    for parameter in command.params:
        if whole and parameter.required and parameter.name not in given:
            raise NotACommandError(f"leaves out {parameter.human_readable_name}")
        value = taken.get(parameter.name or "")
        for one in value if isinstance(value, list | tuple) else (value,):
            if isinstance(one, str) and not PLACEHOLDER.fullmatch(one):
                of_its_kind(parameter, one, context)


def takes_a_value(command: click.Command, word: str) -> bool:
    """Whether the word is an option that is followed by its value."""
    return any(word in one.opts and not one.is_flag for one in command.params if isinstance(one, click.Option))


def of_its_kind(parameter: click.Parameter, value: str, context: click.Context) -> None:
    """Raise NotACommandError for a value that the parameter does not take; whether a file is there is not asked."""
    if isinstance(parameter.type, click.Path | click.File):
        return
    try:
        parameter.type.convert(value, parameter, context)
    except click.BadParameter as error:
        raise NotACommandError(error.format_message()) from error


def wrongs(where: str, text: str, is_fix: bool = False) -> Iterator[str]:
    """What is wrong with the commands of one text."""
    for command, to_be_run in named_in(text):
        for words in alternatives(command):
            try:
                judge(words[1:], to_be_run=to_be_run or is_fix)
            except NotACommandError as error:
                yield f"{where}: `{command}`: {error}"


def test_every_command_that_is_named_can_be_called() -> None:
    assert sorted({wrong for one in sources() for wrong in wrongs(*one)}) == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("`vaern verify --controls` lists them", "No such option '--controls'"),
        ("run `vaern onbaord favrskov`", "there is no command onbaord"),
        ("then run `vaern onboard`, and again", "leaves out MUNICIPALITY"),
        ("`vaern status a b --json c` and `vaern ledger a b`", "takes no b"),
        ("`vaern report SLUG --format word`", "'word' is not one of"),
        ("```\nvaern check --all   # everything\n```", "No such option '--all'"),
    ],
)
def test_what_cannot_be_called_is_found(text: str, fault: str) -> None:
    (found,) = wrongs("here", text)
    assert fault in found


@pytest.mark.parametrize(
    "text",
    [
        "what `vaern onboard` does, `vaern onboard favrskov [--dry-run]`, `vaern lab up|down|list`",
        "`vaern adopt --resource NAME --id ID`, `vaern catalogue KIND`, `vaern --accelerated onboard ...`",
        "run `vaern COMMAND --help`, `vaern approve {{ slug }} --key KEY` or `vaern-spool --now`",
        "    $ vaern preview --arm shared.json   the shared collectors",
    ],
)
def test_what_can_be_called_is_left_alone(text: str) -> None:
    assert list(wrongs("here", text)) == []


def test_texts_are_found_in_programs_with_what_is_filled_in() -> None:
    program = (
        'def f(a):\n    """See `vaern up`."""\n    g(fix=f"run `vaern {f\'onboard {a}\' if a else \'up\'}`" " now")\n'
    )
    assert list(texts_in(program)) == [
        (2, "See `vaern up`.", False),
        (3, f"run `vaern onboard {FILLED}` now", True),
        (3, "run `vaern up` now", True),
    ]
