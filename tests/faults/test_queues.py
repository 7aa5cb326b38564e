"""A source sends the longest messages without end: what others notice of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.lab.faulty_pipeline import Load, Site
from support.lab.pipeline import DHCP, LISTENS, RELAY
from support.programs.device import LONG_BYTES

pytestmark = [pytest.mark.faults, pytest.mark.brief]

CALM = {"udp": 10.0, "tcp2": 10.0, "tls": 10.0}
BUFFERS = {"gw1": "tcp_rmem", "sensor1": "tcp_wmem"}
"""What the kernels of the relay and of a device may hold of a connection."""
FLOOD_SECONDS = 40
"""Four times as long as the calm sources send."""


@contextmanager
def flooding(site: Site, seconds: float, prefix: str) -> Iterator[subprocess.Popen[str]]:
    """One TCP source that sends all it can for the length of the block."""
    command = f"python3 /root/device.py flood tcp {DHCP} {RELAY} {seconds} {prefix}"
    argv = ["ssh", "-F", str(site.lab.config), "sensor1", command]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_a_kill_loses_no_more_than_the_queues_and_what_connections_had_received(site: Site) -> None:
    """Events in a queue have no number yet: what a kill costs is bounded by design, and no ledger can count it."""
    buffers = {host: site.lab.run(host, f"cat /proc/sys/net/ipv4/{name}") for host, name in BUFFERS.items()}
    received = sum(int(line.split()[2]) for line in buffers.values())

    def counted() -> int:
        return int(site.lab.run("gw1", "cat /var/log/vaern-log-shipper/killed", check=False) or 0)

    before = counted()
    with flooding(site, FLOOD_SECONDS, "doomed-") as process:
        limit = time.monotonic() + FLOOD_SECONDS / 2
        while not site.spooled("doomed-"):
            assert time.monotonic() < limit, "the flood has not begun"
            time.sleep(0.5)
        time.sleep(3)
        site.lab.run("gw1", "kill -9 $(systemctl show -P MainPID vaern-log-shipper)")
        out, _ = process.communicate(timeout=60)
    sent = int(json.loads(out)["sent"])
    site.lab.run("gw1", LISTENS)
    lost, bound = sent - site.spooled("doomed-"), counted() - before
    told = f"journalctl -t vaern-log-shipper -p alert --output cat | grep -F 'at most {bound} events'"
    site.lab.run("gw1", f"for i in $(seq 60); do {told} && exit; sleep 0.5; done; exit 1")
    assert 0 < lost <= bound + received / LONG_BYTES, (sent, lost, bound, received)


def test_a_flood_of_the_longest_messages_delays_nobody(site: Site) -> None:
    """In one queue for all, others waited until the flood was over, and for minutes after it."""
    with flooding(site, FLOOD_SECONDS, "long-flood-") as process:
        time.sleep(2)
        sent = Load(site, "long-calm-").start(CALM, 8).sent(60)
        while (held := {text: site.spooled(text) for text in sent}) != sent and process.poll() is None:
            time.sleep(0.5)
        assert process.poll() is None, f"the others waited for the one that floods: {held} of {sent}"
