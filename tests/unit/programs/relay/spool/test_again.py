"""What a SOC misses, put down for rsyslog: whole or not at all, of no other sector or relay, and not for ever."""

from __future__ import annotations

import json
import os
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from support.rsyslog_config import configuration, variables

from vaern_programs.relay.spool import again as spool_again

NOW = 1_795_549_000.0
RECEIVER = {
    "name": "national-relp", "protocol": "relp_tls", "sectors": ["health"], "address": "198.18.0.40", "port": 20514,
    "certificate_name": "soc.example", "max_disk_bytes": 67108864,
}  # fmt: skip


@pytest.fixture(scope="module")
def again() -> ModuleType:
    return spool_again


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "again").mkdir()
    return {"directory": str(tmp_path), "relay": "gw1", "receivers": {"national-relp": ["health"]}}


def line(number: int, *, sector: str = "health", relay: str = "gw1", message: str = "m") -> bytes:
    return json.dumps(
        {
            "time": "t", "received": "2026-11-24T10:00:00.000000+00:00", "municipality": "0710", "relay": relay,
            "boot": "a" * 32, "sequence": number, "site": "raadhus", "source": "journal1", "kind": "application",
            "sector": sector, "host": "h", "message": message,
        },
        separators=(",", ":"),
    ).encode()  # fmt: skip


def test_events_are_put_down_as_they_were(again: ModuleType, settings: dict[str, Any], tmp_path: Path) -> None:
    lines = [line(number, message='"sector":"waste"') for number in (1, 2)]
    done = again.redeliver(settings, "national-relp", [one + b"\n" for one in lines], NOW)
    assert done == {"resent": 2, "refused": 0, "error": ""}
    (path,) = (tmp_path / "again").iterdir()
    assert path.read_bytes().splitlines() == lines
    given = variables(
        log_shipper_listen="198.51.100.10",
        log_shipper_output={"brokers": ["hub1.vaern.internal:9093"], "topic": "logs.0710"},
        log_shipper_sources=[{"name": "journal1", "kind": "application", "sector": "health", "protocol": "syslog_tcp"}],
        log_shipper_receivers=[RECEIVER],
        log_shipper_spool={"directory": str(tmp_path), "max_bytes": 2**30},
    )
    assert f'file="{tmp_path}/again/national-relp.*.jsonl"' in configuration(given)
    assert path.match("again/national-relp.*.jsonl")
    assert given["log_shipper_spool_settings"]["receivers"] == settings["receivers"]


@pytest.mark.parametrize(
    "wrong",
    [line(3, sector="waste"), line(3, relay="gw2"), line(3, message="x" * 65536), b"{}", b"no event", b""],
    ids=["sector", "relay", "length", "identity", "text", "empty"],
)
def test_what_must_not_leave_by_that_way_is_refused(
    again: ModuleType, settings: dict[str, Any], tmp_path: Path, wrong: bytes
) -> None:
    done = again.redeliver(settings, "national-relp", [line(1), wrong, line(2)], NOW)
    assert done == {"resent": 2, "refused": 1, "error": ""}
    (path,) = (tmp_path / "again").iterdir()
    assert path.read_bytes().splitlines() == [line(1), line(2)]


def test_a_receiver_that_is_not_declared_is_an_answer(
    again: ModuleType, settings: dict[str, Any], tmp_path: Path
) -> None:
    assert "joint-relp" in again.redeliver(settings, "joint-relp", [line(1)], NOW)["error"]
    assert list((tmp_path / "again").iterdir()) == []


def test_what_was_handed_over_goes_after_a_day(again: ModuleType, settings: dict[str, Any], tmp_path: Path) -> None:
    for at in (NOW - 100_000, NOW):
        again.redeliver(settings, "national-relp", [line(1)], at)
        path = max((tmp_path / "again").iterdir())
        os.utime(path, (at, at))
    again.tidy(tmp_path, NOW)
    assert [path.name for path in (tmp_path / "again").iterdir()] == [f"national-relp.{round(NOW * 1000)}.jsonl"]
    again.tidy(tmp_path / "not there", NOW)
