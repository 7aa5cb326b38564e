"""A second rsyslog on the host of a relay, with the configuration of a made-up municipality, in a network of its own.

It has every address that its events come from, so that nothing is sent to anybody.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from support.lab.hosts import Booted
from support.programs import source_of
from support.rsyslog_config import rendered, variables
from support.uneven_networks import deployment
from vaern.inventory.hosts import host_variables
from vaern.model.declaration import Municipality
from vaern.model.origins import Arrival, decide
from vaern.model.relays import plan_of

FOLDER = "/root/apart"
MOST = 0.9
"""Of what is not taken in: rsyslog's threads do not wait for each other to count."""


@dataclass(frozen=True)
class Decided:
    """What became of numbered events."""

    sources: dict[int, str]
    """Of those that were taken in."""
    hosts: dict[int, str]
    """What they say as their host."""
    undeclared: dict[str, int]
    """How many of the others were counted, by address."""
    undeclared_hosts: dict[str, int]
    """And of those who name a host, by address and host."""
    processor_seconds: float
    """Of rsyslog, while they were taken in."""


def install(lab: Booted, host: str, municipality: Municipality, counted_every: int = 1) -> None:
    """Write the configuration that the role would write there, but for the seconds between two counts."""
    relay = municipality.hosts[0]
    made = host_variables(deployment(), "favrskov", municipality, relay, plan_of(deployment(), municipality))
    given = variables(**{name: value for name, value in made.items() if name.startswith("log_shipper_")})
    lab.run(host, f"rm -rf {FOLDER}; mkdir -p {FOLDER}/spool/queue {FOLDER}/spool/segments")
    for name in ("rsyslog.conf", "sources.json", "reader.json"):
        text = rendered(name, given).replace('interval="10"', f'interval="{counted_every}"')
        for place in ("/etc/vaern/log_shipper", "/var/log/vaern-log-shipper"):
            text = text.replace(place, FOLDER)
        lab.run(host, f"cat > {FOLDER}/{name}", stdin=text.replace("/var/spool/vaern-log-shipper", f"{FOLDER}/spool"))
    lab.run(host, f"cat > {FOLDER}/decided.py", stdin=source_of("decided.py"))


def decided(
    lab: Booted, host: str, municipality: Municipality, events: Sequence[tuple[Arrival, bytes]], settle: float = 2.5
) -> Decided:
    """Send these events, each with what its message is, to the relay's inputs, and say what became of them.

    `settle` is how many seconds it is given to count the last of what it does not take in, after most of it.
    """
    relay, site = municipality.hosts[0], municipality.sites[0].name
    often = Counter(arrival for arrival, _ in events)
    taken = sum(count for arrival, count in often.items() if decide(municipality, site, arrival) is not None)
    sent = [
        {
            "stream": arrival.protocol.value != "syslog_udp",
            "port": arrival.port,
            "from": str(arrival.address),
            "to": str(relay.ipv6 if arrival.address.version != relay.address.version else relay.address),
            "message": message.decode("latin-1"),
        }
        for arrival, message in events
    ]
    request = {
        "listening": [str(one) for one in (relay.address, relay.ipv6) if one is not None],
        "events": sent,
        "taken": taken,
        "counted": MOST * (len(events) - taken) if settle else 0,
        "settle": settle,
    }
    answer: dict[str, Any] = json.loads(
        lab.run(host, f"unshare -n python3 {FOLDER}/decided.py {FOLDER}", stdin=json.dumps(request))
    )
    return Decided(
        {int(number): source for number, source in answer["sources"].items()},
        {int(number): name for number, name in answer["hosts"].items()},
        answer["undeclared"],
        answer["undeclared_hosts"],
        answer["processor_seconds"],
    )
