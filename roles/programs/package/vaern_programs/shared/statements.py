"""What relays state they have sent, added up: one entry a relay, however many statements it made."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from sys import intern
from typing import Annotated, Any, TypedDict

from vaern_programs.shared.intervals import Interval, Intervals, union
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Most
from vaern_programs.shared.relay_names import RelayNames
from vaern_programs.shared.reports import (
    STATEMENT,
    STATEMENT_SOURCE,
    GivenUpRow,
    Relay,
    SentRow,
    SpoolUse,
    Statement,
    StatementEvent,
    Time,
)
from vaern_programs.shared.runs import Run, put, touches, wider
from vaern_programs.shared.schema import Schema
from vaern_programs.shared.times import in_utc, unix

MARK = f'"source":"{STATEMENT_SOURCE}"'.encode()
"""In a line that holds a statement, as the relay writes it."""


class StoredStatement(TypedDict):
    """All that one relay has stated, as it is kept: a statement of any number of rows."""

    relay: Relay
    received: Time
    sent: Annotated[list[SentRow], Most(10**6)]
    given_up: Annotated[list[GivenUpRow], Most(10**6)]
    spool: SpoolUse


STORED = Schema(StoredStatement, 2**30)


@dataclass
class RelayStatement:
    """All that one relay has stated."""

    at: str = ""
    """Time of the newest statement, UTC; empty when every one of them was of a time to come."""
    spool: dict[str, Any] = field(default_factory=dict)
    """How full the spool was then."""
    sent: dict[tuple[str, str, str], Run] = field(default_factory=dict)
    """Boot, source and day to what was sent."""
    given_up: dict[tuple[str, str], Intervals] = field(default_factory=dict)
    """Boot and source to the numbers that the relay no longer has."""


class Statements:
    """What each relay has stated."""

    def __init__(self) -> None:
        """Nothing is stated yet."""
        self.limit(math.inf, RelayNames(), math.inf)
        self.listed = 0
        """Rows and ranges of all relays together: what their size in memory goes with."""
        self.relays: dict[str, RelayStatement] = {}
        self.refused = 0
        """Statements that do not have the shape of one."""
        self.unlisted = 0
        """Rows and ranges that were left out, as there were too many, and statements of relays that nobody declared."""

    def limit(self, most: float, names: RelayNames, latest: float) -> None:
        """From now on take at most so many rows and ranges, all together, and only of relays that are admitted.

        A statement whose time is after `latest`, Unix seconds, does not say that its relay has stated anything lately.
        """
        self.most, self.names, self.latest = most, names, latest

    def read(self, text: bytes) -> None:
        """Add every statement among some lines of events."""
        for line in text.splitlines():
            if MARK in line:
                try:
                    self.add(STATEMENT.parse(line))
                except UnfitError:
                    self.refused += 1

    def add(self, event: StatementEvent) -> None:
        """Add a statement that has been checked. Raises UnfitError, and adds nothing, when it contradicts itself."""
        statement = event["statement"]
        ranges = [pair for row in statement["given_up"] for pair in row[2]]
        if any(row[3] > row[4] for row in statement["sent"]) or any(first > last for first, last in ranges):
            raise UnfitError("a range that ends before it begins")
        if not self.names.admit(event["relay"]):
            self.unlisted += 1
            return
        relay = self.relays.setdefault(event["relay"], RelayStatement())
        for boot, source, day, first, last, begun, ended in statement["sent"]:
            known = relay.sent.get((boot, source, day))
            if known is None and self.listed >= self.most:
                self.unlisted += 1
                continue
            self.listed += known is None
            relay.sent[intern(boot), intern(source), intern(day)] = wider(known, (first, last, begun, ended))
        for boot, source, given in statement["given_up"]:
            self._give_up(relay, (boot, source), given)
        at = in_utc(event["received"])
        if at >= relay.at and unix(at) <= self.latest:
            relay.at, relay.spool = at, dict(statement["spool"])

    def _give_up(self, relay: RelayStatement, key: tuple[str, str], given: Iterable[Interval]) -> None:
        for first, last in given:
            known = relay.given_up.get(key, [])
            if self.listed >= self.most and not touches(known, first, last):
                self.unlisted += 1
                continue
            self.listed += put(known, (first, last), union)
            relay.given_up[key] = known

    def written(self) -> list[dict[str, Any]]:
        """As JSON values, one statement a relay; `restored` takes them back."""
        return [
            {
                "relay": name,
                "received": relay.at,
                "sent": [[*key, *row] for key, row in sorted(relay.sent.items())],
                "given_up": [[*key, ranges] for key, ranges in sorted(relay.given_up.items())],
                "spool": relay.spool,
            }
            for name, relay in self.relays.items()
        ]

    def restore(self, written: Iterable[Any], *, checked: bool) -> None:
        """Add what `written` gave; or, not `checked`, the statements that earlier versions kept in its place."""
        for one in written:
            try:
                kept: StoredStatement = one if checked else STORED.take(one)
                statement: Statement = {"sent": kept["sent"], "given_up": kept["given_up"], "spool": kept["spool"]}
                self.add({"relay": kept["relay"], "received": kept["received"], "statement": statement})
            except UnfitError:
                self.refused += 1
