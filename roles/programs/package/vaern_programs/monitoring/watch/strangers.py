"""Who sends to a relay and is not declared, by what its rsyslog has counted; pure.

Attackers may invent any number of addresses and hosts: rsyslog counts so many of each by themselves and the rest
together, and the loudest of these are named.
"""

from __future__ import annotations

from collections.abc import Mapping

from vaern_programs.monitoring.watch.rates import Rates
from vaern_programs.monitoring.watch.readings import Place
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import UnknownHost, UnknownSender, UnknownSenders
from vaern_programs.shared.schema import Schema

MOST_SENDERS, MOST_HOSTS = 20, 5
SENDER: Schema[UnknownSender] = Schema(UnknownSender, 4096)
HOST: Schema[UnknownHost] = Schema(UnknownHost, 1024)


class Strangers:
    """What was counted before, so that there are rates."""

    def __init__(self) -> None:
        """Nothing has been counted."""
        self._rates: Rates[Place] = Rates()

    def look(self, counted: Mapping[Place, int], uncounted: int, now: float) -> UnknownSenders:
        """The loudest now. `counted` has addresses and hosts, `uncounted` the events of whom nothing is kept."""
        rates = {place: round(rate, 4) for place, rate in self._rates.look(counted, now).items()}
        totals = {place: events for place, events in counted.items() if not place.host}
        loudest = sorted(totals, key=lambda place: (-(rates.get(place) or 0.0), -totals[place], place))
        named = [one for place in loudest[:MOST_SENDERS] if (one := _sender(place, counted, rates)) is not None]
        known = sum(one["events"] for one in named)
        others = len(totals) - len(named)
        return {"senders": named, "others": others, "other_events": sum(totals.values()) - known + uncounted}


def _sender(place: Place, counted: Mapping[Place, int], rates: Mapping[Place, float]) -> UnknownSender | None:
    """As a heartbeat has it; None for what no input of a relay and no address looks like."""
    behind = [(-events, one.host) for one, events in counted.items() if one.host and one[:2] == place[:2]]
    hosts = [found for events, host in sorted(behind) if (found := _host(host, -events)) is not None]
    try:
        return SENDER.take(
            {
                "input": place.input,
                "address": place.address,
                "events": counted[place],
                "events_per_second": rates.get(place),
                "hosts": hosts[:MOST_HOSTS],
            }
        )
    except UnfitError:
        return None


def _host(host: str, events: int) -> UnknownHost | None:
    try:
        return HOST.take({"host": host, "events": events})
    except UnfitError:
        return None
