"""Progress as plain lines and as JSON, and tables that are whole where there is no terminal."""

from __future__ import annotations

import json
import sys

import pytest
from rich.table import Table

from vaern.console import progress_listener, terminal
from vaern.model.progress import Phase, Progress

TOLD = [
    Progress("enrol", Phase.STARTED, "keys", 0.0),
    Progress("enrol", Phase.DETAIL, "hub1", 0.2),
    Progress("enrol", Phase.FINISHED, "3 hosts", 1.25),
]


def test_without_a_terminal_every_step_is_a_plain_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_listener(as_json=False) as listener:
        for event in TOLD:
            listener(event)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "enrol: keys\n  enrol: hub1\nenrol: 3 hosts (1.2 s)\n"


def test_for_a_program_every_step_is_a_json_line(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_listener(as_json=True) as listener:
        for event in TOLD:
            listener(event)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["phase"] for line in lines] == ["started", "detail", "finished"]
    assert lines[-1] == {"stage": "enrol", "phase": "finished", "text": "3 hosts", "seconds": 1.25}


@pytest.mark.parametrize("aside", [False, True])
def test_without_a_terminal_no_column_is_cut(
    aside: bool, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    table = Table("day", "relay", "missing")
    table.add_row("2026-11-24", "favrskov-gw1-with-a-long-name" * 5, "1,234,567")
    terminal(aside=aside).print(table)
    captured = capsys.readouterr()
    assert "favrskov-gw1-with-a-long-name" * 5 in (captured.err if aside else captured.out)
    assert "…" not in captured.out + captured.err
    assert max(map(len, (captured.out + captured.err).splitlines())) < 200


def test_a_terminal_keeps_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert terminal().width == 40
