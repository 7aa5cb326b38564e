"""The one schema of reports: what fits is taken, and anything else is refused with a reason and nothing worse."""

from __future__ import annotations

import copy
import json
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vaern_programs.shared import answers, reports
from vaern_programs.shared.json_text import DEEPEST, UnfitError, loads
from vaern_programs.shared.limits import CONTROL
from vaern_programs.shared.schema import Schema

TIME = "2026-11-24T10:00:00.000000+00:00"
FITTING: dict[str, tuple[Schema[Any], Any]] = {
    "heartbeat": (reports.HEARTBEAT, {"host": "gw1", "time": TIME, "readings": {}, "findings": [{}, 5]}),
    "finding": (
        reports.FINDING,
        {"kind": "spool", "subject": "national", "value": 93, "limit": 80, "since": TIME},
    ),
    "statement": (
        reports.STATEMENT,
        {
            "relay": "favrskov-gw1",
            "received": TIME,
            "statement": {
                "sent": [["a" * 32, "firewall1", "2026-11-24", 1, 9, TIME, TIME]],
                "given_up": [["a" * 32, "firewall1", [[2, 3], [5, 6]]]],
                "spool": {"bytes": 1, "max_bytes": 2, "segments": 3},
            },
        },
    ),
    "statistics": (
        reports.DELIVERY_STATISTICS,
        {"time": TIME, "started": TIME, "acknowledged": 1, "refused": 0, "waiting_bytes": 0, "behind_seconds": 0.1,
         "errors": {"tls": 2}},
    ),
    "confirmation": (
        reports.CONFIRMATION,
        {"code": "0710", "time": TIME, "relays": {"favrskov-gw1": {"a" * 32: {"firewall1": [[1, 9]]}}}},
    ),
    "round": (reports.ROUND, {"resent": 0, "error": "", "stated": TIME}),
    "spool": (reports.SPOOL_STATE, {"bytes": 1, "max_bytes": 2, "waiting": 3, "time": TIME, "free": 4}),
    "balance": (
        answers.BALANCE,
        {
            "code": "0710", "time": TIME, "rows": [
                {"day": "2026-11-24", "relay": "gw1", "source": "dhcp1", "sent": 10, "received": 6, "duplicate": 1,
                 "given_up": 0, "under_way": 0, "missing": 4}
            ],
            "gaps": [
                {"day": "2026-11-24", "relay": "gw1", "boot": "a" * 32, "source": "dhcp1", "first": 7, "last": 10,
                 "events": 4, "from": TIME, "until": "", "state": "missing"}
            ],
            "lost_segments": [{"file": "x.zst", "events": 4, "from": TIME, "until": "", "sources": ["dhcp1"]}],
            "statements": {"gw1": TIME}, "spools": {}, "others": 0,
        },
    ),
    "exported": (answers.EXPORTED, {"events": 4, "sha256": "0" * 64, "access": "1" * 64}),
    "resent": (reports.RESENT, {"resent": 1, "refused": 0, "error": ""}),
}  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.just(10**400),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any) -> list[tuple[Any, ...]]:
    """Every place in a JSON value, as keys and indexes."""
    found: list[tuple[Any, ...]] = [()]
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        found += [(key, *rest) for rest in places(inner)]
    return found


def planted(value: Any, place: tuple[Any, ...], poison: Any) -> Any:
    """The same with something else in one place."""
    if not place:
        return poison
    changed = copy.deepcopy(value)
    inner = changed
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = poison
    return changed


@pytest.mark.parametrize("kind", FITTING)
def test_what_fits_is_taken(kind: str) -> None:
    schema, report = FITTING[kind]
    taken = schema.parse(json.dumps(report))
    assert json.loads(json.dumps(taken)) == {key: report[key] for key in report if key not in {"host", "readings"}}
    assert schema.take(report | {"newer": 1}) == taken


