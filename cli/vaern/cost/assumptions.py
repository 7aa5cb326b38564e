"""What nobody declares and a cost depends on: each assumption has a name and three values, low, expected and high."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Case(StrEnum):
    """Which value of every assumption is taken."""

    LOW = "low"
    EXPECTED = "expected"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Assumption:
    """What nobody declares: its value in each case, and why."""

    name: str
    low: float
    expected: float
    high: float
    why: str

    def of(self, case: Case) -> float:
        """The value in that case."""
        return {Case.LOW: self.low, Case.EXPECTED: self.expected, Case.HIGH: self.high}[case]


RATE = Assumption("events against the declared rate", 0.7, 1.0, 1.5, "a declared rate is an estimate of a mean")
PEAK = Assumption("peak against the mean rate", 1.5, 2.0, 4.0, "throughput units are raised for peaks and stay raised")
ENVELOPE = Assumption("bytes vaern adds to an event", 470, 580, 730, "least, mean and most of the catalogue's samples")
PACKED = Assumption(
    "bytes of a block against its lines", 0.06, 0.12, 0.25, "zstd, level 3, on 800 lines of one firewall: 0.06"
)
ALERTS = Assumption("alerts a second from a tap", 0.1, 1, 5, "depends on the rules and on the network")
STORED = Assumption("stored against received bytes", 0.5, 1.0, 1.1, "capture writes Avro; compression is not certain")
SEARCHED = Assumption("part of the events also in Log Analytics", 0.01, 0.05, 0.25, "the archive holds everything")
FETCHED = Assumption(
    "part of the events fetched over the Internet", 0.0, 0.05, 1.0, "a receiver outside Azure pays here"
)
HUB_LOGS = Assumption("GB of logs and counters a day from a hub", 0.1, 0.3, 1.0, "audit, system and diagnostic logs")
FLOWS = Assumption("GB of flow logs for a GB of traffic", 0.002, 0.01, 0.03, "few long connections make few records")
UPDATES = Assumption("GB a hub fetches a month", 2, 5, 20, "packages and time")
ASSUMPTIONS = (RATE, PEAK, ENVELOPE, PACKED, ALERTS, STORED, SEARCHED, FETCHED, HUB_LOGS, FLOWS, UPDATES)
