"""One municipality is archived: from where the archive ends, behind what is in quarantine, and within its share."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.doubles.kafka_message import KEY, Message

from vaern_programs.collector.archive import archiver as module
from vaern_programs.collector.archive import observing, report
from vaern_programs.collector.archive.archiver import Archiver
from vaern_programs.collector.archive.quarantine import Place

pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")


def event(number: int) -> Message:
    """An event of the firewall."""
    return Message(number, b'{"n":%d}' % number, b"fw")


class Reader:
    """Gives what a test puts into it, a list at a time."""

    def __init__(self) -> None:
        self.batches: list[list[Message]] = []
        self.started: dict[Any, int] = {}
        self.resumed: dict[Any, int] = {}
        self.away = False

    def start(self, offsets: Mapping[Any, int]) -> None:
        self.started |= offsets

    def read(self) -> tuple[list[Message], list[str]]:
        if self.away:
            raise ConnectionError("away")
        return (self.batches.pop(0) if self.batches else []), []

    def partitions(self, topic: str) -> list[int]:
        if self.away:
            raise ConnectionError("away")
        return [0]

    def pause(self, key: Any) -> None:
        self.resumed.pop(key, None)

    def resume(self, key: Any, offset: int) -> None:
        self.resumed[key] = offset

    def end(self, key: Any) -> int:
        return 9


class Bench:
    """An archiver with settings and folders of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.reader = folder, Reader()
        (folder / "archive/0710").mkdir(parents=True)
        self.settings: dict[str, Any] = {
            "archive": {
                "directory": str(folder / "archive"), "flush_seconds": 0, "flush_mib": 4, "segment_mib": 64,
                "reserve_mib": 0,
            },
            "tenants": [{"code": "0710", "retention_days": 400, "max_gib": 1.0, "sources": [{"name": "fw"}]}],
        }  # fmt: skip
        self.write()
        self.archiver = Archiver("0710", {KEY[0]})

    def write(self) -> None:
        (self.folder / "collector.json").write_text(json.dumps(self.settings))

    def run(self, *batches: list[Message]) -> None:
        """Take these, one after the other, and end."""
        self.reader.batches += batches
        self.archiver.stopping = False
        rounds = iter([False] * len(batches) + [True])
        self.archiver.run(self.reader, lambda: None, lambda: next(rounds))  # type: ignore[arg-type]

    def anew(self) -> None:
        """As after a restart."""
        self.reader, self.archiver = Reader(), Archiver("0710", {KEY[0]})

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "0710.json").read_text())
        return found


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(module, "SETTINGS", tmp_path / "collector.json")
    monkeypatch.setattr(module, "LEFTOVERS", tmp_path / "leftovers")
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    monkeypatch.setattr(report, "REPORTS", tmp_path)
    monkeypatch.setattr(observing, "REPORTS", tmp_path)
    monkeypatch.setattr(report, "EVERY_SECONDS", 0.0)
    return Bench(tmp_path)


def test_it_begins_where_the_archive_ends(bench: Bench) -> None:
    bench.run([event(0), event(1)])
    assert bench.reader.started == {KEY: -1}
    assert bench.report()["topics"] == {KEY[0]: {"as_of": 1.0, "seen": {"fw": 1.0}, "told": {}}}
    bench.anew()
    bench.run()
    assert bench.reader.started == {KEY: 2}


def test_what_is_in_quarantine_is_not_read_again(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.run([event(0), event(1)])
    bench.anew()
    bench.run([])
    bench.archiver.skip(Place(*KEY, 2, 5), "gzip, unpacks to more than 16 MiB", b"bytes")
    bench.run([event(6)])
    assert "offsets 2 to 5 are in quarantine" in capsys.readouterr().err
    assert [one["kind"] for one in bench.report()["findings"]] == ["quarantine"]
    assert bench.report()["statistics"]["quarantined_events"] == 4
    bench.anew()
    bench.run()
    assert bench.reader.started == {KEY: 7}
    bench.archiver.skip(Place(*KEY, 7, 7), "damaged", b"")
    bench.anew()
    bench.run()
    assert bench.reader.started == {KEY: 8}


def test_one_at_its_share_pauses_and_goes_on_where_it_was(bench: Bench) -> None:
    bench.settings["tenants"][0]["max_gib"] = 0.0
    bench.write()
    bench.anew()
    bench.run([event(0)], [])
    assert list((bench.folder / "archive/0710").glob("*/*.zst")) == []
    assert bench.report()["statistics"]["paused"] == ["logs.0710/0"]
    assert bench.report()["blocks"] is True, "the ledger tells the relays"
    assert [one["kind"] for one in bench.report()["findings"]] == ["share"]
    bench.settings["tenants"][0]["max_gib"] = 1.0
    bench.write()
    bench.archiver.changed = 0.0
    bench.archiver.paused[KEY] = 0.0
    bench.run([])
    assert bench.reader.resumed == {KEY: 1}
    assert bench.report()["statistics"]["paused"] == []


def test_a_broker_that_is_away_is_an_alarm_and_stops_nothing(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    bench.reader.away = True
    bench.run([], [])
    assert "The broker does not answer: away" in capsys.readouterr().err
    assert bench.archiver.partitions == {}
    bench.reader.away, bench.reader.batches = False, []
    bench.run([event(0)])
    assert bench.archiver.partitions[KEY].next == 1


def test_a_municipality_that_is_gone_is_archived_to_its_end(bench: Bench) -> None:
    bench.settings["tenants"] = []
    bench.write()
    bench.anew()
    bench.run([event(0)])
    assert bench.report()["topics"] == {KEY[0]: {"as_of": 0.0, "seen": {}, "told": {}}}
    assert bench.report()["statistics"]["share_bytes"] is None
    assert len(list((bench.folder / "archive/0710").glob("*/*.zst"))) == 1
