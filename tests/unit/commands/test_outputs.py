"""`-` is standard output for every option that names a file to write, and nothing else is written there then."""

from __future__ import annotations

import hashlib
import json
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result
from support.situations import GOOD

from vaern import provision, verify
from vaern.console import OutputFile
from vaern.console.command_line import cli
from vaern.errors import ExitCode, UsageError
from vaern.model.finding import Finding, Outcome
from vaern.runtime import ssh
from vaern.verify import software
from vaern.workflows import situation

ROOT = Path(__file__).resolve().parents[3]
FOUND = Finding("favrskov", "BASE-01", "hub1", Outcome.PASSED, "a", "b", "", "2026-11-24T12:00:00Z")
EVENTS = b'{"source": "journal1", "message": "one"}\n{"source": "journal1", "message": "two"}\n'
Options = Iterator[tuple[str, click.Option]]


def path_options(group: click.Group = cli, before: str = "") -> Options:
    """Every option of every command that takes a path of a file."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from path_options(command, f"{name} ")
        for option in command.params:
            if isinstance(option, click.Option) and isinstance(option.type, click.Path | click.File):
                yield f"{before}{name} {option.opts[0]}", option


OPTIONS = dict(path_options())
WRITTEN = [name for name, option in OPTIONS.items() if isinstance(option.type, OutputFile)]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Declarations of the lab, hosts that are all right, a template, and a collector that has two events."""
    for name in ("pyproject.toml", "roles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(verify, "verify", lambda *_, **__: [FOUND])
    monkeypatch.setattr(provision, "arm_template", lambda *_: {"resources": [{"type": "Microsoft.Network/x"}]})
    monkeypatch.setattr(situation, "verified", lambda *_: GOOD)
    monkeypatch.setattr("vaern.workflows.status.require_connected", lambda *_: None)

    dpkg = ("dpkg", "1.22.21", "amd64", "dpkg", "Debian")
    has = software.Software(("debian", "13.8", "trixie"), (dpkg,), {}, ())
    monkeypatch.setattr(software, "list_software", lambda *_: has)

    def stream(*arguments: object) -> tuple[int, str]:
        sink = arguments[-1]
        assert callable(sink)
        sink(EVENTS)
        manifest = {"events": 2, "sha256": hashlib.sha256(EVENTS).hexdigest(), "access": "ab" * 32}
        return 0, json.dumps(manifest)

    monkeypatch.setattr(ssh, "stream", stream)
    return tmp_path


def is_junit(text: str) -> None:
    assert ET.fromstring(text).tag == "testsuites"  # noqa: S314 - our own


def is_template(text: str) -> None:
    assert json.loads(text)["resources"]


def is_a_bill(text: str) -> None:
    assert [one["name"] for one in json.loads(text)["components"]] == ["debian", "dpkg"]


def is_the_events(text: str) -> None:
    assert text.encode() == EVENTS


CALLS: dict[str, tuple[list[str], Callable[[str], None]]] = {
    "verify --junit": (["verify", "favrskov", "--junit"], is_junit),
    "preview --arm": (["preview", "--arm"], is_template),
    "sbom --output": (["sbom", "hub1", "--output"], is_a_bill),
    "export --output": (["export", "favrskov", "--asked-by", "DPO", "--output"], is_the_events),
}


def call(*words: str) -> Result:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    if done.exception:
        raise done.exception
    assert done.return_value == ExitCode.OK
    return done


def test_an_option_with_a_path_reads_what_is_there_or_takes_standard_output() -> None:
    assert set(WRITTEN) == set(CALLS), "every option that writes a file has a call of its own here"
    for name in set(OPTIONS) - set(WRITTEN):
        kind = OPTIONS[name].type
        assert isinstance(kind, click.Path), name
        assert kind.exists, f"{name} names neither a file that has to be there nor an OutputFile"
    for name in WRITTEN:
        assert "- " in (OPTIONS[name].help or ""), f"{name} does not say that - is standard output"


@pytest.mark.parametrize("name", CALLS)
def test_a_dash_is_standard_output_and_nothing_else_is_written_there(project: Path, name: str) -> None:
    words, is_whole = CALLS[name]
    is_whole(call(*words, "-").stdout)
    assert not list(project.rglob("-*"))
    call(*words, "made")
    is_whole((project / "made").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.usefixtures("project")
def test_a_folder_that_is_not_there_is_refused_before_any_work(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr("vaern.declaration.load_fleet", lambda *_: pytest.fail("work was done"))
    with pytest.raises(click.BadParameter, match="is no folder you can write to"):
        call(*CALLS[name][0], "nowhere/made")


@pytest.mark.usefixtures("project")
def test_what_is_said_of_it_goes_to_standard_error() -> None:
    assert "findings: 2 passed" in call("verify", "favrskov", "--junit", "-").stderr
    words = CALLS["export --output"][0]
    assert call(*words, "-").stderr == f"2 events written; recorded as {'ab' * 6}\n"
    assert json.loads(call(*words, "-", "--json").stderr)["events"] == 2


@pytest.mark.usefixtures("project")
def test_two_documents_on_standard_output_are_refused() -> None:
    with pytest.raises(click.UsageError, match="both write to standard output"):
        call("verify", "favrskov", "--json", "--junit", "-")


def test_a_file_that_cannot_be_written_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(click, "open_file", full)
    with pytest.raises(UsageError, match="made cannot be written: No space left on device"):
        call("verify", "favrskov", "--junit", "made")
    assert not (project / "made").exists()
