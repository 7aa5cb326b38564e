"""JSON of a host: what is used has the shape it is to have, and everything else is refused before it is used."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.runtime.host_answers import load

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"a": Infinity}', "-Infinity", "1e999", "9" * 400, "9" * 5000, "[" * 20_000, '{"a":' * 20_000],
)
def test_what_no_program_of_ours_writes_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is json's for some
        load(text)


def test_other_json_comes_back_as_it_is() -> None:
    value = {"counter": 2**63, "load": 0.5, "names": ["a", None, True]}
    assert load(json.dumps(value)) == value


@given(text=st.text(max_size=30) | ANYTHING.map(json.dumps))
def test_any_text_is_either_refused_or_finite_json(text: str) -> None:
    try:
        found = load(text)
    except ValueError:
        return
    json.dumps(found, allow_nan=False)
