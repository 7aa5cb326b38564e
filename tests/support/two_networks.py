"""A relay's network and a neighbour's, joined by one cable: network namespaces of the test alone, without hosts."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

RELAY, NEIGHBOUR = "198.51.100.10", "198.51.100.30"
RELAY6, NEIGHBOUR6 = "fd00::10", "fd00::30"
SECONDS = 30.0


@dataclass(frozen=True)
class Network:
    """A network namespace, by a process that holds it open."""

    holder: int

    def run(self, *command: str, stdin: str = "") -> str:
        """What the program prints there."""
        words = ("nsenter", "--net", f"--target={self.holder}", *command)
        done = subprocess.run(words, input=stdin, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr}"
        return done.stdout


@contextmanager
def two_networks() -> Iterator[tuple[Network, Network]]:
    """The relay's with its interface `lan`, and the neighbour's; both are gone at the end. As root."""
    with _network() as relay, _network() as neighbour:
        peer = f"/proc/{neighbour.holder}/ns/net"
        relay.run("ip", "link", "add", "lan", "type", "veth", "peer", "name", "lan", "netns", peer)
        for network, *addresses in ((relay, RELAY, RELAY6), (neighbour, NEIGHBOUR, NEIGHBOUR6)):
            for address in addresses:
                six = ":" in address
                network.run(
                    *("ip", "address", "add", f"{address}/{64 if six else 24}", "dev", "lan"),
                    *(("nodad",) if six else ()),
                )
            network.run("ip", "link", "set", "lan", "up")
        yield relay, neighbour


@contextmanager
def _network() -> Iterator[Network]:
    # Whoever kills the test kills it too.
    with subprocess.Popen(("setpriv", "--pdeathsig", "KILL", "unshare", "--net", "sleep", "infinity")) as holder:
        try:
            ours, limit = Path("/proc/self/ns/net").stat().st_ino, time.monotonic() + SECONDS
            while Path(f"/proc/{holder.pid}/ns/net").stat().st_ino == ours:
                assert time.monotonic() < limit, "no network namespace was made"
                time.sleep(0.01)
            yield Network(holder.pid)
        finally:
            holder.kill()
