"""The relay loses power: what its disk had been given is there, and only what it had not may be missing."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from support.lab.faulty_pipeline import Figures, Load, Site
from support.lab.power_cut import STARTED, spool_on_disk

pytestmark = pytest.mark.faults

RATE = 300.0
AT_MOST_SECONDS = 2.0
"""Events of so long: what one synchronised write of the spool has not taken in yet; see docs/faults.md."""


def test_a_power_cut_during_an_outage_costs_seconds_at_most(site: Site, tmp_path: Path) -> None:
    """The worst moment: the link is away, so the spool is all there is."""
    seconds = site.length(60, 20)
    figures = Figures("power cut of the relay, link away", f"after {seconds:.0f} s at {RATE:.0f} events/s")
    with spool_on_disk(site, tmp_path) as disk, site.broken():
        load = Load(site, "power-").start({"udp": RATE / 2, "tcp": RATE / 2}, seconds)
        time.sleep(seconds - 1)
        held = site.backlog(figures, load.texts)
        sent = load.sent(60)
        # What the spool's own program has just written is not on the disk yet either.
        site.lab.run("gw1", "vaern-spool --look")
        disk.cut_power()
        disk.mount()
        left = {text: site.spooled(text) for text in sent}
        site.lab.run("gw1", f"systemctl start {STARTED}")
    started = time.monotonic()
    site.drained(left, 400)
    figures.catch_up = round(time.monotonic() - started, 1)
    figures.note = f"on the disk {sum(left.values())} of {sum(sent.values())} events"
    assert sum(held.values()) > 0.9 * RATE * (seconds - 1)
    told = site.settled(figures, sent, 10)
    assert told.missing == sum(sent.values()) - sum(left.values()), "what the disk had must arrive"
    assert told.missing <= AT_MOST_SECONDS * RATE
