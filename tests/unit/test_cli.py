"""The command line as a whole: help, exit codes, what a user sees of an error."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import click
import pytest

from vaern.console.command_line import COMMANDS, cli
from vaern.console.failures import refused_by_disk
from vaern.errors import ExitCode, VaernError

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "pulumi",
    "pulumi_azure_native",
    "ansible_runner",
    "azure",
    "cryptography",
    "pytest",
    "rich",
    "pydantic",
    "ruamel",
    "yaml",
    "jinja2",
)


def run(*arguments: str, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "vaern", *arguments],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_with_an_example(name: str) -> None:
    command = importlib.import_module(f"vaern.commands.{name}").command
    assert isinstance(command, click.Command)
    text = command.help or ""
    assert text.splitlines()[0] == COMMANDS[name], "the list in command_line and the command's own help must agree"
    assert "Example" in text
    assert f"vaern {name}" in text


def test_every_module_of_commands_is_a_command() -> None:
    files = {path.stem for path in (ROOT / "cli/vaern/commands").glob("*.py")} - {"__init__"}
    assert files == set(COMMANDS)


def test_help_imports_nothing_heavy() -> None:
    listing = f"import sys, vaern.__main__; print([m for m in {HEAVY!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_outside_a_project_the_fix_is_named(tmp_path: Path) -> None:
    done = run("check", cwd=tmp_path)
    assert done.returncode == ExitCode.USAGE
    assert "not a vaern project" in done.stderr
    assert "VAERN_PROJECT" in done.stderr


def test_an_unknown_failure_leaves_a_log_and_no_traceback(tmp_path: Path) -> None:
    program = (
        "import vaern.__main__, vaern.console.command_line as m, click\n"
        "@m.cli.command('burst')\n"
        "def burst(): raise RuntimeError('preshared_key=s3cr3t')\n"
        "m.COMMANDS['burst'] = ''\n"
        "m.LazyGroup.get_command = lambda self, ctx, name: burst\n"
        "import sys; sys.argv = ['vaern', 'burst']; vaern.__main__.main()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**os.environ, "VAERN_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == ExitCode.INTERNAL
    assert "Traceback" not in done.stderr
    log = Path(done.stderr.split("send ")[1].split(" with")[0])
    assert log.parent == tmp_path / "logs"
    assert "RuntimeError" in log.read_text()
    assert "s3cr3t" not in log.read_text()


@pytest.mark.parametrize("words", [("check", "--help"), ("check",), ("status",)])
def test_a_reader_that_stops_reading_is_no_finding(words: tuple[str, ...]) -> None:
    """Under `set -o pipefail`, `vaern status | head -n 1` must not look like an open alarm, nor like success."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(
        [sys.executable, "-m", "vaern", *words], stdout=write, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(write)
    assert (done.returncode, done.stderr) == (ExitCode.READER_GONE, "")


def test_exit_codes_are_distinct_and_documented() -> None:
    documented = (ROOT / "docs/errors.md").read_text(encoding="utf-8")
    for code in ExitCode:
        assert f"| {code.value} |" in documented, code
    codes = [error.exit_code for error in VaernError.__subclasses__()]
    assert len(codes) == len(set(codes))


def test_completion_names_every_command() -> None:
    assert cli.list_commands(click.Context(cli)) == list(COMMANDS)
    done = run(_VAERN_COMPLETE="bash_complete", COMP_WORDS="vaern on", COMP_CWORD="1")
    assert "onboard" in done.stdout


def test_a_state_directory_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """A file in its place; one that cannot be made, also by root; and one on a disk that is full."""
    (tmp_path / "file").touch()
    for state, why in ((tmp_path / "file", "it is not a directory"), (Path("/proc/none"), "No such file or directory")):
        done = run("lock", "favrskov", "--yes", "favrskov", VAERN_STATE=str(state))
        assert done.returncode == ExitCode.STATE, done.stderr
        assert f"the state directory {state} cannot be used: {why}" in done.stderr
        assert "VAERN_STATE" in done.stderr


@pytest.mark.parametrize(
    ("number", "place", "known"),
    [(28, "STATE/locks/x", True), (30, "STATE", True), (2, "STATE/outputs/x.json", False), (13, "/etc/shadow", False)],
)
def test_only_what_the_state_directory_refuses_is_laid_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, place: str, known: bool
) -> None:
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    error = OSError(number, os.strerror(number), place.replace("STATE", str(tmp_path)))
    assert (refused_by_disk(error) is not None) == known


def test_output_that_finds_no_room_is_no_unknown_failure() -> None:
    """An error while writing names no file: standard output here, or one in a state directory that is full."""
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "vaern", "check"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, "there is no room to write" in done.stderr) == (ExitCode.USAGE, True), done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("verfy", "favrskov"), "there is no command `verfy`; did you mean `vaern verify`?\n  fix: `vaern --help`"),
        (("zzz",), "there is no command `zzz`\n  fix: `vaern --help`"),
        (("lab", "hsell"), "vaern lab: No such command 'hsell'. Did you mean 'shell'?\n  fix: `vaern lab --help`"),
        (("verify", "--contrl"), "'--control', '--list-controls'?)\n  fix: `vaern verify --help`"),
        (("verify",), "vaern verify: Missing argument 'MUNICIPALITY'.\n  fix: `vaern verify --help`"),
        (("report", "favrskov", "--format", "\x1b[2J"), r"'\x1b[2J' is not one of"),
    ],
)
def test_a_word_that_is_none_is_answered_with_those_like_it_and_what_to_do(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert done.returncode == ExitCode.USAGE
    assert said in done.stderr
    assert done.stderr.startswith("error: ")
