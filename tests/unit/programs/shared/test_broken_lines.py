"""Lines that are no JSON: found without parsing every line, and read as far as they can be."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vaern_programs.shared.broken_lines import broken_lines, event_of, mended

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12) | st.sampled_from(
    ['":000,', '\\":NA}', '{"a":-}']
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)
NO_NUMBERS = [
    "000",
    "NA",
    "-",
    "+5",
    "",
    "1.2.3",
    "0x1f",
    "NaN",
    "Infinity",
    "-Infinity",
    "12abc",
    "007",
    "1e",
    ".5",
    "5.",
]


def line_with(bare: str, message: str) -> str:
    ecs = f'{{"@timestamp":"2026-11-29T12:00:00Z","http.response.status_code":{bare},"source.ip":"10.20.0.5"}}'
    return f'{{"sequence":7,"source":"proxy1","message":{json.dumps(message)},"parsed":true,"ecs":{ecs}}}'


@pytest.mark.parametrize("bare", NO_NUMBERS)
@given(message=TEXTS)
@example(message=":}")
@example(message='x":000,"y')
def test_a_value_that_is_no_json_is_counted_and_read_as_text(bare: str, message: str) -> None:
    line = line_with(bare, message)
    assert event_of(line) is None
    found = mended(line)
    assert found is not None
    assert (found["message"], found["sequence"]) == (message, 7)
    assert found["ecs"]["http.response.status_code"] == bare
    assert broken_lines(f"{line_with('200', message)}\n{line}\n{line}\n".encode()) == 2


@given(st.lists(st.dictionaries(TEXTS, VALUES, max_size=4), max_size=4))
def test_no_line_of_json_is_counted(events: list[dict[str, object]]) -> None:
    """However it is written, and whatever stands in its texts."""
    for separators in ((",", ":"), (", ", ": ")):
        text = "".join(f"{json.dumps(one, ensure_ascii=False, separators=separators)}\n" for one in events)
        assert broken_lines(text.encode()) == 0


@given(st.binary(max_size=80))
def test_anything_is_read(line: bytes) -> None:
    assert mended(line) is None or isinstance(mended(line), dict)
    assert 0 <= broken_lines(line) <= len(re.findall(rb"\n", line))
