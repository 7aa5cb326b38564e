"""The one table of situations, through every output: exit code, terminal, JSON, JUnit and page say the same."""

from __future__ import annotations

import json
import shutil
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from markupsafe import escape
from support.situations import CASES, Case

from vaern import verify
from vaern.archive import alarms, ledger
from vaern.commands import onboard
from vaern.console.command_line import cli
from vaern.declaration import load_fleet
from vaern.errors import ExitCode, ProofError
from vaern.model.controls import load_catalogue
from vaern.model.situation import Measured
from vaern.model.verdict import Verdict, judge
from vaern.model.verdict_parts import Level
from vaern.report import make_report, read_report, render_html
from vaern.report.page import VERDICT_MARKS
from vaern.runtime.paths import Project
from vaern.workflows import situation
from vaern.workflows.onboarding import Onboarding
from vaern.workflows.recording import Recording

ROOT = Path(__file__).resolve().parents[3]
EMPTY = ledger.Ledger("0710", "2026-11-24T04:10:00+00:00", (), (), (), {})
KEYS = "enrolment: {favrskov-gw1: {}, favrskov-sensor1: {}}\n"


@pytest.fixture(scope="module")
def declared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("every-output")
    for name in ("pyproject.toml", "roles"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", folder / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    (folder / "inventories/favrskov/group_vars/all/keys.lab.yml").write_text(KEYS, encoding="utf-8")
    return folder


@pytest.fixture(params=CASES.values(), ids=list(CASES))
def case(request: pytest.FixtureRequest, declared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Case:
    """A case of the table, which every command meets in place of what it would have measured."""
    given: Case = request.param
    monkeypatch.setenv("VAERN_PROJECT", str(declared))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    monkeypatch.setattr(verify, "verify", lambda *_, **__: [])
    monkeypatch.setattr(alarms, "read", lambda *_: alarms.Alarms(()))
    monkeypatch.setattr(ledger, "ledger", lambda *_, **__: EMPTY)
    monkeypatch.setattr(situation, "verified", lambda *_: given.situation)
    monkeypatch.setattr(situation, "onboarded", lambda *_: given.situation)
    monkeypatch.setattr(situation, "recorded", lambda *_: (given.situation, given.situation.time))
    monkeypatch.setattr(situation, "of_balance", lambda *_: given.situation)
    return given


def call(*words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    if done.exception is not None:
        raise done.exception
    return done.return_value, done.stdout


def is_told(document: dict[str, Any], case: Case) -> None:
    """A JSON document has the whole verdict."""
    verdict = judge(case.situation)
    assert document["verdict"] == case.level
    assert document["exit_code"] == case.exit_code
    assert document["headline"] == {"da": verdict.headline.da, "en": verdict.headline.en}
    assert [len(document[kind]) for kind in ("wrong", "unknown", "untried")] == [case.wrong, case.unknown, case.untried]


def test_json(case: Case) -> None:
    code, text = call("verify", "favrskov", "--json")
    assert code == case.exit_code
    is_told(json.loads(text), case)
    assert call("report", "favrskov", "--format", "json") == (code, text)


def test_terminal(case: Case) -> None:
    code, text = call("verify", "favrskov")
    assert code == case.exit_code
    assert judge(case.situation).headline.en in text
    assert case.says.en in text


def test_junit(case: Case) -> None:
    code, text = call("verify", "favrskov", "--junit", "-")
    assert code == case.exit_code
    root = ET.fromstring(text)  # noqa: S314 - our own document
    assert {one.get("name"): one.get("value") for one in root.iter("property")}["verdict"] == case.level
    bad = [one for kind in ("failure", "error") for one in root.iter(kind)]
    assert len(bad) == int(root.get("failures", "")) + int(root.get("errors", ""))
    assert bool(bad) == (case.exit_code != ExitCode.OK)
    whole = root.find(".//testcase[@name='verdict']")
    assert whole is not None
    expected = {Level.GOOD: [], Level.PARTIAL: [], Level.UNKNOWN: ["error"], Level.NOTHING: ["error"]}
    assert [child.tag for child in whole] == expected.get(case.level, ["failure"])


def test_page(case: Case) -> None:
    call("verify", "favrskov")
    code, path = call("report", "favrskov")
    assert code == case.exit_code
    page = Path(path.strip()).read_text(encoding="utf-8")
    verdict = judge(case.situation)
    assert f'<section class="verdict {case.level.value}"' in page
    assert f'aria-hidden="true">{VERDICT_MARKS[case.level]}</span>' in page
    assert verdict.headline.da in page
    assert verdict.headline.en in page
    shows(page, verdict)


def shows(page: str, verdict: Verdict) -> None:
    """The page has a heading for each kind of clause that there is, and every clause with its details below it."""
    kinds = {"Det skal rettes": verdict.wrong, "Det vides ikke": verdict.unknown, "Ikke undersøgt": verdict.untried}
    for heading, clauses in kinds.items():
        assert (f'<h2><span lang="da">{heading}</span>' in page) == bool(clauses)
        for clause in clauses:
            assert f'<li><span lang="da">{clause.text.da}</span>' in page
            for detail in clause.details:
                both = f'<span lang="da">{escape(detail.da)}</span><span lang="en">{escape(detail.en)}</span>'
                assert f"<li>{both}</li>" in page


def concluded(run: Onboarding, as_json: bool) -> int:
    try:
        return onboard._conclude(run, as_json, Recording())
    except ProofError as error:
        return error.exit_code


def test_onboard(case: Case, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    project = Project.find()
    run = Onboarding(project, load_fleet(project, ["favrskov"]), "favrskov", lambda _: None)
    proofs = case.situation.proofs
    run.proofs = list(proofs.result.proofs) if isinstance(proofs, Measured) else []
    for as_json in (False, True):
        assert concluded(run, as_json) == case.exit_code
        told = capsys.readouterr().out
        if as_json:
            is_told(json.loads(told)["result"], case)
        else:
            assert judge(case.situation).headline.en in told


def test_status(case: Case) -> None:
    code, text = call("status", "favrskov", "--json")
    assert code == case.exit_code
    (document,) = json.loads(text)
    is_told(document, case)
    code, text = call("status", "favrskov")
    assert code == case.exit_code
    assert judge(case.situation).headline.en in text


def test_ledger(case: Case) -> None:
    code, text = call("ledger", "favrskov", "--json")
    assert code == case.exit_code
    document = json.loads(text)
    is_told(document, case)
    assert document["balances"] == (case.exit_code == ExitCode.OK)
    code, text = call("ledger", "favrskov")
    assert code == case.exit_code
    assert judge(case.situation).headline.en in text


def test_what_is_stored_has_the_same_verdict(case: Case) -> None:
    call("verify", "favrskov")
    stored = read_report(Project.find(), "favrskov")
    assert stored.situation == case.situation
    assert stored.verdict == judge(case.situation)


def test_only_what_is_good_is_green() -> None:
    catalogue = load_catalogue()
    project = Project(ROOT, ROOT / ".vaern")
    fleet = load_fleet(project, ["favrskov"])
    for case in CASES.values():
        report = make_report("favrskov", fleet.municipalities["favrskov"], fleet.deployment, case.situation)
        page = render_html(report, catalogue)
        assert ('<section class="verdict good"' in page) == (case.level is Level.GOOD)
