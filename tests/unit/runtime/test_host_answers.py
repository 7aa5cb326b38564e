"""JSON of a host: what is used has the shape it is to have, and everything else is refused before it is used."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaern.runtime.host_answers import conforms, load, shaped
from vaern_programs.shared.answers import AlarmRecord, Balance, OpenAlarms
from vaern_programs.shared.reports import DeliveryStatistics, Round, SpoolState

SHAPES = (Balance, Round, SpoolState, OpenAlarms, DeliveryStatistics)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
GAP = {"day": "", "relay": "", "boot": "", "source": "", "first": 1, "last": 1, "events": 1, "from": "", "until": ""}


@pytest.mark.parametrize(
    "text",
    ["", "{", "NaN", '{"a": Infinity}', "-Infinity", "1e999", "9" * 400, "9" * 5000, "[" * 20_000, '{"a":' * 20_000],
)
def test_what_no_program_of_ours_writes_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its text is json's for some
        load(text)


@pytest.mark.parametrize(
    ("shape", "value", "why"),
    [
        (Round, [], "the answer is of another kind"),
        (Round, {"resent": "5"}, "the answer.resent is of another kind"),
        (Round, {"resent": True}, "the answer.resent is of another kind"),
        (Round, {"error": ["x"]}, "the answer.error is of another kind"),
        (Balance, {"rows": [5]}, r"the answer.rows\[\] is of another kind"),
        (Balance, {"gaps": [GAP | {"state": "burnt"}]}, r"the answer.gaps\[\].state is none of given_up"),
        (Balance, {"statements": {"gw1": 5}}, r"the answer.statements.\* is of another kind"),
        (AlarmRecord, {"value": "x"}, r"the answer.value is of another kind"),
    ],
)
def test_what_is_not_as_its_shape_says_is_named(shape: type[Any], value: object, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        shaped(json.dumps(value), shape)


def test_what_is_as_its_shape_says_comes_back() -> None:
    value = {"rows": [], "gaps": [GAP | {"state": "missing"}], "statements": {"gw1": "t"}, "newer": "ignored"}
    assert shaped(json.dumps(value), Balance) == value
    assert conforms({"value": None, "limit": 1}, AlarmRecord)


@given(value=ANYTHING, shape=st.sampled_from(SHAPES))
def test_any_json_is_either_refused_or_as_its_shape_says(value: Any, shape: type[Any]) -> None:
    try:
        found = shaped(json.dumps({"time": value, "resent": value, "errors": value, "rows": value}), shape)
    except ValueError:
        return
    assert conforms(found, shape)
    assert all(not isinstance(one, float) or math.isfinite(one) for one in found.values())
