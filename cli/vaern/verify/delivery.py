"""What the relay's own counters say about its output: whether the collector takes what it is sent, and if not, why."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

REASONS = {
    "errors_auth": "the key or certificate of the relay is refused",
    "errors_ssl": "TLS with the collector fails",
    "failures_msg_too_large": "events are refused as too large",
    "failures_unknown_topic": "the topic is not there, or closed to the relay",
    "errors_broker_down": "the collector does not answer",
    "errors_transport": "the connection to the collector breaks",
    "errors_timed_out": "the collector does not acknowledge in time",
}
"""Counters of rsyslog's omkafka, the most telling first."""
Counters = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last minute of the relay's output."""

    acknowledged: int
    """Events the collector has acknowledged in that time."""
    waiting: int
    """Events in the relay's queue, and sent without an answer."""
    refused: int
    """Events given back as not delivered in that time; each is tried again, so it may count many times."""
    queued: int
    """Events in the relay's queue alone."""
    reasons: tuple[str, ...]
    """What went wrong since the relay was started."""

    @property
    def stopped(self) -> bool:
        """Whether events wait and none is taken.

        A relay that has nothing to send is not stopped, though it may not have read the last answer yet.
        """
        return self.acknowledged == 0 and (self.queued > 0 or self.refused > 0)

    def __str__(self) -> str:
        if not self.stopped:
            return "accepted"
        why = "; ".join(self.reasons) or "no reason given"
        return f"nothing is accepted and {self.waiting} events wait: {why}"


def delivery(lines: Iterable[str]) -> Delivery:
    """Read the newest lines of rsyslog's impstats, oldest first; lines of other parts are passed over.

    Counters begin at 0 when the relay starts: samples of an earlier start are left out.
    """
    parsed = [json.loads(line) for line in lines]
    samples: list[Counters] = []
    for sample in (one for one in parsed if one["name"] == "omkafka"):
        if samples and sample["submitted"] < samples[-1]["submitted"]:
            samples = [{}]
        samples.append(sample)
    if not samples:
        return Delivery(0, 0, 0, 0, ())
    oldest, newest = samples[0], samples[-1]
    queued = sum([one["size"] for one in parsed if one["name"] == "kafka queue"][-1:])
    underway = max(0, newest["submitted"] - newest["failures"] - newest["acked"])
    refused = newest["failures"] - oldest.get("failures", 0)
    reasons = tuple(f"{why} ({newest[name]} times)" for name, why in REASONS.items() if newest.get(name))
    return Delivery(newest["acked"] - oldest.get("acked", 0), queued + underway, refused, queued, reasons)
