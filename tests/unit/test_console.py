"""Progress as plain lines and as JSON."""

from __future__ import annotations

import json

import pytest

from vaern.console import progress_listener
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
