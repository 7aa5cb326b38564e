"""The collector's side of the ledger: read once and kept, what has gone from the archive, what the relays are told."""

from __future__ import annotations

import json
import shutil
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

import pytest

from vaern_programs.collector.archive import partition as archive_partition
from vaern_programs.collector.archive import retention as archive_retention
from vaern_programs.ledger import confirm as ledger_confirm
from vaern_programs.ledger import count as ledger
from vaern_programs.ledger import summary as ledger_summary
from vaern_programs.shared import tally as ledger_tally

zstandard = pytest.importorskip("zstandard", reason="the archiver's library; Debian has it as python3-zstandard")
BOOT = "a" * 32
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Programs(NamedTuple):
    ledger_summary: ModuleType
    ledger_confirm: ModuleType
    ledger: ModuleType
    archive_partition: ModuleType
    archive_retention: ModuleType


@pytest.fixture(scope="module")
def programs() -> Programs:
    return Programs(ledger_summary, ledger_confirm, ledger, archive_partition, archive_retention)


def line(number: int, source: str = "dhcp1") -> bytes:
    at = f"2026-11-24T10:00:{number:02d}.000000+00:00"
    return (
        f'{{"time":"{at}","received":"{at}","municipality":"0710","relay":"gw1","boot":"{BOOT}","sequence":{number},'
        f'"site":"raadhus","source":"{source}","message":"m"}}'
    ).encode()


class Archive:
    """An archive of one municipality, and the ledger's own folder beside it."""

    def __init__(self, programs: Programs, folder: Path) -> None:
        self.programs = programs
        self.archive, self.state = folder / "archive", folder / "state"
        (self.archive / "0710").mkdir(parents=True)

    def write(self, first: int, last: int, *, new: bool = False) -> Path:
        """Archive these events; in a segment of their own when `new`."""
        size = 1 if new else 1 << 20
        partition = self.programs.archive_partition.Partition(self.archive / "0710", "logs.0710", 0, size)
        if partition.next < 0:
            partition.expect(0)
        partition.add([line(number) for number in range(first, last + 1)], time.monotonic())
        partition.close()
        return max((self.archive / "0710").glob("*/*.zst"))

    def read(self) -> list[Any]:
        return list(self.programs.ledger_summary.parts(self.archive, self.state, "0710", "2026-01-01"))

    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = ledger.report("0710", ledger.added_up(self.read(), NOW), NOW, None)
        return found


@pytest.fixture
def archive(programs: Programs, tmp_path: Path) -> Archive:
    return Archive(programs, tmp_path)


def test_what_was_read_is_not_read_again(archive: Archive, monkeypatch: pytest.MonkeyPatch) -> None:
    archive.write(1, 3)
    archive.read()
    read: list[bytes] = []
    tally = ledger_tally.Tally
    real = tally.add
    monkeypatch.setattr(tally, "add", lambda self, text: (read.append(text), real(self, text)))
    archive.write(4, 5)
    (row,) = archive.report()["rows"]
    assert (row["received"], row["missing"]) == (5, 0)
    assert read == [line(4) + b"\n" + line(5) + b"\n"]
    archive.read()
    assert len(read) == 1


