"""A source sends the longest messages without end: what others notice of it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.lab.faulty_pipeline import Load, Site
from support.lab.pipeline import DHCP, RELAY

pytestmark = [pytest.mark.faults, pytest.mark.brief]

CALM = {"udp": 10.0, "tcp2": 10.0, "tls": 10.0}
FLOOD_SECONDS = 40
"""Four times as long as the calm sources send."""


@contextmanager
def flooding(site: Site, seconds: float, prefix: str) -> Iterator[subprocess.Popen[str]]:
    """One TCP source that sends all it can for the length of the block."""
    command = f"python3 /root/device.py flood {DHCP} {RELAY} {seconds} {prefix}"
    argv = ["ssh", "-F", str(site.lab.config), "sensor1", command]
    process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def test_a_flood_of_the_longest_messages_delays_nobody(site: Site) -> None:
    """In one queue for all, others waited until the flood was over, and for minutes after it."""
    with flooding(site, FLOOD_SECONDS, "long-flood-") as process:
        time.sleep(2)
        sent = Load(site, "long-calm-").start(CALM, 8).sent(60)
        while (held := {text: site.spooled(text) for text in sent}) != sent and process.poll() is None:
            time.sleep(0.5)
        assert process.poll() is None, f"the others waited for the one that floods: {held} of {sent}"
