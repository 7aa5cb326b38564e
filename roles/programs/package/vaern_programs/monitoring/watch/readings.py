"""What the programs of a host say about themselves, as numbers. Pure: text in, values out.

A value that cannot be known is None and never a guess: not knowing is a finding of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import NamedTuple

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import (
    DELIVERY_STATISTICS,
    FRAMING_COUNTERS,
    OVERFLOW_COUNTERS,
    QUEUE_COUNTERS,
    UNDECLARED_COUNTERS,
)

BEHIND_THE_SPOOL = "receiver_"
"""How the names of queues begin whose events are in the spool already: each before a SOC of its own."""


class Certificate(NamedTuple):
    """When a certificate is valid, Unix seconds."""

    begins: float
    ends: float


class Place(NamedTuple):
    """Where events came from that are nobody's; the host is empty where all of an address are meant."""

    input: str
    address: str
    host: str = ""


class Counters(NamedTuple):
    """What rsyslog has counted since it started."""

    discarded: int
    """Events that a full queue dropped before they were numbered and spooled: lost."""
    overflowed: dict[str, int]
    """Events that each full queue behind the spool dropped, by the queue's name: the spool has them still."""
    framing: dict[str, int] = {}  # noqa: RUF012 - of a tuple, which nobody changes
    """Frames of TCP that were wrong, by source."""
    undeclared: dict[Place, int] | None = None
    """Events that are nobody's; None where the relay's configuration does not count them by input yet."""
    uncounted: int = 0
    """More of them, of addresses that were too many to be kept."""


def clock_error(sources: str) -> float | None:
    """Seconds the clock may be off: distance to the selected source, and how far that source may be wrong.

    From `chronyc -c sources`. None when no source is selected. `tracking` would not do: where chronyd measures and
    does not set (-x), its "system time" is always right.
    """
    for line in sources.splitlines():
        fields = line.split(",")
        if len(fields) >= 10 and fields[1] == "*":
            try:
                return abs(float(fields[7])) + float(fields[9])
            except ValueError:
                return None
    return None


def handshakes(output: str) -> dict[str, int]:
    """Public key to the Unix time of the last handshake, 0 for never; from `wg show INTERFACE latest-handshakes`."""
    pairs = [line.split("\t") for line in output.splitlines()]
    return {pair[0]: int(pair[1]) for pair in pairs if len(pair) == 2 and pair[1].isdecimal()}


def certificate(output: str) -> Certificate | None:
    """From `openssl x509 -noout -startdate -enddate -dateopt iso_8601`."""
    dates = dict(line.split("=", 1) for line in output.splitlines() if "=" in line)
    try:
        begins, ends = (_unix(dates[name]) for name in ("notBefore", "notAfter"))
    except (KeyError, ValueError):
        return None
    return Certificate(begins, ends)


def _unix(text: str) -> float:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%SZ").replace(tzinfo=UTC).timestamp()


def counters(lines: Iterable[str]) -> Counters | None:
    """From the last lines of rsyslog's statistics (impstats, JSON); the first may be cut off. None without any."""
    queues: dict[str, int] = {}
    framing: dict[str, int] = {}
    undeclared: dict[str, dict[Place, int]] = {}
    uncounted = 0
    for line in lines:
        if "dynstats" not in line:
            with suppress(UnfitError):
                queue = QUEUE_COUNTERS.parse(line)
                queues[queue["name"]] = queue.get("discarded.full", 0) + queue.get("discarded.nf", 0)
            continue
        with suppress(UnfitError):
            framing = FRAMING_COUNTERS.parse(line)["values"]
        with suppress(UnfitError):
            bucket = UNDECLARED_COUNTERS.parse(line)
            undeclared[bucket["name"]] = _places(bucket["values"])
        with suppress(UnfitError):
            uncounted = OVERFLOW_COUNTERS.parse(line)["values"]["undeclared.ops_overflow"]
    if not queues:
        return None
    discarded = 0
    overflowed: dict[str, int] = {}
    for name, gone in queues.items():
        if name.startswith(BEHIND_THE_SPOOL):
            # The disk of a queue in memory is counted as a queue of its own: `receiver_national queue[DA]`.
            action = name.partition(" ")[0]
            overflowed[action] = overflowed.get(action, 0) + gone
        else:
            discarded += gone
    # An earlier version of the configuration has no counter of hosts, and none of inputs.
    found = (
        {**undeclared.get("undeclared", {}), **undeclared["undeclared_hosts"]}
        if "undeclared_hosts" in undeclared
        else None
    )
    return Counters(discarded, overflowed, framing, found, uncounted)


def _places(values: Mapping[str, int]) -> dict[Place, int]:
    """`INPUT ADDRESS` or `INPUT ADDRESS HOST` to a count; the zone of an address of one link is left out."""
    split = ((key.split(" ", 2), events) for key, events in values.items())
    return {
        Place(parts[0], parts[1].partition("%")[0], *parts[2:]): events for parts, events in split if len(parts) > 1
    }


def waiting_bytes(lines: Iterable[str]) -> int | None:
    """Bytes that were not acknowledged by the last line of the delivery's statistics; None without any."""
    for line in reversed(list(lines)):
        try:
            return DELIVERY_STATISTICS.parse(line)["waiting_bytes"]
        except UnfitError:
            continue
    return None


def killed(lines: Iterable[str]) -> int:
    """Events that kills of the relay can have cost so far, as it has counted them; 0 where it was never killed."""
    text = "".join(lines).strip()
    return int(text) if text.isascii() and text.isdecimal() else 0


def datagrams_dropped(sockets: str, ports: Iterable[int]) -> int:
    """Datagrams to these local ports that the kernel dropped, as their socket was full; from /proc/net/udp and udp6."""
    wanted = {f"{port:04X}" for port in ports}
    rows = (line.split() for line in sockets.splitlines())
    return sum(
        int(row[-1])
        for row in rows
        if len(row) > 12 and row[1].rpartition(":")[2] in wanted and row[-1].isascii() and row[-1].isdecimal()
    )


def firewall_dropped(answer: str) -> int | None:
    """Packets that the firewall has counted and dropped, from `nft -j list counter`; None when it does not say."""
    try:
        entries = json.loads(answer)["nftables"]
        (packets,) = [int(one["counter"]["packets"]) for one in entries if "counter" in one]
    except (ValueError, KeyError, TypeError):
        return None
    return packets


def percent(used: int, of: int) -> int:
    """A share as whole percent, rounded down so that full is 100."""
    return used * 100 // of if of else 0
