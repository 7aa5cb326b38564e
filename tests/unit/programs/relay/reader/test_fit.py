"""Which parts of the package vaern-reader are used, by what a host says and what a trial shows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vaern_programs.relay.reader import fit, trial

SAID = "rsyslogd  8.2504.0 (aka 2025.04) compiled with:\n\tPLATFORM:\t\t\t\tx86_64-pc-linux-gnu\n"


@pytest.fixture
def alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A host on which everything fits; what is said of it."""
    said: list[str] = []
    built_for, settings = tmp_path / "rsyslog", tmp_path / "reader.json"
    built_for.write_text("8.2504.0\n", encoding="ascii")
    settings.write_text("{}", encoding="ascii")
    monkeypatch.setattr(fit, "BUILT_FOR", built_for)
    monkeypatch.setattr(fit, "ANSWER", tmp_path / "answer")
    monkeypatch.setattr(fit, "installed", lambda: "8.2504.0")
    monkeypatch.setattr(fit, "alarm", said.append)
    monkeypatch.setattr(trial, "SETTINGS", settings)
    for part in ("plain", "lines"):
        monkeypatch.setattr(trial, part, lambda: "")
    monkeypatch.setattr(trial, "encrypted", lambda *_: "")
    return said


def answer() -> str:
    assert fit.main(["/pki/host.crt", "/pki/host.key"]) == 0
    return fit.ANSWER.read_text(encoding="ascii")


def test_all_that_fits_is_used(alarms: list[str]) -> None:
    assert answer() == "VAERN_PTCP=vaernptcp\nVAERN_OSSL=vaernossl\nVAERN_LINES=read\n"
    assert alarms == []


def test_a_part_that_fails_is_left_out_and_the_others_are_used(
    alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "encrypted", lambda *_: "no port was opened")
    assert answer() == "VAERN_PTCP=vaernptcp\nVAERN_OSSL=ossl\nVAERN_LINES=read\n"
    assert alarms == ["lmnsd_vaernossl.so does not do what it should: no port was opened"]


def test_a_part_is_tried_twice(alarms: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy host was too slow the first time: its relay took everything in unread until somebody started it again."""
    said = ["nothing was written", ""]
    monkeypatch.setattr(trial, "lines", lambda: said.pop(0))
    assert answer() == "VAERN_PTCP=vaernptcp\nVAERN_OSSL=vaernossl\nVAERN_LINES=read\n"
    assert alarms == said == []


def test_nothing_is_used_with_another_rsyslog_or_without_the_package(
    alarms: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = "VAERN_PTCP=ptcp\nVAERN_OSSL=ossl\nVAERN_LINES=unread\n"
    monkeypatch.setattr(fit, "installed", lambda: "8.2506.0")
    assert answer() == nothing
    fit.BUILT_FOR.unlink()
    assert answer() == nothing
    assert [words for words in alarms if "8.2506.0" in words or "not installed" in words] == alarms


def test_an_answer_that_cannot_be_written_does_not_stop_the_relay(alarms: list[str]) -> None:
    fit.ANSWER.mkdir()
    assert fit.main([]) == 0
    assert alarms == []


@pytest.mark.parametrize(("said", "version"), [(SAID, "8.2504.0"), ("", ""), ("rsyslogd", ""), ("bash: no", "")])
def test_the_version_of_rsyslog(said: str, version: str) -> None:
    assert fit.upstream(said) == version


@pytest.mark.parametrize(
    ("change", "kept", "good"),
    [
        ({}, False, True),
        ({"source": "other"}, False, False),
        ({"sequence": 2}, False, False),
        ({"message": f"{trial.NUMBER} is masked"}, False, False),
        ({"message": f"{trial.NUMBER} is masked"}, True, True),
        ({"message": ""}, False, False),
        ({"message": 5}, False, False),
    ],
)
def test_a_line_is_compared(change: dict[str, object], good: bool, kept: bool) -> None:
    line = json.dumps({"source": "s1", "sequence": 1, "message": "[CPR] is masked"} | change).encode()
    assert (trial.unlike(line, "s1", kept=kept) == "") is good


@pytest.mark.parametrize("line", [b"", b"[]", b"{}", b'{"source": "s1"', b"\xff"])
def test_what_is_no_event_is_said(line: bytes) -> None:
    assert trial.unlike(line, "s1", kept=False)
