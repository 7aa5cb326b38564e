"""Whom the firewall of a relay drops at the ports where logs come in, by what it has counted; pure.

The firewall keeps a bounded set of them (`roles/base/templates/firewall.nft.j2`), so that invented addresses cost
little. Where it is full there may be others; all packets together are counted beside it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from vaern_programs.monitoring.watch.rates import Rates
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import DroppedSender, DroppedSenders
from vaern_programs.shared.schema import Schema
from vaern_programs.shared.times import stamp

MOST_SENDERS = 20
SENDER: Schema[DroppedSender] = Schema(DroppedSender, 1024)
TRANSPORTS = {"6": "tcp", "17": "udp"}
"""What nft says where it finds no names of protocols."""


class Way(NamedTuple):
    """Who sends where."""

    address: str
    protocol: str
    port: int


class Packets(NamedTuple):
    """What the firewall has counted of one of them since it was first there."""

    packets: int
    silent_seconds: float
    """Since the last packet."""


class Listed(NamedTuple):
    """What is in the sets of the firewall."""

    seen: dict[Way, Packets]
    full: bool
    """Whether one of them has no room for others."""


def listed(answers: Iterable[str]) -> Listed | None:
    """From `nft -j list set` of each set; None when one of them does not say."""
    seen: dict[Way, Packets] = {}
    full = False
    try:
        for answer in answers:
            (found,) = [one["set"] for one in json.loads(answer)["nftables"] if "set" in one]
            elements = found.get("elem", [])
            full = full or len(elements) >= int(found["size"])
            seen |= dict(_element(one["elem"], float(found["timeout"])) for one in elements)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None
    return Listed(seen, full)


def _element(found: Any, timeout: float) -> tuple[Way, Packets]:
    """One element: what it expires in begins anew with each packet."""
    address, protocol, port = map(str, found["val"]["concat"])
    silent = max(0.0, float(found.get("timeout", timeout)) - float(found["expires"]))
    way = Way(address, TRANSPORTS.get(protocol, protocol), int(port))
    return way, Packets(int(found["counter"]["packets"]), silent)


class Drops:
    """What was counted before, so that there are rates, and since when each is there."""

    def __init__(self) -> None:
        """Nothing has been counted."""
        self._rates: Rates[Way] = Rates()
        self._all: Rates[str] = Rates()
        self._first: dict[Way, float] = {}

    def look(self, found: Listed, packets: int | None, monotonic: float, now: float) -> DroppedSenders:
        """The loudest now.

        `packets` is of all together, None where it is not known; `monotonic` is on the clock that never jumps, and
        `now` in Unix seconds.
        """
        rates = self._rates.look({way: one.packets for way, one in found.seen.items()}, monotonic)
        together = self._all.look({} if packets is None else {"": packets}, monotonic).get("")
        self._first = {way: min(self._first.get(way, now), now - one.silent_seconds) for way, one in found.seen.items()}
        loudest = sorted(found.seen, key=lambda way: (-rates.get(way, 0.0), -found.seen[way].packets, way))
        named = [
            one for way in loudest[:MOST_SENDERS] if (one := self._sender(way, found.seen[way], rates, now)) is not None
        ]
        return {
            "senders": named,
            "others": len(found.seen) - len(named),
            "full": found.full,
            "packets_per_minute": _by_minute(together),
        }

    def _sender(self, way: Way, counted: Packets, rates: dict[Way, float], now: float) -> DroppedSender | None:
        """As a heartbeat has it; None for what is no address."""
        try:
            return SENDER.take(
                {
                    **way._asdict(),
                    "packets": counted.packets,
                    "packets_per_minute": _by_minute(rates.get(way)),
                    "first": stamp(self._first[way], "seconds"),
                    "last": stamp(now - counted.silent_seconds, "seconds"),
                }
            )
        except UnfitError:
            return None


def _by_minute(rate: float | None) -> float | None:
    return None if rate is None else round(rate * 60, 2)
