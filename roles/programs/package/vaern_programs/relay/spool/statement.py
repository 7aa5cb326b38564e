"""What the relay states it has sent: events to the collector, of which the ledger makes the balance."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from vaern_programs.relay.broker import send
from vaern_programs.relay.spool.state import State
from vaern_programs.shared.reports import STATEMENT_ROWS, STATEMENT_SOURCE, Statement


def statement(settings: dict[str, Any], state: State, rows: tuple[list[Any], list[Any]], spool: Any, at: str) -> bytes:
    """An event like any other, so that it travels and is archived like one. `at` is its time, RFC 3339 in UTC."""
    stated: Statement = {"sent": rows[0], "given_up": rows[1], "spool": spool}
    event = {
        "time": at, "received": at, "municipality": settings["municipality"], "relay": settings["relay"],
        "boot": "0" * 32,
        "sequence": state.statements + 1, "site": settings["site"], "source": STATEMENT_SOURCE, "kind": "statement",
        "sector": "administration", "host": settings["relay"],
        "message": f"{len(rows[0])} sources and days stated, {len(rows[1])} with events given up",
        "statement": stated,
    }  # fmt: skip
    return json.dumps(event, separators=(",", ":")).encode()


def send_statements(settings: dict[str, Any], state: State, spool: dict[str, Any]) -> str:
    """Send the collector all unstated rows, in one or more statements; the time of the last. Raises BrokerError."""
    sent, given = state.unstated_rows()
    while True:
        part, at = (sent[:STATEMENT_ROWS], given[:STATEMENT_ROWS]), datetime.now(UTC).isoformat(timespec="microseconds")
        send(settings, [(STATEMENT_SOURCE, statement(settings, state, part, spool, at))])
        state.mark_stated(*part)
        sent, given = sent[STATEMENT_ROWS:], given[STATEMENT_ROWS:]
        if not sent and not given:
            return at
