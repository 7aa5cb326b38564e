"""The link between relay and collector: cut, cut again while it drains, and losing every other packet."""

from __future__ import annotations

import time

import pytest
from support.lab.faulty_pipeline import Figures, Load, Site

pytestmark = pytest.mark.faults

RATES = {"udp": 100.0, "tcp": 100.0, "tls": 100.0}
TOGETHER = f"3 sources, {sum(RATES.values()):.0f} events/s"
EVERY_OTHER = "numgen random mod 2 == 0"
AFTER_SOME = "quota over 150 kbytes"
"""Each way, and a part of the smallest backlog here, compressed: a drain is over before anybody could look and cut."""


@pytest.mark.brief
def test_a_cut_link_is_drained(site: Site) -> None:
    """Ten minutes without a link under load, which goes on while the relay catches up."""
    seconds = site.length(600, 15)
    figures = Figures("link cut under load", f"{seconds:.0f} s, {TOGETHER}")
    load = Load(site, "cut-").start(RATES, seconds + 20)
    time.sleep(5)
    with site.broken():
        time.sleep(seconds)
        held = site.backlog(figures, load.texts)
        # The devices send on; what they have sent meanwhile is in the spool a moment later.
        limit = time.monotonic() + 10
        while figures.buffered < 0.95 * seconds * sum(RATES.values()) and time.monotonic() < limit:
            time.sleep(0.5)
            held = site.backlog(figures, load.texts)
    figures.catch_up = site.drained(held, 300)
    done = site.settled(figures, load.sent(seconds + 60))
    assert done.buffered >= 0.95 * seconds * sum(RATES.values())
    assert done.missing == 0


@pytest.mark.brief
def test_a_second_cut_while_it_drains(site: Site) -> None:
    """The link comes back, part of the backlog gets through, and it is cut again."""
    count, seconds = int(site.length(400000, 60000)), site.length(120, 10)
    figures = Figures("second cut while draining", f"{count} events, cut again for {seconds:.0f} s")
    with site.broken():
        site.bulk("tcp", count, "again-")
        site.backlog(figures, ["again-"])
        site.broken_otherwise(AFTER_SOME)
        limit = time.monotonic() + 120
        while not site.arrived("again-")[0] and time.monotonic() < limit:
            time.sleep(1)
        time.sleep(seconds)
        through = site.arrived("again-")[0]
    assert 0 < through < count
    figures.note = f"{through} were through when it was cut again"
    figures.catch_up = site.drained({"again-": count}, 600)
    assert site.settled(figures, {"again-": count}).missing == 0


def test_half_of_all_packets_are_lost(site: Site) -> None:
    """Both ways, for five minutes under load: hardly anything gets through, and nothing is lost."""
    seconds = site.length(300, 15)
    figures = Figures("half of all packets lost, both ways", f"{seconds:.0f} s, {TOGETHER}")
    load = Load(site, "half-").start(RATES, seconds + 20)
    time.sleep(5)
    with site.broken(EVERY_OTHER):
        time.sleep(seconds)
        held = site.backlog(figures, load.texts)
    figures.catch_up = site.drained(held, 300)
    assert site.settled(figures, load.sent(seconds + 60)).missing == 0
