"""`vaern evidence` and `vaern report` on a chain that fits, on one that does not, and on reports from before."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from support.chains import NAME, findings, run, write

from vaern import evidence
from vaern.console.command_line import cli
from vaern.declaration import load_fleet
from vaern.errors import EvidenceError, ExitCode, UsageError
from vaern.evidence import FINDINGS
from vaern.model.controls import load_catalogue
from vaern.model.finding import Finding, Outcome
from vaern.model.situation import Controls, Measured, Situation
from vaern.report import Report, make_report, render_json, write_reports
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("VAERN_PROJECT", str(ROOT))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    return Project(ROOT, tmp_path)


def call(*words: str) -> Result:
    return CliRunner().invoke(cli, words, standalone_mode=False)


def made(project: Project, observed: str) -> Report:
    fleet = load_fleet(project, [NAME])
    found = Finding(NAME, "BASE-01", "hub1", Outcome.PASSED, "yes", observed, "sshd -T", "2026-11-29T10:00:00Z")
    at = "2026-11-29T10:00:00Z"
    situation = Situation("Favrskov", at, Measured(at, Controls((found,))))
    return make_report(NAME, fleet.municipalities[NAME], fleet.deployment, situation)


def keep(project: Project, number: int, observed: str, **more: bool) -> evidence.Kept:
    text = render_json(made(project, observed), load_catalogue())
    return evidence.append(project, NAME, run(number).model_copy(update=more), {FINDINGS: text})


def test_a_report_is_that_of_the_last_record_of_all_controls(project: Project) -> None:
    keep(project, 1, "first")
    keep(project, 2, "second")
    keep(project, 3, "one control only", whole=False)
    said = call("report", NAME, "--format", "json")
    assert [one["observed"] for one in json.loads(said.stdout)["findings"]] == ["second"]


def test_a_report_of_an_altered_record_is_refused(project: Project) -> None:
    path = keep(project, 1, "no").folder / FINDINGS
    content = path.read_text()
    path.unlink()
    path.write_text(content.replace('"no"', '"yes"'))
    error = call("report", NAME).exception
    assert isinstance(error, EvidenceError)
    assert error.exit_code == 11
    assert (
        error.what == f"{path}: in the evidence of {NAME}, record 1 does not fit: {FINDINGS} is not as it was written"
    )
    assert error.fix.startswith("restore it from a copy")
    assert not (project.reports / NAME).exists()


def test_a_report_from_before_is_read_and_marked(project: Project) -> None:
    write_reports(project, NAME, made(project, "old"))
    said = call("report", NAME, "--format", "json")
    assert [one["observed"] for one in json.loads(said.stdout)["findings"]] == ["old"]
    assert "before there was a chain of evidence" in said.stderr
    listed = call("evidence", "list", NAME)
    assert listed.return_value == ExitCode.OK
    assert "a report from before there was evidence" in listed.stdout


def test_a_page_that_is_written_again_takes_the_place_of_none(project: Project) -> None:
    keep(project, 1, "first")
    before = Path(call("report", NAME).stdout.strip()).resolve()
    page = before.read_text()
    before.write_text("by hand")
    after = Path(call("report", NAME).stdout.strip()).resolve()
    assert (before.read_text(), after.read_text()) == ("by hand", page)


def test_list_names_each_record(project: Project) -> None:
    kept = write(project, 2)
    lines = call("evidence", "list", NAME).stdout.splitlines()
    assert [one.digest[:12] in line for one, line in zip(kept, lines, strict=True)] == [True, True]
    assert "kim" in lines[0]
    assert "unsigned" in lines[0]
    rows = json.loads(call("evidence", "list", "--json").stdout)
    assert [row["sha256"] for row in rows] == [one.digest for one in kept]


def test_show_gives_everything_that_is_known(project: Project) -> None:
    write(project, 2)
    said = call("evidence", "show", NAME, "1").stdout
    for words in ("verify favrskov", "user: root", "commit: cccc", "2026-11-29T10:01:09Z", "findings.json"):
        assert words in said
    document = json.loads(call("evidence", "show", NAME, "--json").stdout)
    assert (document["sequence"], document["run"]["operator"]["machine"]) == (2, "ops1")


def test_compare_shows_what_differs(project: Project) -> None:
    evidence.append(project, NAME, run(1), findings(1))
    evidence.append(project, NAME, run(2), {})
    newer = run(3).model_copy(update={"versions": {"vaern": "0.2.0"}})
    evidence.append(project, NAME, newer, findings(1, "failed"))
    assert call("evidence", "compare", NAME).stdout.splitlines() == [
        "record 1, then record 3:",
        "run version of vaern",
        "  was 0.1.0",
        "  is  0.2.0",
        "finding BASE-01 on hub1",
        "  was passed: 1",
        "  is  failed: 1",
    ]
    assert call("evidence", "compare", NAME, "3", "3").stdout.endswith("nothing differs\n")
    error = call("evidence", "compare", NAME, "2", "3").exception
    assert isinstance(error, UsageError)
    assert error.what == "record 2 of favrskov has no findings"


@pytest.mark.parametrize("words", [["verify"], ["list"], ["show", NAME], ["compare", NAME]])
def test_what_does_not_fit_ends_with_its_own_exit_code(project: Project, words: list[str]) -> None:
    (write(project, 3)[1].folder / "stranger").write_text("x")
    error = call("evidence", *words).exception
    assert isinstance(error, EvidenceError)
    assert "record 2 does not fit: stranger was not there when it was written" in error.what


def test_verify_for_programs_says_what_and_where(project: Project) -> None:
    kept = write(project, 2)
    (found,) = json.loads(call("evidence", "verify", "--json").stdout)
    assert (found["whole"], found["records"], found["sha256"]) == (True, 2, kept[1].digest)
    path = kept[0].folder / FINDINGS
    path.unlink()
    (found,) = json.loads(call("evidence", "verify", NAME, "--json").stdout)
    assert found["whole"] is False
    assert found["fault"] == {"sequence": 1, "path": str(path), "what": "findings.json is gone"}


def test_a_digest_that_was_noted_is_looked_for(project: Project) -> None:
    kept = write(project, 2)
    assert call("evidence", "verify", NAME, "--kept", kept[0].digest).return_value == ExitCode.OK
    error = call("evidence", "verify", NAME, "--kept", "0" * 64).exception
    assert isinstance(error, EvidenceError)
    assert "none has the digest" in error.what


@pytest.mark.parametrize(
    "words", [["list", "nosuch"], ["show", "nosuch"], ["verify", "../favrskov"], ["show", NAME, "9"]]
)
def test_what_is_not_there_is_said(project: Project, words: list[str]) -> None:
    write(project, 1)
    error = call("evidence", *words).exception
    assert isinstance(error, UsageError)


def test_before_any_run_there_is_nothing_to_verify(project: Project) -> None:
    assert call("evidence", "verify").stdout == "no run has left a record yet\n"
    assert call("evidence", "list").stdout == "no run has left a record yet\n"
