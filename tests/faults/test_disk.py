"""Somebody else fills the relay's disk: nothing is taken in that could not be kept, and nothing is lost of what is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.lab.faulty_pipeline import Figures, Load, Site
from support.lab.pipeline import SPOOL
from support.lab.power_cut import spool_on_disk

pytestmark = pytest.mark.faults

RATES = {"tcp": 100.0, "tls": 100.0}
LEFT = 16 * 2**20
"""Bytes: less than what rsyslog is halted with."""
NEARLY = f"fallocate -l $(( $(stat -f -c '%a * %S' {SPOOL}) - {LEFT} )) {SPOOL}/others"
FULL = f"dd if=/dev/zero of={SPOOL}/others-too bs=1M status=none || true; sync"
STATE = "ps -o state= -p $(systemctl show -P MainPID vaern-log-shipper)"
ALARM = "journalctl -p alert -t vaern-delivery -o cat --since=-10min"


def becomes(site: Site, halted: bool) -> None:
    """Wait until rsyslog is halted, or goes on."""
    limit = time.monotonic() + 30
    while (site.lab.run("gw1", STATE).strip() == "T") != halted:
        assert time.monotonic() < limit, f"rsyslog is {'not halted' if halted else 'still halted'}"
        time.sleep(0.5)


@pytest.mark.brief
def test_a_full_disk_halts_the_relay_and_costs_nothing(site: Site, tmp_path: Path) -> None:
    """Senders over TCP and TLS wait; once there is room all of it is taken in, numbered and delivered."""
    seconds = site.length(60, 10)
    figures = Figures("disk of the relay full, then freed", f"{seconds:.0f} s full, 2 sources, 200 events/s")
    with spool_on_disk(site, tmp_path):
        load = Load(site, "disk-").start(RATES, seconds + 10)
        time.sleep(3)
        site.lab.run("gw1", NEARLY)
        becomes(site, halted=True)
        site.lab.run("gw1", FULL)
        time.sleep(seconds)
        assert "ALARM The disk is full" in site.lab.run("gw1", ALARM)
        site.lab.run("gw1", f"rm {SPOOL}/others {SPOOL}/others-too")
        becomes(site, halted=False)
        sent = load.sent(seconds + 120)
        figures.catch_up = site.drained(sent, 300)
        assert site.settled(figures, sent, 10).missing == 0
