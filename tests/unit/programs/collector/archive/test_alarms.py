"""An alarm of the archiver is said once a minute for as long as its reason lasts."""

from __future__ import annotations

import pytest

from vaern_programs.collector.archive import alarms


def test_an_alarm_is_repeated_after_a_minute_and_at_once_when_it_comes_back(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = [1000.0]
    monkeypatch.setattr(alarms.time, "monotonic", lambda: now[0])
    kept = alarms.Alarms()
    for seconds in (0.0, 1.0, 58.9):
        now[0] += seconds
        kept.raise_alarm("disk", "full")
    kept.raise_alarm("broker", "away")
    assert capsys.readouterr().err.splitlines() == ["<1>ALARM full", "<1>ALARM away"]
    now[0] += 0.2
    kept.raise_alarm("disk", "full")
    kept.raise_alarm("broker", "away")
    assert capsys.readouterr().err.splitlines() == ["<1>ALARM full"]
    kept.clear("broker")
    kept.clear("nothing")
    kept.raise_alarm("broker", "away again")
    assert capsys.readouterr().err.splitlines() == ["<1>ALARM away again"]
