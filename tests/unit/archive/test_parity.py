"""What a SOC received, held against the archive: what is missing is named, what is foreign is counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from vaern.archive.parity import compare, read_events
from vaern.commands.parity import command
from vaern.errors import UsageError
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]
HEALTH = frozenset({"health"})


def event(sequence: int, *, source: str = "journal1", sector: str = "health", code: str = "0710") -> dict[str, Any]:
    return {
        "municipality": code, "relay": "favrskov-gw1", "boot": "b1", "source": source, "sequence": sequence,
        "sector": sector, "received": f"2026-11-24T00:00:{sequence % 60:02}Z", "message": "x",
    }  # fmt: skip


def test_the_same_events_in_another_order_and_doubled_are_parity() -> None:
    archived = [event(number) for number in range(1, 6)]
    found = compare(archived, [*reversed(archived), archived[0]], "0710", HEALTH)
    assert found.holds
    assert (found.archived, found.received, found.duplicates, found.missing) == (5, 6, 1, 0)


def test_what_is_missing_is_named_as_runs_with_their_times() -> None:
    archived = [event(number) for number in range(1, 11)]
    found = compare(archived, [one for one in archived if one["sequence"] not in {3, 4, 9}], "0710", HEALTH)
    assert [(gap.source, gap.first, gap.last, gap.begins, gap.ends) for gap in found.gaps] == [
        ("journal1", 3, 4, "2026-11-24T00:00:03Z", "2026-11-24T00:00:04Z"),
        ("journal1", 9, 9, "2026-11-24T00:00:09Z", "2026-11-24T00:00:09Z"),
    ]
    assert not found.holds


@pytest.mark.parametrize("foreign", [event(1, sector="waste"), event(1, code="0741")])
def test_an_event_of_another_sector_or_municipality_is_foreign(foreign: dict[str, Any]) -> None:
    found = compare([event(1)], [event(1), foreign], "0710", HEALTH)
    assert (found.foreign, found.missing, found.holds) == (1, 0, False)


def test_other_sectors_and_the_relays_own_events_are_not_asked_for() -> None:
    archived = [event(1), event(1, source="firewall1", sector="administration"), event(1, source="vaern-gw1")]
    assert compare(archived, [event(1)], "0710", HEALTH).holds


def test_an_export_with_nothing_to_compare_is_no_parity() -> None:
    for archived in ([], [event(1, sector="waste")]):
        found = compare(archived, [], "0710", HEALTH)
        assert (found.archived, found.missing, found.holds) == (0, 0, False)


@given(have=st.lists(st.integers(1, 60)).map(set), lost=st.lists(st.integers(1, 60)).map(set))
def test_gaps_are_exactly_what_is_missing(have: set[int], lost: set[int]) -> None:
    archived = [event(number) for number in have]
    found = compare(archived, [event(number) for number in have - lost], "0710", HEALTH)
    named = {number for gap in found.gaps for number in range(gap.first, gap.last + 1)}
    assert named == have & lost
    assert found.missing == len(named)


@pytest.mark.parametrize("line", ["no json", "[]", "{}", '{"relay": "x"}', "null"])
def test_a_line_that_is_no_event_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "soc.jsonl"
    path.write_text(f"{json.dumps(event(1))}\n{line}\n", encoding="utf-8")
    with pytest.raises(UsageError, match=r"soc\.jsonl:2"):
        list(read_events(path))


def test_a_line_that_a_relay_has_broken_is_the_same_event(tmp_path: Path) -> None:
    path = tmp_path / "soc.jsonl"
    path.write_text(json.dumps(event(1)).replace('"x"', '"x", "ecs": {"http.response.status_code": 000}'), "utf-8")
    assert [one["ecs"] for one in read_events(path)] == [{"http.response.status_code": "000"}]


def test_the_command_says_what_is_missing_and_ends_with_1(tmp_path: Path) -> None:
    exported, received = tmp_path / "day.jsonl", tmp_path / "relp.jsonl"
    exported.write_text("".join(f"{json.dumps(event(number))}\n" for number in (1, 2, 3)), encoding="utf-8")
    received.write_text(f"{json.dumps(event(1))}\n", encoding="utf-8")
    arguments = ["favrskov", "national", "--exported", str(exported), "--received", str(received)]
    done = CliRunner().invoke(command, arguments, obj=Project(ROOT, tmp_path), standalone_mode=False)
    assert done.return_value == 1
    assert "3 in the archive, 1 received, 2 missing" in done.output
    assert "missing: journal1 2 to 3 of favrskov-gw1" in done.output


@pytest.mark.parametrize(("profile", "said"), [("nobody", "no SOC profile"), ("national", "")])
def test_a_profile_that_is_not_there_is_named(tmp_path: Path, profile: str, said: str) -> None:
    path = tmp_path / "empty.jsonl"
    path.touch()
    arguments = ["favrskov", profile, "--exported", str(path), "--received", str(path)]
    done = CliRunner().invoke(command, arguments, obj=Project(ROOT, tmp_path), standalone_mode=False)
    assert said in str(done.exception or "")
    assert (done.exception is None) == (said == "")