def test_a_count_that_is_ended_has_kept_what_it_read_of_a_segment(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was kept between segments only: one that took too long was begun again each minute, for ever."""
    for number in range(1, 5):
        archive.write(number, number)
    monkeypatch.setattr(ledger_summary, "SAVE_SECONDS", -1.0)
    read: list[bytes] = []
    real = ledger_tally.Tally.add

    def add(self: Any, text: bytes) -> None:
        read.append(text)
        if len(read) == 3:
            raise MemoryError
        real(self, text)

    monkeypatch.setattr(ledger_tally.Tally, "add", add)
    with pytest.raises(MemoryError):
        archive.read()
    (row,) = archive.report()["rows"]
    assert (row["received"], row["duplicate"]) == (4, 0)
    assert [text.rstrip() for text in read] == [line(number) for number in (1, 2, 3, 3, 4)]


def with_a_broken_line(archive: Archive, programs: Programs) -> None:
    """Numbers 1 to 3, of which 2 is no JSON."""
    partition = programs.archive_partition.Partition(archive.archive / "0710", "logs.0710", 0, 1 << 20)
    partition.expect(0)
    broken = line(2).replace(b'"message":"m"', b'"message":"m","ecs":{"http.response.status_code":000}')
    partition.add([line(1), broken, line(3)], time.monotonic())
    partition.close()


def test_a_broken_line_has_arrived_and_is_counted(archive: Archive, programs: Programs) -> None:
    with_a_broken_line(archive, programs)
    told = archive.report()
    assert (told["rows"][0]["received"], told["broken"], told["others"]) == (3, 1, 0)
    assert archive.report()["broken"] == 1
    archive.write(4, 5)
    assert archive.report()["broken"] == 1


def test_what_an_earlier_version_has_counted_is_looked_through_once(
    archive: Archive, programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_a_broken_line(archive, programs)
    archive.read()
    (path,) = (archive.state / "0710").glob("*.json")
    summary = json.loads(path.read_text())
    for segment in summary["segments"].values():
        del segment["tally"]["broken"]
    path.write_text(json.dumps(summary))
    with monkeypatch.context() as hurried:
        hurried.setattr(ledger_summary, "LOOK_BACK_SECONDS", -1.0)
        assert archive.report()["broken"] == 0
    monkeypatch.setattr(ledger_summary, "LOOK_BACK_SECONDS", 600.0)
    assert archive.report()["broken"] == 1
    told = archive.report()
    assert (told["rows"][0]["received"], told["rows"][0]["duplicate"], told["broken"]) == (3, 0, 1)


def test_a_half_written_block_waits(archive: Archive) -> None:
    path = archive.write(1, 3)
    content = path.read_bytes()
    path.write_bytes(content + content[: len(content) // 2])
    (row,) = archive.report()["rows"]
    assert (row["received"], row["duplicate"]) == (3, 0)


def test_a_segment_that_is_another_one_now_is_counted_from_its_beginning(archive: Archive) -> None:
    path = archive.write(1, 9)
    archive.read()
    path.unlink()
    assert archive.write(1, 2) == path
    (row,) = archive.report()["rows"]
    assert row["received"] == 2


def test_a_segment_that_is_gone_is_named_with_its_time_span(archive: Archive) -> None:
    gone = archive.write(1, 3)
    archive.write(4, 6, new=True)
    archive.read()
    gone.unlink()
    told = archive.report()
    (lost,), (gap,) = told["lost_segments"], told["gaps"]
    assert lost == {
        "file": f"{gone.parent.name}/{gone.name}",
        "events": 3,
        "from": "2026-11-24T10:00:01.000000+00:00",
        "until": "2026-11-24T10:00:03.000000+00:00",
        "sources": ["dhcp1"],
    }
    assert (gap["first"], gap["last"], gap["until"]) == (1, 3, "2026-11-24T10:00:03.000000+00:00")
    archive.write(1, 3)
    assert archive.report()["lost_segments"] == []


def test_what_retention_deleted_has_been_received(archive: Archive) -> None:
    gone = archive.write(1, 3)
    archive.write(4, 6, new=True)
    archive.read()
    record = json.dumps({"file": f"{gone.parent.name}/{gone.name}", "reason": "older than 400 days"})
    (archive.archive / "0710" / "deleted.jsonl").write_text(record + "\n")
    gone.unlink()
    told = archive.report()
    assert (told["rows"][0]["received"], told["lost_segments"]) == (6, [])


def by_source(archive: Archive) -> dict[str, tuple[int, int]]:
    """Received and missing of each source, with the retention of one of them declared."""
    settings = {"tenants": [{"code": "0710", "retention_by_source": [{"source": "web", "days": 30}]}]}
    settings = {"archive": {"directory": str(archive.archive)}, **settings}
    deleted = ledger.Municipality("0710", settings, archive.state).deleted()
    told = ledger.report("0710", ledger.added_up(archive.read(), NOW), NOW, None, deleted)
    assert told["lost_segments"] == []
    return {row["source"]: (row["received"], row["missing"]) for row in told["rows"]}


@pytest.mark.parametrize("summaries", ["kept", "lost"])
def test_what_the_retention_of_one_source_deleted_is_not_missing(archive: Archive, summaries: str) -> None:
    """By the archiver's own deletion; also where the ledger must read an archive that was deleted from."""
    directory = archive.archive / "0710"
    lines = [line(number, source) for number in (1, 2, 4) for source in ("dhcp1", "web")]
    partition = archive.programs.archive_partition.Partition(directory, "logs.0710", 0, 1, {b"web": 30})
    partition.expect(0)
    for one in (*lines, stated("dhcp1"), stated("web")):
        partition.add([one], time.monotonic())
        partition.flush()
    partition.close()
    assert by_source(archive) == {"dhcp1": (3, 1), "web": (3, 1)}, "both lack number 3"
    (today,) = archive.programs.archive_retention.days(directory)
    retention = archive.programs.archive_retention
    over = list(retention.due(directory, date.fromisoformat(today) + timedelta(days=31), 400))
    assert {path.name.split(".")[-3] for path, _ in over} == {"r30"}
    for path, kept in over:
        retention.delete(directory, path, kept)
    if summaries == "lost":
        shutil.rmtree(archive.state)
    received = 3 if summaries == "kept" else 0
    assert by_source(archive) == {"dhcp1": (3, 1), "web": (received, 0)}
    min(directory.glob("*/*.zst")).unlink()
    assert len(archive.report()["lost_segments"]) == 1, "what nobody declared over is lost still"


def test_what_was_sent_on_a_day_to_come_is_shown(archive: Archive) -> None:
    """It was of no day that is shown."""
    partition = archive.programs.archive_partition.Partition(archive.archive / "0710", "logs.0710", 0, 1 << 20)
    partition.expect(0)
    partition.add([stated("dhcp1").replace(b"2026-11-24", b"2099-01-01")], time.monotonic())
    partition.close()
    assert [(row["day"], row["missing"]) for row in archive.report()["rows"]] == [("2099-01-01", 4)]


def stated(source: str) -> bytes:
    """That a source had sent 4 events; today's archive is that of the events' own day or later."""
    row = [BOOT, source, "2026-11-24", 1, 4, "2026-11-24T10:00:01.000000+00:00", "2026-11-24T10:00:04.000000+00:00"]
    rest = json.dumps({"sent": [row], "given_up": [], "spool": {}})
    return line(9, "vaern.statement").replace(b'"message":"m"}', b'"message":"m","statement":' + rest.encode() + b"}")


def test_a_broken_summary_is_made_again(archive: Archive) -> None:
    archive.write(1, 3)
    archive.read()
    (summary,) = (archive.state / "0710").glob("*.json")
    summary.write_text("{half")
    assert archive.report()["rows"][0]["received"] == 3
