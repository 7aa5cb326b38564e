"""What deciding whose event it is costs a relay with 500 declared sources, against 5 (`make bench`).

    pytest tests/bench/test_origins.py -m bench -s

The same events of the same five devices behind one address, by TCP, told apart by host name; in turn, on one host.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Iterator
from ipaddress import IPv4Address
from itertools import cycle

import pytest
from support.lab.hosts import Booted, lab_hosts
from support.lab.pipeline import HOSTS, prepare, relay_play, source
from support.lab.relay_apart import decided, install
from support.uneven_networks import fleet

from vaern.model.declaration import LogSource, Municipality
from vaern.model.origins import Arrival
from vaern.model.vocabulary import Protocol

pytestmark = pytest.mark.bench
FEW, MANY = 5, 500
EVENTS = 20_000
ROUNDS = 3
MOST = 1.2
HOP = "198.51.100.9"
BUSY, QUIET = 1000.0, 0.1
"""Declared events a second: the few have queues as long in both."""


def hidden(count: int) -> Municipality:
    """So many devices behind one address."""
    frame = fleet().municipalities["favrskov"]
    device = {**frame.log_sources[0].model_dump(), "address": HOP, "protocol": Protocol.SYSLOG_TCP}
    made = [
        LogSource.model_validate(
            {**device, "name": f"device{n}", "host_name": f"device{n}", "events_per_second": BUSY if n < FEW else QUIET}
        )
        for n in range(count)
    ]
    relay = frame.hosts[0].model_copy(update={"spool_gib": 2000.0})
    return frame.model_copy(update={"log_sources": tuple(made), "hosts": (relay,), "taps": ()})


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Booted]:
    """A host with what a relay runs."""
    folder = tmp_path_factory.mktemp("origins")
    with lab_hosts({"gw1": HOSTS["gw1"]}, folder) as lab:
        prepare(lab, ["gw1"])
        lab.inventory({"relays": ["gw1"]}, folder)
        play = relay_play(log_shipper_sources=[source("a", "linux", "administration", "syslog_tcp", HOP)])
        (folder / "plays.json").write_text(json.dumps([play]), encoding="utf-8")
        done = lab.playbook(folder, str(folder / "plays.json"))
        assert done.returncode == 0, done.stdout + done.stderr
        yield lab


def test_500_declared_sources_cost_no_more_than_1_2_times_what_5_do(lab: Booted) -> None:
    spent: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for name, declared, speaking in (("5", FEW, FEW), ("500", MANY, FEW), ("500, all of which send", MANY, MANY)):
            install(lab, "gw1", hidden(declared), counted_every=10)
            senders = [Arrival(Protocol.SYSLOG_TCP, 514, IPv4Address(HOP), f"device{n}") for n in range(speaking)]
            events = [
                (sender, f"<13>1 2026-11-24T03:00:00Z {sender.host} app - - - {'x' * 470} {n}".encode())
                for n, sender in zip(range(EVENTS), cycle(senders), strict=False)
            ]
            found = decided(lab, "gw1", hidden(declared), events, settle=0)
            assert len(found.sources) == EVENTS
            spent.setdefault(name, []).append(found.processor_seconds / EVENTS * 1e6)
    median = {name: statistics.median(values) for name, values in spent.items()}
    print(f"\n{EVENTS} events of 520 bytes, microseconds of rsyslog's processor time an event, median of {ROUNDS}")
    for name, values in spent.items():
        ratio = median[name] / median["5"]
        print(f"{name:<24}{median[name]:>8.1f}  ratio {ratio:.2f}  ({', '.join(f'{one:.1f}' for one in values)})")
    assert median["500"] / median["5"] <= MOST
