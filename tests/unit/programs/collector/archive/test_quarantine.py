"""What cannot be archived: said where it was, kept as far as there is room, and never read again."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from vaern_programs.collector.archive import quarantine, quarantined
from vaern_programs.collector.archive.quarantine import Place, Quarantine

PLACE = Place("logs.0710", 0, 7, 9)


def test_a_batch_is_listed_kept_and_gone_behind(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path)
    record = kept.keep(PLACE, "unpacks to more than 16 MiB", b"bytes", behind=True)
    assert record["events"] == 3
    assert record["sha256"] == hashlib.sha256(b"bytes").hexdigest()
    assert (tmp_path / "quarantine" / record["file"]).read_bytes() == b"bytes"
    again = Quarantine(tmp_path)
    assert (again.batches, again.events, again.records()) == (1, 3, [record])
    assert again.after("logs.0710", 0, 7) == 10
    assert again.after("logs.0710", 0, 12) == 12
    assert again.after("logs.0710", 1, 7) == 7


def test_one_event_that_is_too_long_moves_no_position(tmp_path: Path) -> None:
    Quarantine(tmp_path).keep(PLACE, "too long", b"bytes", behind=False)
    assert Quarantine(tmp_path).after("logs.0710", 0, 7) == 7


def test_nothing_is_made_before_something_is_kept(tmp_path: Path) -> None:
    Quarantine(tmp_path).forget(1)
    assert list(tmp_path.iterdir()) == []


def test_who_sends_nothing_but_what_cannot_be_read_fills_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "KEPT_BYTES", 1000)
    monkeypatch.setattr(quarantine, "KEPT_FILES", 5)
    monkeypatch.setattr(quarantine, "LIST_BYTES", 4000)
    kept = Quarantine(tmp_path)
    for number in range(100):
        kept.keep(Place("logs.0710", 0, number, number), "damaged", b"x" * (400 if number < 2 else 30), behind=True)
    sizes = [path.stat().st_size for path in (tmp_path / "quarantine").iterdir()]
    assert sum(sizes) < 1000 + 2 * (4000 + 400) + 200
    assert len(sizes) == 5 + 3
    assert kept.batches == 100
    listed = kept.records()
    assert listed[-1]["first"] == 99
    assert listed[-1]["file"] is None
    assert len(listed) < 100


def test_alarms_of_an_hour_are_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [10000.0]
    monkeypatch.setattr(quarantine.time, "time", lambda: now[0])
    kept, begun = Quarantine(tmp_path), []
    for seconds in (0, 3599, 3600):
        now[0] += seconds
        kept.keep(PLACE, "damaged", b"", behind=True)
        begun.append(kept.since)
    assert begun == [10000.0, 10000.0, 17199.0]


def test_bytes_end_with_the_retention_and_the_list_stays(tmp_path: Path) -> None:
    kept = Quarantine(tmp_path)
    old = kept.keep(PLACE, "damaged", b"old", behind=True)["file"]
    new = kept.keep(PLACE._replace(first=20, last=20), "damaged", b"new", behind=True)["file"]
    os.utime(tmp_path / "quarantine" / old, (0, 0))
    kept.forget(400)
    assert [path.name for path in (tmp_path / "quarantine").glob("*.batch")] == [new]
    assert (kept.bytes, kept.files, len(kept.records())) == (3, 1, 2)


def test_the_command_lists_the_newest_first(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "0710").mkdir()
    kept = Quarantine(tmp_path / "0710")
    for number in (1, 2, 3):
        kept.keep(Place("logs.0710", 0, number, number), "damaged", b"x", behind=True)
    (tmp_path / "0710/quarantine/list.jsonl").open("a").write('{"cut off')
    arguments = ["--archive", str(tmp_path), "--code"]
    assert quarantined.main([*arguments, "0710", "--limit", "2"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["first"] for one in found] == [3, 2]
    assert Path(found[0]["file"]).read_bytes() == b"x"
    assert quarantined.main([*arguments, "0751"]) == 2
    assert "0751" in capsys.readouterr().err
