"""What the collector has counted last of each municipality, and that not knowing is never read as nothing missing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vaern.archive import counts
from vaern.archive.ledger import Ledger
from vaern.declaration import load_deployment, load_fleet
from vaern.errors import UnreachableError
from vaern.runtime import ssh
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
ROW = {"day": "", "relay": "all", "source": "all", "sent": 50_000, "received": 1800, "duplicate": 0, "given_up": 0}
BALANCE = {
    "code": "0710", "time": "2026-11-30T01:00:00+00:00", "rows": [{**ROW, "under_way": 0, "missing": 48_200}],
    "gaps": [], "lost_segments": [{"file": "all", "events": 7, "from": "", "until": "", "sources": []}],
    "statements": {"favrskov-gw1": "2026-11-30T00:59:30.000000+00:00"}, "spools": {}, "others": 0, "broken": 0,
    "refused": 0, "unlisted": 0,
}  # fmt: skip
HEALTH: dict[str, Any] = {
    "begun": 1.0, "ended": 2.0, "counted": 2.0, "fault": "", "refused": 0, "unlisted": 0, "balance": BALANCE,
}  # fmt: skip


def test_each_municipality_has_its_own_count() -> None:
    found = counts.read_counts(json.dumps({"0710": HEALTH}))
    ledger = found.of("0710")
    assert isinstance(ledger, Ledger)
    assert (ledger.time, ledger.total("missing"), ledger.total("sent")) == (BALANCE["time"], 48_200, 50_000)
    assert [one.events for one in ledger.lost_segments] == [7]
    assert ledger.statements == BALANCE["statements"]
    assert found.of("0751") == counts.NOT_YET


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "[" * 20_000,
        "{}",
        '{"0710": 5}',
        json.dumps({"0710": {key: value for key, value in HEALTH.items() if key != "balance"}}),
        json.dumps({"0710": HEALTH | {"balance": BALANCE | {"rows": [{**ROW, "missing": "none"}]}}}),
        json.dumps({"0710": HEALTH | {"balance": {}}}),
    ],
)
def test_what_is_not_counted_is_not_known(text: str) -> None:
    assert counts.read_counts(text).of("0710") == counts.NOT_YET


def test_all_municipalities_are_asked_for_with_one_question(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    asked: list[str] = []

    def run(_: Project, host: str, command: str, limit: int) -> Any:
        asked.append(f"{host}: {command}")
        return type("Answer", (), {"stdout": json.dumps({"0710": HEALTH, "0751": HEALTH})})

    monkeypatch.setattr(ssh, "run", run)
    fleet = load_fleet(Project(ROOT, ROOT / ".vaern"), ())
    assert sorted(counts.read(Project(ROOT, tmp_path), fleet.deployment).ledgers) == ["0710", "0751"]
    assert asked == ["hub1: cat /run/vaern-ledger/health.json"]


def test_a_collector_that_does_not_answer_is_not_one_without_loss(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fleet = load_fleet(Project(ROOT, ROOT / ".vaern"), ("favrskov",))
    told = counts.read(Project(ROOT, tmp_path), fleet.deployment).of("0710")
    assert not isinstance(told, Ledger)
    assert told.en == "hub1 has not been made"

    def run(*_: object, **__: object) -> None:
        raise UnreachableError("hub1 does not answer\nssh: no route")

    monkeypatch.setattr(ssh, "run", run)
    told = counts.read(Project(ROOT, tmp_path), fleet.deployment).of("0710")
    assert not isinstance(told, Ledger)
    assert told.en == "hub1 does not answer"


def test_on_azure_nobody_counts(tmp_path: Path) -> None:
    example = load_deployment(ROOT / "docs/examples/azure/collector.yml")
    assert counts.read(Project(tmp_path, tmp_path / ".vaern"), example).of("0710") == counts.ON_AZURE
