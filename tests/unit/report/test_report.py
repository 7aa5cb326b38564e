"""The three documents of a report, and how they are kept."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from vaern.console import terminal
from vaern.errors import StateError, UsageError
from vaern.model.controls import load_catalogue
from vaern.model.finding import Finding, Outcome, Proof
from vaern.model.relays import Endurance
from vaern.report import Report, Verdict, read_report, render_html, render_json, render_junit, show, write_reports
from vaern.report.documents import parse_json
from vaern.runtime.paths import Project

TIME = "2026-11-24T04:10:00Z"
PROOF = Proof("favrskov", "firewall1", "vaern-canary-1", seen=True, leg="archive", seconds=1.25)


def finding(control: str, outcome: Outcome = Outcome.PASSED, observed: str = "yes", host: str = "hub1") -> Finding:
    return Finding("favrskov", control, host, outcome, "yes", observed, "sshd -T", TIME)


def report(*findings: Finding, proofs: tuple[Proof, ...] = (PROOF,)) -> Report:
    return Report(
        slug="favrskov", name="Favrskov", code="0710", deployment="faelles", time=TIME, version="0.1.0",
        findings=tuple(sorted(findings)), proofs=proofs, durations=(("verify", 2.0),),
    )  # fmt: skip


MIXED = report(
    finding("BASE-01"),
    finding("BASE-05", Outcome.FAILED, 'passwordauthentication=yes <script>alert("x")</script>\x07'),
    finding("BASE-11", Outcome.SKIPPED, "a container"),
    finding("VPN-03", host="favrskov-gw1"),
)


@pytest.mark.parametrize(
    ("given", "verdict"),
    [
        (report(finding("BASE-01")), Verdict.GOOD),
        (report(finding("BASE-01"), proofs=()), Verdict.UNPROVED),
        (MIXED, Verdict.ATTENTION),
        (report(finding("BASE-01"), proofs=(replace(PROOF, seen=False, leg="relay"),)), Verdict.BROKEN),
    ],
)
def test_verdict(given: Report, verdict: Verdict) -> None:
    assert given.verdict is verdict


def test_how_long_a_relay_lasts_is_told_in_both_languages() -> None:
    lasting = replace(MIXED, endurance=(Endurance("gw1", 6.0, 27.8, 24),))
    page = render_html(lasting, load_catalogue())
    assert "Hvis forbindelsen svigter" in page
    assert "If the connection fails" in page
    assert '<span lang="da">27,8</span><span lang="en">27.8</span>' in page
    assert "If the connection fails" not in render_html(MIXED, load_catalogue())
    assert parse_json(render_json(lasting, load_catalogue()), "x") == lasting


def test_json_comes_back_as_the_same_report() -> None:
    text = render_json(MIXED, load_catalogue())
    assert parse_json(text, "x") == MIXED
    assert json.loads(text)["schema"] == 1


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "findings": 3}', "null"])
def test_what_is_no_report_is_said_plainly(text: str) -> None:
    with pytest.raises((StateError, UsageError), match="x"):
        parse_json(text, "x")


def test_junit_counts_and_explains() -> None:
    root = ET.fromstring(render_junit(MIXED, load_catalogue()))  # noqa: S314 - our own document
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("5", "1", "1")
    failure = root.find(".//failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.startswith("expected: yes\nobserved: passwordauthentication=yes")


def test_a_lost_canary_fails_in_junit() -> None:
    lost = report(finding("BASE-01"), proofs=(replace(PROOF, seen=False, leg="relay"),))
    root = ET.fromstring(render_junit(lost, load_catalogue()))  # noqa: S314 - our own document
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == ["firewall1"]


def test_page_needs_nothing_from_outside_and_escapes_what_hosts_said() -> None:
    page = render_html(MIXED, load_catalogue())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"(?:src|href)=|url\(|@import|https?://", page)


def test_page_says_everything_in_both_languages() -> None:
    page = render_html(MIXED, load_catalogue())
    assert page.count('<span lang="da">') == page.count('<span lang="en">')
    assert "Favrskov: ét krav er ikke opfyldt." in page
    assert "Favrskov: one demand is not met." in page


def test_page_shows_what_is_wrong_before_the_rest() -> None:
    page = render_html(MIXED, load_catalogue())
    assert page.index("To be put right") < page.index("Seen at the collector") < page.index("BASE-01")
    assert "To be put right" not in render_html(report(finding("BASE-01")), load_catalogue())


def test_every_outcome_is_said_in_words_not_only_in_colour() -> None:
    page = render_html(MIXED, load_catalogue())
    for words in ("Opfyldt", "Ikke opfyldt", "Kan ikke prøves her", "Nåede frem"):
        assert words in page


def test_reports_are_kept_and_latest_means_the_newest(tmp_path: Path) -> None:
    project = Project(tmp_path, tmp_path / "state")
    write_reports(project, "favrskov", report(finding("BASE-01")))
    paths = write_reports(project, "favrskov", replace(MIXED, time="2026-11-24T05:00:00Z"))
    write_reports(project, "favrskov", replace(MIXED, time="2026-11-24T05:00:00Z"))
    folders = sorted(path.name for path in (project.reports / "favrskov").iterdir())
    assert folders == ["20261124T041000Z", "20261124T050000Z", "latest", "proved"]
    assert read_report(project, "favrskov").time == "2026-11-24T05:00:00Z"
    assert all(Path(path).is_file() for path in paths.values())


def test_a_report_of_the_same_second_takes_the_place_of_none(tmp_path: Path) -> None:
    project = Project(tmp_path, tmp_path / "state")
    write_reports(project, "favrskov", report(finding("BASE-01")))
    write_reports(project, "favrskov", MIXED)
    folders = sorted(path for path in (project.reports / "favrskov").iterdir() if not path.is_symlink())
    assert [path.name for path in folders] == ["20261124T041000Z", "20261124T041000Z-2"]
    verdicts = [json.loads((path / "findings.json").read_text(encoding="utf-8"))["verdict"] for path in folders]
    assert verdicts == ["good", "attention"]
    assert read_report(project, "favrskov") == MIXED


def test_no_report_yet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no report yet"):
        read_report(Project(tmp_path, tmp_path), "favrskov")


def test_terminal_shows_failures_with_both_values(capsys: pytest.CaptureFixture[str]) -> None:
    show(MIXED, terminal(), {"html": "/x/report.html"})
    text = capsys.readouterr().out
    assert "BASE-05" in text
    assert "expected yes" in text
    assert "report: /x/report.html" in text


def test_what_was_observed_is_whole_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    observed = "a long answer " * 30 + "and its end"
    show(report(finding("BASE-05", Outcome.FAILED, observed)), terminal(aside=True))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert any(observed in line for line in captured.err.splitlines())


def test_open_alarms_are_told_in_both_languages_and_kept() -> None:
    given = replace(MIXED, alarms=(("firewall1 er tavs <b>", "firewall1 is silent"),))
    page = render_html(given, load_catalogue())
    assert "firewall1 er tavs &lt;b&gt;" in page
    assert "firewall1 is silent" in page
    assert parse_json(render_json(given, load_catalogue()), "x") == given
    assert "Open alarms" not in render_html(MIXED, load_catalogue())
