"""The reader held to lines that were set aside before its parsers were written, and to what once failed on a relay.

`lines/NAME.yml` has at least twenty lines for each parser, by the formats of vendors' documentation and of published
test suites; half of them were not looked at while the parser was written. `outside/NAME.yml` are by another hand, who
had seen no parser and no answer when they were written. `cases/*.json` are one a kind of failure. A row with
`exact: true` names every field of its event.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from vaern.runtime import reader
from vaern.runtime.paths import Project

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
RECEIVED = "2026-11-29T12:00:05Z"
SENDER = "198.51.100.1"
COMPLETE = 0.98
"""Share of the set-aside lines whose minimum fields must all be there. None may be wrong."""
FEWEST = 20
FEWEST_OUTSIDE = 5
AT_FIRST_SIGHT = (195, 236)
"""Lines of `outside` that were complete and right when they were first read, with no parser changed for them: 83 %.

Expectations were corrected afterwards where they held another convention and no other fact. Two lines of CEF, whose
time was the same in another form, count as right at first sight; five do not: the fraction of a second in a line whose
header has none, twice; the mnemonic alone as IOS' `event.code`; `*****` as no user of an ASA; dnsmasq's `type=64`.
"""


@dataclass(frozen=True)
class Kept:
    """A set-aside line and what became of it."""

    parser: str
    origin: str
    held_out: bool
    absent: list[str]
    wrong: dict[str, tuple[Any, Any]]
    """Field to the value that it should have, None for none, and the one that it has."""
    unnamed: list[str] | None
    """Fields that it has and its row does not name; None where the row does not say that it names all of them."""

    @property
    def complete(self) -> bool:
        """Every field is there with its value."""
        return not self.absent and not self.wrong


@pytest.fixture(scope="module")
def project() -> Project:
    """The repository itself; the reader is the one that set-up built."""
    return Project.find(ROOT)


@pytest.fixture(scope="module")
def kept(project: Project) -> list[Kept]:
    """Every set-aside line, read in one run."""
    rows = list(_lines("lines"))
    answers = reader.answers(project, [request for _, _, request in rows])
    return [_judged(name, row, event["ecs"]) for (name, row, _), event in zip(rows, answers, strict=True)]


@pytest.fixture(scope="module")
def outside(project: Project) -> list[Kept]:
    """Every line of another hand, read in one run."""
    rows = list(_lines("outside"))
    answers = reader.answers(project, [request for _, _, request in rows])
    return [_judged(name, row, event["ecs"]) for (name, row, _), event in zip(rows, answers, strict=True)]


def _lines(folder: str) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    for path in sorted((HERE / folder).glob("*.yml")):
        content = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        for row in content["lines"]:
            where = {"parser": path.stem, "timezone": row["timezone"], "received": content["received"]}
            yield path.stem, row, {**where, "sender": SENDER, "cpr": "mask", "line": row["line"]}


def _judged(parser: str, row: dict[str, Any], found: dict[str, Any]) -> Kept:
    expected = row["expected"]
    absent = [name for name, value in expected.items() if value is not None and name not in found]
    wrong = {name: (value, found[name]) for name, value in expected.items() if name in found and found[name] != value}
    unnamed = [name for name in found if name not in expected] if row.get("exact") else None
    return Kept(parser, row["from"], row.get("held_out", True), absent, wrong, unnamed)


def test_every_parser_has_lines_of_its_own() -> None:
    """At least twenty each, half of them held out, none of them twice."""
    parsers = {path.stem for path in (ROOT / reader.PARSERS).glob("*.yml")}
    assert parsers - {"generic"} == {path.stem for path in (HERE / "lines").glob("*.yml")}
    for path in sorted((HERE / "lines").glob("*.yml")):
        rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["lines"]
        assert len({row["line"] for row in rows}) == len(rows) >= FEWEST, path.name
        assert sum(row["held_out"] for row in rows) == len(rows) // 2, path.name
        assert all("@timestamp" in row["expected"] for row in rows), path.name


def test_the_minimum_is_found_and_nothing_is_wrong(kept: list[Kept]) -> None:
    """At least 98 % of all lines, and of those held out, are complete; no field of any line is wrong."""
    held = [each for each in kept if each.held_out]
    logging.getLogger(__name__).info("\n".join(_table(kept)))
    assert not [each for each in kept if each.wrong]
    for group in (kept, held):
        incomplete = [each for each in group if not each.complete]
        assert len(group) - len(incomplete) >= COMPLETE * len(group), incomplete


def test_rows_that_name_every_field_are_met_exactly(kept: list[Kept]) -> None:
    """A row with `exact: true` has no share that may lack a field, and none of its fields is beside those it names."""
    exact = [each for each in kept if each.unnamed is not None]
    assert {each.parser for each in exact} == {"windows-nxlog"}
    assert [each for each in exact if each.unnamed or not each.complete] == []


def test_every_parser_has_lines_of_another_hand() -> None:
    """At least five each, none of them twice and none of our own."""
    assert {path.name for path in (HERE / "outside").glob("*.yml")} == {
        path.name for path in (HERE / "lines").glob("*.yml")
    }
    own = {row["line"] for _, row, _ in _lines("lines")}
    for path in sorted((HERE / "outside").glob("*.yml")):
        rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["lines"]
        assert len({row["line"] for row in rows} - own) == len(rows) >= FEWEST_OUTSIDE, path.name


def test_lines_of_another_hand_are_complete(outside: list[Kept]) -> None:
    """As many as of our own lines, and none wrong."""
    good, all_of_them = AT_FIRST_SIGHT
    logging.getLogger(__name__).info("\n".join(_table(outside)))
    logging.getLogger(__name__).info("by another hand, at first sight: %s of %s", good, all_of_them)
    assert not [each for each in outside if each.wrong]
    incomplete = [each for each in outside if not each.complete]
    assert len(outside) - len(incomplete) >= COMPLETE * len(outside), incomplete


def _table(kept: list[Kept]) -> Iterator[str]:
    yield "complete lines    all          held out"
    for parser in [*sorted({each.parser for each in kept}), "together"]:
        mine = [each for each in kept if parser in (each.parser, "together")]
        held = [each for each in mine if each.held_out]
        yield f"{parser:<17} {_share(mine):<12} {_share(held)}"


def _share(kept: list[Kept]) -> str:
    complete = sum(each.complete for each in kept)
    return f"{complete}/{len(kept)} {100 * complete // len(kept)} %"


def test_other_forms_are_read_exactly(project: Project) -> None:
    """Lines of `further.yml`, every field of their events."""
    content = yaml.load((HERE / "further.yml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    where = {"timezone": content["timezone"], "received": content["received"], "sender": SENDER, "cpr": "mask"}
    rows = content["lines"]
    events = reader.answers(project, [where | {"parser": row["parser"], "line": row["line"]} for row in rows])
    assert [(row["line"], event["ecs"]) for row, event in zip(rows, events, strict=True)] == [
        (row["line"], row["ecs"]) for row in rows
    ]


def test_what_once_failed_is_right(project: Project) -> None:
    """Each kind of input that was found to fail on a relay, read with the reader."""
    cases = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (HERE / "cases").glob("*.json")}
    lines = {name: case for name, case in cases.items() if "line" in case}
    events = reader.answers(project, [_request(case) | {"line": case["line"]} for case in lines.values()])
    found = {name: _differences(case, event) for (name, case), event in zip(lines.items(), events, strict=True)}
    assert {name: each for name, each in found.items() if each} == {}


def test_no_line_is_lost_behind_one_that_begins_with_digits(project: Project) -> None:
    """A line of digits is no octet count: it and every good line behind it are events."""
    cases = [json.loads(path.read_text(encoding="utf-8")) for path in sorted((HERE / "cases").glob("tcp-*.json"))]
    assert len(cases) == 3
    for case in cases:
        first, rest = case["bytes_on_one_connection"]
        times, line = rest.removeprefix("then ").split(" times: ", 1)
        events = reader.answers(project, [_request(case) | {"bytes": first + line * int(times)}])
        assert [event["message"] for event in events] == [first.rstrip("\n"), *[line.rstrip("\n")] * int(times)]


def _request(case: dict[str, Any]) -> dict[str, str]:
    where = {"parser": case["parser"], "timezone": case["timezone"], "received": case.get("received_at", RECEIVED)}
    return {**where, "sender": SENDER, "cpr": "mask"}


def _differences(case: dict[str, Any], event: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """What a case expects and does not get. Names with `_` are of the event itself."""
    ecs, message = event["ecs"], event["message"]
    special = {
        "_host": event["host"],
        "_near_received": int(abs(_seconds(ecs["@timestamp"]) - _seconds(RECEIVED)) <= 5),
        "_message_masked": message.count("[CPR]"),
    }
    expected = dict(case["expected"])
    kept = expected.pop("_message_has", "")
    found = {name: special[name] if name in special else ecs.get(name) for name in expected}
    wrong = {name: (value, found[name]) for name, value in expected.items() if found[name] != value}
    return wrong if kept in message else wrong | {"_message_has": (kept, message)}


def _seconds(time: str) -> float:
    return datetime.fromisoformat(time).timestamp()
