"""What reading a line costs with each shipped parser, against serde_json reading a line of JSON as long (`make bench`).

    pytest tests/bench/test_reader_cost.py -m bench -s

The two ways are taken in turn in one run of the program, and the best of forty rounds counts.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from vaern.runtime import reader
from vaern.runtime.paths import Project

pytestmark = pytest.mark.bench
ROOT = Path(__file__).resolve().parents[2]
MOST = 2.0
"""Times serde_json, for the header, the time and the fields of a line."""


def test_no_parser_costs_more_than_twice_serde_json() -> None:
    """Of the lines that were set aside, a parser at a time; the whole way to the masked event is printed beside it."""
    requests = []
    for path in sorted((ROOT / "tests/reader/lines").glob("*.yml")):
        rows = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)["lines"]
        requests += [json.dumps({"parser": path.stem, "line": row["line"]}) for row in rows]
    answer = reader.run(Project.find(ROOT), ["cost"], "\n".join(requests).encode())
    found = [json.loads(line) for line in answer.splitlines()]
    print("\nnanoseconds a line, and times serde_json")
    print("parser           bytes  reading  whole event  serde_json  reading  whole event")
    for row in found:
        times = f"{row['read_ns']:>9.0f}{row['event_ns']:>13.0f}{row['serde_json_ns']:>12.0f}"
        print(f"{row['parser']:<16}{row['bytes']:>6}{times}{row['read_ratio']:>9.2f}{row['event_ratio']:>13.2f}")
    assert {row["parser"] for row in found} == {path.stem for path in (ROOT / reader.PARSERS).glob("*.yml")}
    assert {row["parser"]: row["read_ratio"] for row in found if row["read_ratio"] > MOST} == {}
