"""A name without an address is a finding, and an alarm with a text in both languages."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

import pytest

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.monitoring.alarms.records import raised_record
from vaern_programs.monitoring.watch import host
from vaern_programs.monitoring.watch.findings import NAME_MINUTES, Bad, Subject, names
from vaern_programs.monitoring.watch.program import Watch
from vaern_programs.shared import name_state
from vaern_programs.shared.reports import FindingKind

TEXTS = Path(str(raised_record.__code__.co_filename)).with_name("texts.json")
NOW = 1_795_770_000.0


def test_a_name_is_a_finding_a_quarter_of_an_hour_after_its_last_address() -> None:
    good = {"printer7": NOW - 60 * NAME_MINUTES, "camera2": NOW - 60 * NAME_MINUTES - 60}
    assert names(good, NOW) == {Subject("name", "camera2"): Bad(16, 15)}
    assert names({}, NOW) == {}
    assert names(None, NOW) == {Subject("name"): Bad(None, 15)}


def test_the_watch_reads_what_was_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings, state = tmp_path / "names.json", tmp_path / "state.json"
    monkeypatch.setattr(name_state, "SETTINGS", settings)
    monkeypatch.setattr(name_state, "STATE", state)
    watch = Watch({"limits": {"hold_seconds": 60}})
    seen: dict[str, object] = {}
    assert (watch.names(seen, NOW), seen) == ({}, {}), "a relay without such sources"
    settings.write_text("[]", encoding="utf-8")
    assert watch.names(seen, NOW) == {}, "whoever looks them up has just begun"
    watch.names_known -= host.PATH_SECONDS
    assert watch.names(seen, NOW) == {Subject("name"): Bad(None, 15)}
    known = {"printer7": {"name": "printer7.lan", "set": "s", "addresses": [], "good": NOW - 3600}}
    state.write_text(json.dumps(known), encoding="utf-8")
    assert watch.names(seen, NOW) == {Subject("name", "printer7"): Bad(60, 15)}
    assert seen == {"name_minutes": {"printer7": 60}}
    os.utime(state, (0, 0))
    assert host.names_good() is None, "nobody has looked lately"


def test_every_finding_of_a_host_has_a_text_in_both_languages() -> None:
    texts = json.loads(TEXTS.read_text(encoding="utf-8"))
    for kind in get_args(FindingKind):
        for value in (3.0, None):
            record = raised_record(texts, Key("0710", kind, "favrskov-gw1: printer7"), Condition(NOW, value, 15), NOW)
            assert {language for language, text in record["text"].items() if "favrskov-gw1: printer7" in text} == {
                "da",
                "en",
            }
