"""A statement is an event like any other, and what is new is stated whole, in as many as it takes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from vaern_programs.relay.broker import BrokerError
from vaern_programs.relay.spool import statement
from vaern_programs.relay.spool.state import State

SETTINGS = {"municipality": "0710", "relay": "gw1", "site": "raadhus"}
SPOOL = {"bytes": 1, "max_bytes": 2, "segments": 1}


def entered(sources: int) -> State:
    """A state with so many sources of one day that nobody has been told of."""
    state = State()
    for number in range(sources):
        state.sent["a" * 32, f"source{number}"]["2026-11-24"] = (1, 5, "t1", "t2")
    return state


@pytest.mark.parametrize(("sources", "statements"), [(0, 1), (3, 1), (4, 2), (7, 3)])
def test_everything_new_is_stated_once(sources: int, statements: int, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, Any]] = []

    def send(settings: dict[str, Any], events: list[tuple[str, bytes]]) -> int:
        assert settings is SETTINGS
        sent.extend(json.loads(event) for source, event in events if source == "vaern.statement")
        return len(events)

    monkeypatch.setattr(statement, "send", send)
    monkeypatch.setattr(statement, "STATEMENT_ROWS", 3)
    state = entered(sources)
    at = statement.send_statements(SETTINGS, state, SPOOL)
    assert len(sent) == statements
    assert [event["sequence"] for event in sent] == list(range(1, statements + 1))
    assert sum(len(event["statement"]["sent"]) for event in sent) == sources
    assert (sent[-1]["time"], sent[-1]["relay"], sent[-1]["statement"]["spool"]) == (at, "gw1", SPOOL)
    assert state.unstated_rows() == ([], [])


def test_what_the_broker_did_not_take_is_still_new(monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object) -> int:
        raise BrokerError("away")

    monkeypatch.setattr(statement, "send", away)
    state = entered(2)
    with pytest.raises(BrokerError):
        statement.send_statements(SETTINGS, state, SPOOL)
    assert len(state.unstated_rows()[0]) == 2
