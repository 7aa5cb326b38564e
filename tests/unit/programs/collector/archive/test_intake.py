"""What was read goes into the partition it came from: in order, a gap said, and never over what is archived."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from vaern_programs.collector.archive import intake as intake_module
from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.intake import Intake
from vaern_programs.collector.archive.observing import Observations
from vaern_programs.collector.archive.partition import Partition
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.sightings import Sightings

KEY = ("logs.0710", 0)
TENANT = {"code": "0710", "sources": [{"name": "firewall1"}]}
SETTINGS = {"tenants": [TENANT]}


@dataclass(frozen=True)
class Message:
    """As the Kafka client gives one."""

    number: int
    of: str = "logs.0710"
    more: int = 0

    def topic(self) -> str:
        return self.of

    def partition(self) -> int:
        return 0

    def offset(self) -> int:
        return self.number

    def value(self) -> bytes:
        return b'{"n":%d}' % self.number + b" " * self.more

    def key(self) -> bytes:
        return b"firewall1"

    def timestamp(self) -> tuple[int, int]:
        return 1, 1_795_549_034_000 + self.number


ASIDE: list[tuple[Place, str, int]] = []


def set_aside(place: Place, reason: str, content: bytes) -> None:
    ASIDE.append((place, reason, len(content)))


@pytest.fixture
def intake(tmp_path: Path) -> Intake:
    partitions = {(name, 0): Partition(tmp_path, name, 0, 2**20) for name in ("logs.0710", "logs.0751")}
    return Intake(partitions, Sightings(TENANT), Observations("0710", SETTINGS, 0.0), Alarms(), set_aside)


def test_each_partition_gets_its_own(intake: Intake, capsys: pytest.CaptureFixture[str]) -> None:
    intake.take([Message(0), Message(0, "logs.0751"), Message(1)], paused=())
    assert intake.partitions[KEY].lines == [b'{"n":0}', b'{"n":1}']
    assert intake.partitions["logs.0751", 0].lines == [b'{"n":0}']
    assert intake.sightings.seen["logs.0710"] == {"firewall1": 1_795_549_034.001}
    assert capsys.readouterr().err == ""


def test_of_a_paused_one_nothing_is_taken(intake: Intake) -> None:
    intake.take([Message(0), Message(0, "logs.0751")], paused={KEY})
    assert intake.partitions[KEY].lines == []
    assert set(intake.sightings.seen) == {"logs.0751"}


def test_a_gap_is_said_and_archiving_goes_on(intake: Intake, capsys: pytest.CaptureFixture[str]) -> None:
    intake.take([Message(0)], paused=())
    intake.take([Message(5), Message(6)], paused=())
    assert "4 records before offset 5 were gone from the broker" in capsys.readouterr().err
    assert (intake.partitions[KEY].lines, intake.halted) == ([b'{"n":5}', b'{"n":6}'], set())


def test_an_event_that_is_too_long_is_set_aside_and_keeps_its_place(intake: Intake) -> None:
    ASIDE.clear()
    intake.take([Message(7), Message(8, more=intake_module.LONGEST), Message(9)], paused=())
    assert intake.partitions[KEY].lines == [b'{"n":7}', b'{"quarantined":"logs.0710/0/8"}', b'{"n":9}']
    reason = f"an event of {intake_module.LONGEST + 7} bytes, {intake_module.LONGEST} at most are archived"
    assert [(Place("logs.0710", 0, 8, 8), reason, intake_module.LONGEST + 7)] == ASIDE


def test_offsets_that_went_back_halt_that_partition_only(intake: Intake, capsys: pytest.CaptureFixture[str]) -> None:
    intake.take([Message(3), Message(4)], paused=())
    intake.take([Message(0)], paused=())
    assert "the broker is at offset 0, the archive already at 5" in capsys.readouterr().err
    intake.take([Message(5), Message(0, "logs.0751")], paused=())
    assert intake.halted == {KEY}
    assert intake.partitions[KEY].next == 5
    assert intake.partitions["logs.0751", 0].lines == [b'{"n":0}']
