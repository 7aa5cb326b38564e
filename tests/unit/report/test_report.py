"""The three documents of a report, and how they are kept."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from vaern.console import terminal
from vaern.errors import StateError, UsageError
from vaern.model.controls import load_catalogue
from vaern.model.finding import Finding, Outcome, Proof, Text
from vaern.model.relays import Endurance
from vaern.model.situation import Controls, Measured, OpenAlarms, Proofs, Situation, Unknown
from vaern.report import (
    Report,
    read_proofs,
    read_report,
    render_html,
    render_json,
    render_junit,
    show,
    write_reports,
)
from vaern.report.documents import parse_json
from vaern.runtime.paths import Project

TIME = "2026-11-24T04:10:00Z"
PROOF = Proof("favrskov", "firewall1", "vaern-canary-1", seen=True, leg="archive", seconds=1.25)


def finding(control: str, outcome: Outcome = Outcome.PASSED, observed: str = "yes", host: str = "hub1") -> Finding:
    return Finding("favrskov", control, host, outcome, "yes", observed, "sshd -T", TIME)


def report(*findings: Finding, proofs: tuple[Proof, ...] = (PROOF,), time: str = TIME) -> Report:
    return Report(
        slug="favrskov", code="0710", deployment="faelles", version="0.1.0", durations=(("verify", 2.0),),
        situation=Situation(
            "Favrskov", time, Measured(time, Controls(tuple(sorted(findings)))), Measured(TIME, Proofs(proofs))
        ),
    )  # fmt: skip


def later(given: Report, time: str) -> Report:
    return replace(given, situation=replace(given.situation, time=time))


MIXED = report(
    finding("BASE-01"),
    finding("BASE-05", Outcome.FAILED, 'passwordauthentication=yes <script>alert("x")</script>\x07'),
    finding("BASE-11", Outcome.SKIPPED, "a container"),
    finding("VPN-03", host="favrskov-gw1"),
)


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
    assert json.loads(text)["schema"] == 2


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"schema": 99}', '{"schema": 1, "findings": 3}', "null", '{"schema": 2}']
)
def test_what_is_no_report_is_said_plainly(text: str) -> None:
    with pytest.raises((StateError, UsageError), match="x"):
        parse_json(text, "x")


def test_junit_counts_and_explains() -> None:
    root = ET.fromstring(render_junit(MIXED, load_catalogue()))  # noqa: S314 - our own document
    cases = {case.get("name", "").partition(" ")[0]: [child.tag for child in case] for case in root.iter("testcase")}
    assert {name: tags[-1] for name, tags in cases.items() if tags and tags[-1] != "properties"} == {
        "BASE-05": "failure", "BASE-11": "skipped", "verdict": "failure", "controls": "failure", "alarms": "skipped",
        "ledger": "skipped", "certificates": "skipped",
    }  # fmt: skip
    assert (root.get("tests"), root.get("failures"), root.get("skipped")) == ("11", "3", "4")
    failure = root.find(".//testsuite[@name='favrskov.BASE']//failure")
    assert failure is not None
    assert failure.text is not None
    assert failure.text.startswith("expected: yes\nobserved: passwordauthentication=yes")


def test_a_lost_canary_fails_in_junit() -> None:
    lost = report(finding("BASE-01"), proofs=(replace(PROOF, seen=False, leg="relay"),))
    root = ET.fromstring(render_junit(lost, load_catalogue()))  # noqa: S314 - our own document
    assert [case.get("name") for case in root.iter("testcase") if case.find("failure") is not None] == [
        "verdict",
        "proofs",
        "firewall1",
    ]


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
    assert page.index("To be put right") < page.index("Seen at the collector") < page.index('"id">BASE-01')
    assert "Demands that are not met" in page
    assert "To be put right" not in render_html(report(finding("BASE-01")), load_catalogue())


def test_every_outcome_is_said_in_words_not_only_in_colour() -> None:
    page = render_html(MIXED, load_catalogue())
    for words in ("Opfyldt", "Ikke opfyldt", "Kan ikke prøves her", "Nåede frem"):
        assert words in page


def test_reports_are_kept_and_latest_means_the_newest(tmp_path: Path) -> None:
    project = Project(tmp_path, tmp_path / "state")
    write_reports(project, "favrskov", report(finding("BASE-01")))
    paths = write_reports(project, "favrskov", later(MIXED, "2026-11-24T05:00:00Z"))
    write_reports(project, "favrskov", later(MIXED, "2026-11-24T05:00:00Z"))
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
    assert verdicts == ["partial", "attention"]
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


def with_alarms(given: Report, *texts: Text) -> Report:
    return replace(given, situation=replace(given.situation, alarms=Measured(TIME, OpenAlarms(texts))))


def test_open_alarms_are_told_in_both_languages_and_kept() -> None:
    given = with_alarms(MIXED, Text("firewall1 er tavs <b>", "firewall1 is silent"))
    page = render_html(given, load_catalogue())
    assert "firewall1 er tavs &lt;b&gt;" in page
    assert "firewall1 is silent" in page
    text = render_json(given, load_catalogue())
    assert parse_json(text, "x") == given
    assert json.loads(text)["alarms"] == [["firewall1 er tavs <b>", "firewall1 is silent"]]


def test_an_open_alarm_is_printed_as_it_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    show(with_alarms(MIXED, Text("x", "firewall1 is [bold]silent[/]")), terminal())
    assert "ALARM firewall1 is [bold]silent[/]\n" in capsys.readouterr().out


def test_a_skipped_control_is_shown_with_its_reason_and_not_counted_as_met() -> None:
    page = render_html(report(finding("BASE-01"), finding("BASE-11", Outcome.SKIPPED, "a container")), load_catalogue())
    assert "BASE-11 hub1: a container" in page
    assert '<span class="soft small">1/2</span>' in page


def test_a_verification_keeps_the_proofs_that_were_made_before(tmp_path: Path) -> None:
    project = Project(tmp_path, tmp_path / "state")
    write_reports(project, "favrskov", report(finding("BASE-01")))
    paths = write_reports(project, "favrskov", later(report(finding("BASE-01")), "2026-11-25T05:00:00Z"))
    assert read_proofs(project, "favrskov") == Measured(TIME, Proofs((PROOF,)))
    page = Path(paths["html"]).read_text(encoding="utf-8")
    assert "firewall1" in page
    assert "That was done on 2026-11-24, not this time." in page


def test_no_proof_yet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no proof yet"):
        read_proofs(Project(tmp_path, tmp_path), "favrskov")


FIRST_SCHEMA = {
    "schema": 1,
    "verdict": "good",
    "slug": "favrskov",
    "name": "Favrskov",
    "code": "0710",
    "deployment": "faelles",
    "time": TIME,
    "version": "0.1.0",
    "findings": [],
    "proofs": [],
    "durations": {},
}


@pytest.mark.parametrize("alarms", [[], [["tavs", "silent"]]])
def test_a_result_of_an_older_version_is_read_and_what_it_lacks_is_unknown(alarms: list[list[str]]) -> None:
    stored = FIRST_SCHEMA | {"alarms": alarms, "findings": [asdict(finding("BASE-01"))]}
    read = parse_json(json.dumps(stored), "x")
    assert read.findings == (finding("BASE-01"),)
    assert isinstance(read.situation.ledger, Unknown)
    assert [text.en for text in read.alarms] == ["silent"] * len(alarms)
    told = read.verdict.headline.en
    assert "whether events are missing (the result is of an older version)" in told
    assert "whether alarms are open (the result is of an older version)" in told
