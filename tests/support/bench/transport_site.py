"""Sends loads through a relay and a collector, and sees when they arrive; the hosts are those of transport_hosts."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from support.lab.hosts import Booted
from support.lab.pipeline import DHCP, OVERLAY, RELAY, SPOOL, Pipeline

OTHER = {"hub1": "gw1", "gw1": "hub1"}
BESIDE = {"hub1": "fd00:be51:de00::1", "gw1": "fd00:be51:de00::2"}
"""Addresses on the link itself, over which the overlay is reached when the tunnel is left out."""


@dataclass
class Run:
    """One load that has arrived. Seconds are from the first byte at the relay to the last event at the collector."""

    broker: float
    archive: float
    processor: dict[str, float] = field(default_factory=dict)
    """Seconds of processor time, by host and program."""

    def microseconds(self, events: int) -> float:
        """Of processor time an event, all programs of both hosts."""
        return sum(self.processor.values()) / events * 1e6


@dataclass(frozen=True)
class Site:
    """The two hosts, ready for loads."""

    pipeline: Pipeline
    count: int

    @property
    def lab(self) -> Booted:
        return self.pipeline.lab

    def program(self, host: str, command: str) -> str:
        """What a program of the bench prints."""
        return self.lab.run(host, f"python3 /root/{command}")

    def tunnel(self, on: bool) -> None:
        """Through the tunnel, or beside it over the same link: by a route to the other's overlay address."""
        for host, other in OTHER.items():
            self.lab.run(host, f"ip -6 route del {OVERLAY[other]}/128 dev uplink 2>/dev/null || true")
            if not on:
                self.lab.run(host, f"ip -6 route add {OVERLAY[other]}/128 via {BESIDE[other]} dev uplink metric 1")

    def start(self, configuration: str, reading: str, sending: str) -> None:
        """Give the relay these, with nothing in its spool."""
        services = "vaern-delivery vaern-log-shipper"
        clear = f"rm -rf {SPOOL}/segments/* {SPOOL}/queue/* {SPOOL}/ledger/* {SPOOL}/delivery/*"
        for name, text in {"reader.json": reading, "spool.json": sending}.items():
            self.lab.run("gw1", f"cat > /etc/vaern/log_shipper/{name}", stdin=text)
        self.lab.run("gw1", f"systemctl stop {services}; {clear}; cat > /etc/vaern/log_shipper/rsyslog.conf; "
                     f"systemctl start {services}", stdin=configuration)  # fmt: skip

    def send(self, first: int, count: int) -> float:
        """Send that part of the load; when it began."""
        began = self.program("gw1", f"load.py send /root/load {DHCP} {RELAY} 514 {first} {count}")
        return float(began.split()[0])

    @contextmanager
    def arrival(self, kind: str, count: int) -> Iterator[dict[str, float]]:
        """What `arrival.py` prints about the events that are sent in the block, known after it."""
        argv = ["ssh", "-F", str(self.lab.config), "hub1", f"python3 /root/arrival.py {kind} {count}"]
        found: dict[str, float] = {}
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as waiting:
            assert waiting.stdout is not None
            try:
                assert waiting.stdout.readline() == "ready\n"
                yield found
                found |= json.loads(waiting.stdout.readline() or "{}")
                assert found, f"{count} events did not arrive"
            finally:
                waiting.kill()

    def processor(self) -> dict[str, float]:
        """Seconds used so far, by host and program."""
        return {
            f"{host} {name}": seconds
            for host in OTHER
            for name, seconds in json.loads(self.program(host, "processor.py")).items()
        }

    def run(self, kind: str = "broker") -> Run:
        """Send the load once, after a short one that opens the connections."""
        warm = self.count // 50
        with self.arrival(kind, warm):
            self.send(0, warm)
        before = self.processor()
        with self.arrival(kind, self.count - warm) as found:
            began = self.send(warm, self.count - warm)
        after = self.processor()
        # Processes that are there only after it are the bench's own.
        used = {name: after[name] - seconds for name, seconds in before.items() if name in after}
        return Run(found["broker"] - began, found.get("archive", found["broker"]) - began, used)
