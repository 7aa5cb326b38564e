"""Searching and exporting from the control node; a program in place of ssh answers as a collector would."""

from __future__ import annotations

import hashlib
import json
import stat
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from vaern.archive.export import Request, answered, copies, export, moment, query_of, search
from vaern.console.command_line import cli
from vaern.declaration import load_fleet
from vaern.errors import UnreachableError, UsageError
from vaern.model.fleet import Fleet
from vaern.model.vocabulary import CprHandling, Target
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
EVENT = {"received": "2026-11-24T12:00:00+00:00", "source": "journal1", "host": "h", "message": "bruger=ahs Ærø"}


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"), ["favrskov"])


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose ssh is a program that keeps the query and answers with what the test put there."""
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/ssh"
    program.write_text(
        f"#!{sys.executable} -IS\n"
        "import pathlib, sys\n"
        "here = pathlib.Path(__file__).parent\n"
        "(here / 'asked').write_text(sys.stdin.read())\n"
        "(here / 'argv').write_text(' '.join(sys.argv))\n"
        "sys.stdout.buffer.write((here / 'out').read_bytes())\n"
        "sys.stderr.write((here / 'err').read_text())\n"
        "sys.exit(int((here / 'code').read_text()))\n"
    )
    program.chmod(0o755)
    (tmp_path / "ssh_config").write_text("Host hub1\n")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:/usr/bin:/bin")
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    return Project(ROOT, tmp_path)


def answers(
    project: Project, events: list[dict[str, Any]], *, code: int = 0, error: str = "", spoiled: bool = False
) -> None:
    out = b"".join(json.dumps(event, ensure_ascii=False).encode() + b"\n" for event in events)
    manifest = {"events": len(events), "complete": True, "sha256": hashlib.sha256(out).hexdigest(), "access": "ab" * 32}
    manifest["duplicates"] = 2
    here = project.state / "bin"
    (here / "out").write_bytes(out[:-2] if spoiled else out)
    (here / "err").write_text("Warning: something of ssh\n" + (error or json.dumps(manifest)) + "\n")
    (here / "code").write_text(str(code))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T09:30+01:00", datetime(2026, 11, 24, 8, 30, tzinfo=UTC)),
        ("90m", NOW - timedelta(minutes=90)),
        ("7d", NOW - timedelta(days=7)),
    ],
)
def test_times_are_read_as_people_write_them(text: str, expected: datetime) -> None:
    assert moment(text, NOW) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "0h", "24.11.2026", "7w"])
def test_other_times_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        moment(text, NOW)


def test_the_question_says_only_what_was_asked(fleet: Fleet) -> None:
    municipality = fleet.municipalities["favrskov"]
    asked = query_of(municipality, Request("T", texts=("ahs",), since=NOW, limit=5), "search")
    assert asked == {
        "code": "0710",
        "asked_by": "T",
        "purpose": "search",
        "texts": ["ahs"],
        "since": NOW.timestamp(),
        "limit": 5,
        "newest_first": True,
    }
    assert query_of(municipality, Request("T", source="tap-core"), "export")["source"] == "tap-core"


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        (Request("T", source="journal9"), "no source"),
        (Request("T", since=NOW, until=NOW), "ends before it begins"),
        (Request("T", texts=("610190-1234",)), "not in the archive"),
        (Request("T", texts=("ahs", "nr 6101901234")), "not in the archive"),
    ],
)
def test_what_cannot_find_anything_is_refused_with_what_to_do(fleet: Fleet, request_: Request, found: str) -> None:
    with pytest.raises(UsageError, match=found) as refused:
        query_of(fleet.municipalities["favrskov"], request_, "search")
    assert refused.value.fix


def test_a_hash_that_holds_ten_digits_is_searched_for(fleet: Fleet) -> None:
    digest = "9b07ccb60f04f7d3f2c2f3ed8bb9a6cb9b07ccb60f04f7d3f2c2f0107605123a"
    asked = query_of(fleet.municipalities["favrskov"], Request("T", texts=(digest,)), "search")
    assert asked["texts"] == [digest]


def test_numbers_can_be_searched_where_they_are_kept_and_tokens_are_named_where_hashed(fleet: Fleet) -> None:
    municipality = fleet.municipalities["favrskov"]
    kept, hashed = (
        municipality.model_copy(update={"privacy": municipality.privacy.model_copy(update={"cpr": mode})})
        for mode in (CprHandling.KEEP, CprHandling.HASH)
    )
    asked = Request("T", texts=("610190-1234",))
    assert query_of(kept, asked, "search")["texts"] == ["610190-1234"]
    with pytest.raises(UsageError) as refused:
        query_of(hashed, asked, "search")
    assert "vaern-cpr-token" in refused.value.fix


def test_alarms_can_be_asked_for_like_a_source(fleet: Fleet) -> None:
    asked = query_of(fleet.municipalities["favrskov"], Request("T", source="vaern.alarm"), "search")
    assert asked["source"] == "vaern.alarm"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ({}, ""),
        ({"duplicates": 0}, ""),
        ({"duplicates": 1}, ", 1 copy of them left out"),
        ({"duplicates": 2}, ", 2 copies of them left out"),
        ({"duplicates": 1, "broken": 3}, ", 1 copy of them left out, 3 lines that no JSON parser reads"),
    ],
)
def test_copies_that_were_left_out_are_told(manifest: dict[str, Any], said: str) -> None:
    assert copies(manifest) == said


def test_search_gives_the_events_and_asks_on_standard_input(fleet: Fleet, project: Project) -> None:
    answers(project, [EVENT])
    found, manifest = search(project, fleet.deployment, fleet.municipalities["favrskov"], Request("T", texts=("ahs",)))
    assert (found, manifest["events"]) == ([EVENT], 1)
    assert json.loads((project.state / "bin/asked").read_text())["texts"] == ["ahs"]
    assert "ahs" not in (project.state / "bin/argv").read_text()


def test_an_export_is_a_private_file_with_its_manifest(fleet: Fleet, project: Project) -> None:
    answers(project, [EVENT, EVENT])
    path = project.state / "out.jsonl"
    manifest = export(project, fleet.deployment, fleet.municipalities["favrskov"], Request("T", case="26/1"), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert hashlib.sha256(path.read_bytes()).hexdigest() == manifest["sha256"]
    beside = json.loads((project.state / "out.jsonl.manifest.json").read_text())
    assert beside == manifest
    assert (beside["file"], beside["municipality"]) == ("out.jsonl", "Favrskov")
    with pytest.raises(UsageError, match="already there"):
        export(project, fleet.deployment, fleet.municipalities["favrskov"], Request("T"), path)


@pytest.mark.parametrize(
    ("answer", "error", "text"),
    [
        ({"spoiled": True}, UnreachableError, "incomplete or changed"),
        ({"code": 255}, UnreachableError, "does not answer"),
        ({"code": 127, "error": "vaern-archive-export: not found"}, UnreachableError, "not found"),
        ({"code": 2, "error": '{"error": "no archive"}'}, UsageError, "no archive"),
    ],
)
def test_an_answer_that_is_not_whole_leaves_no_file(
    fleet: Fleet, project: Project, answer: dict[str, Any], error: type[Exception], text: str
) -> None:
    answers(project, [EVENT], **answer)
    path = project.state / "out.jsonl"
    with pytest.raises(error, match=text):
        export(project, fleet.deployment, fleet.municipalities["favrskov"], Request("T"), path)
    assert list(project.state.glob("*out*")) == []


def test_the_archive_of_azure_is_searched_elsewhere(fleet: Fleet, project: Project) -> None:
    azure = fleet.deployment.model_copy(update={"target": Target.AZURE})
    with pytest.raises(UsageError, match="storage account"):
        search(project, azure, fleet.municipalities["favrskov"], Request("T"))


@pytest.mark.parametrize("changed", [{"access": "\x1b[2J"}, {"events": "many"}, {"sha256": None}, {"complete": 1}])
def test_a_manifest_that_is_not_as_it_should_be_is_no_answer(changed: dict[str, Any]) -> None:
    manifest = {"events": 4, "sha256": "0" * 64, "access": "1" * 64, "complete": True}
    assert answered("hub1", 0, json.dumps(manifest)) == manifest
    with pytest.raises(UnreachableError, match="cut off"):
        answered("hub1", 0, json.dumps(manifest | changed))


def test_nothing_said_is_no_answer() -> None:
    with pytest.raises(UnreachableError, match="exit code 1"):
        answered("hub1", 1, "")


def test_the_commands_print_what_was_found(project: Project) -> None:
    answers(project, [EVENT])
    shown = CliRunner().invoke(cli, ["search", "favrskov", "-", "--since", "24h"], input="ahs\n", standalone_mode=False)
    assert "journal1 h bruger=ahs Ærø" in shown.output
    assert json.loads((project.state / "bin/asked").read_text())["texts"] == ["ahs"]
    output = str(project.state / "e.jsonl")
    asked = ["export", "favrskov", "--person", "ahs", "--person", "-", "--asked-by", "T", "--output", output, "--json"]
    shown = CliRunner().invoke(cli, asked, input="198.51.100.7\n", standalone_mode=False)
    assert json.loads(shown.output)["events"] == 1
    assert json.loads((project.state / "bin/asked").read_text())["texts"] == ["ahs", "198.51.100.7"]
