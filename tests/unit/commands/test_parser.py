"""`vaern parser` over a program that a test writes: what it is asked, and what is made of each of its answers."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from vaern.console.command_line import cli
from vaern.errors import ExitCode, ParserError, SetupError, UsageError
from vaern.model.catalogue import sample
from vaern.workflows import sample_events
from vaern.workflows.sample_events import samples

ROOT = Path(__file__).resolve().parents[3]
EVENT = {"parsed": True, "host": "fw1", "message": "x", "ecs": {"@timestamp": "2026-11-29T12:00:00Z", "source.port": 5}}


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose reader is a shell script; what it is asked is in `asked`."""
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    monkeypatch.setenv("VAERN_TOOLS", str(tmp_path / "tools"))
    found = tmp_path / "tools" / "reader" / "vaern-reader"
    found.parent.mkdir(parents=True)
    return found


def answers(program: Path, script: str) -> None:
    program.write_text(f'#!/bin/sh\necho "$@" > {program.parent}/asked\ncat > {program.parent}/stdin\n{script}\n')
    program.chmod(0o755)


def call(*words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(cli, words, input=stdin, standalone_mode=False)


def test_lines_are_read_and_shown(program: Path) -> None:
    answers(program, f"echo '{json.dumps(EVENT)}'")
    words = ("--parser", "fortigate", "--timezone", "Europe/Copenhagen", "--frames")
    said = call("parser", "try", *words, stdin="a line\n")
    assert said.return_value == ExitCode.OK
    assert said.stdout.splitlines() == [
        "1: read; host fw1",
        "   @timestamp                     2026-11-29T12:00:00Z",
        "   source.port                    5",
    ]
    asked = "try - --parser fortigate --timezone Europe/Copenhagen --cpr mask --frames --parsers"
    assert (program.parent / "asked").read_text().startswith(asked)
    assert (program.parent / "stdin").read_text() == "a line\n"


def test_the_events_themselves(program: Path) -> None:
    answers(program, f"echo '{json.dumps(EVENT)}'")
    said = call("parser", "try", str(Path(__file__)), "--parser", "cef", "--received", "2026-11-29T12:00:00Z", "--json")
    assert json.loads(said.stdout) == EVENT
    assert "--received 2026-11-29T12:00:00Z" in (program.parent / "asked").read_text()


def test_what_the_reader_refuses_is_said_with_file_and_line(program: Path) -> None:
    answers(program, f"echo '{ROOT}/roles/programs/reader/parsers/cef.yml:3: a form has no \"fild\"' >&2; exit 3")
    error = call("parser", "list").exception
    assert isinstance(error, ParserError)
    assert error.what == 'roles/programs/reader/parsers/cef.yml:3: a form has no "fild"'
    assert (error.exit_code, "docs/parsers.md" in error.fix) == (ExitCode.DECLARATION, True)


def test_other_ways_to_fail(program: Path) -> None:
    error = call("parser", "list").exception
    assert isinstance(error, SetupError)
    assert error.fix == "run `make setup`"
    answers(program, "echo 'Mars is no time zone' >&2; exit 2")
    assert isinstance(call("parser", "try", "--parser", "cef", "--timezone", "Mars").exception, UsageError)
    answers(program, "kill -9 $$")
    assert isinstance(call("parser", "list").exception, ParserError)
    program.write_text("no program")
    program.chmod(0o644)
    assert isinstance(call("parser", "list").exception, SetupError)


def test_files_that_are_not_there_are_refused_before_anything_is_run(program: Path) -> None:
    answers(program, "echo")
    for words in (
        ("nothing", "--parser", "cef"),
        (str(ROOT), "--parser", "cef"),
        ("-", "--parser", "cef", "--key", "nothing"),
    ):
        assert isinstance(call("parser", "try", *words).exception, click.BadParameter)
    assert not (program.parent / "asked").exists()


def test_parsers_are_listed(program: Path) -> None:
    rows = [{"name": "cef", "forms": ["1"], "fields": ["source.ip"]}, {"name": "generic", "forms": ["1"], "fields": []}]
    answers(program, "\n".join(f"echo '{json.dumps(row)}'" for row in rows))
    assert call("parser", "list").stdout == "cef              source.ip\ngeneric          -\n"
    assert json.loads(call("parser", "list", "--json").stdout) == rows


def test_a_sample_that_is_read_otherwise_is_a_finding(program: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = samples()
    assert names["firewall-fortinet"] == "fortigate"
    monkeypatch.setattr(sample_events, "samples", lambda: {"application-cef": "cef"})
    line = sample("application-cef").lines[0]
    event = {"parsed": True, "message": line.masked or line.line, "ecs": line.ecs}
    count = len(sample("application-cef").lines)
    answers(program, f"for each in $(seq {count}); do echo '{json.dumps(event)}'; done")
    said = call("parser", "test", "--json")
    found = json.loads(said.stdout)
    assert found["lines"] == count
    assert not [each for each in found["differences"] if each["line"] == 1]
    answers(program, f"for each in $(seq {count}); do echo '{json.dumps({**event, 'parsed': False})}'; done")
    said = call("parser", "test")
    assert said.return_value == ExitCode.FINDINGS
    assert "application-cef line 1: parsed is False, the sample says True" in said.stdout