@pytest.mark.parametrize("kind", sorted(FITTING.keys() - {"heartbeat"}))
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_anything_anywhere_is_taken_or_refused(kind: str, data: st.DataObject) -> None:
    """Never another error; what is taken can be written as UTF-8, and its numbers are of the size that is allowed.

    The findings of a heartbeat are checked one by one, so they are here by themselves.
    """
    schema, report = FITTING[kind]
    place = data.draw(st.sampled_from(places(report)))
    text = json.dumps(planted(report, place, data.draw(JSON)))
    try:
        taken = schema.parse(text)
    except UnfitError as fault:
        written = str(fault).encode()
    else:
        written = json.dumps(taken, ensure_ascii=False, allow_nan=False).encode()
    assert not CONTROL.search(written.decode())
    assert not re.search(rb'[^"0-9a-f][0-9]{30}', written)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"kind": ["spool"]}, "kind: not one of the words"),
        ({"kind": "party"}, "kind: not one of the words"),
        ({"value": 10**400}, "value: not a number from -1e+15 to 1e+15"),
        ({"value": True}, "value: not a number from -1e+15 to 1e+15"),
        ({"since": "10000-01-01T00:00:00Z"}, "since: not a time"),
        ({"since": "9999-12-31T23:59:59-23:59"}, "since: not a time"),
        ({"since": "2026-11-24T10:00:00"}, "since: not a time"),
        ({"since": "1970-01-01T00:00:00+23:00"}, "since: not a time"),
        ({"subject": "\x1b]0;"}, "subject: has control characters"),
        ({"subject": "\udc80"}, "subject: has control characters"),
        ({"subject": "x" * 201}, "subject: not a text of at most 200 characters"),
    ],
)
def test_a_finding_says_where_it_does_not_fit(change: dict[str, Any], why: str) -> None:
    schema, finding = FITTING["finding"]
    with pytest.raises(UnfitError, match="^" + re.escape(why)):
        schema.take(finding | change)


@pytest.mark.parametrize(
    ("place", "poison", "why"),
    [
        (("sent",), 5, "statement: sent: not a list of at most 2000"),
        (("sent", 0, 2), "2026-W48-2", "statement: sent: 0: 2: not a date"),
        (("sent", 0, 2), "9999-12-31", "statement: sent: 0: 2: not a date"),
        (("sent", 0, 3), 1.5, "statement: sent: 0: 3: not a whole number from 0 to 1e+18"),
        (("sent", 0), ["a"], "statement: sent: 0: not 7 values"),
        (("given_up", 0, 2, 0), [2], "statement: given_up: 0: 2: 0: not 2 values"),
    ],
)
def test_a_statement_says_where_it_does_not_fit(place: tuple[Any, ...], poison: Any, why: str) -> None:
    schema, event = FITTING["statement"]
    with pytest.raises(UnfitError, match="^" + re.escape(why) + "$"):
        schema.take(planted(event, ("statement", *place), poison))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[" * 20_000, "more than 32 levels deep"),
        ('{"a":' * 20_000, "more than 32 levels deep"),
        ("[" * 20_000 + "]" * 20_000, "more than 32 levels deep"),
        ('"\\"' * 300_000 + "[" * 20_000, "not JSON"),
        ('{"a": Infinity}', "Infinity is not JSON"),
        ('{"a": NaN}', "NaN is not JSON"),
        ("1" * 5000, "not JSON"),
        (b"\xff", "not UTF-8"),
        (" " * 2_000_000, "longer than 1000000 bytes"),
    ],
)
def test_text_is_bounded_before_it_is_parsed(text: str | bytes, why: str) -> None:
    with pytest.raises(UnfitError, match=f"^{why}$"):
        loads(text, 1_000_000)


@given(st.text(alphabet='[]{}"\\\\a', max_size=40))
def test_depth_counts_no_bracket_in_a_text(text: str) -> None:
    nested = "[" * (DEEPEST - 1) + json.dumps(text) + "]" * (DEEPEST - 1)
    assert loads(nested, 1000)
    with pytest.raises(UnfitError, match="levels deep"):
        loads(f"[[{nested}]]", 1000)
