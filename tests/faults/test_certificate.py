"""The relay's certificate ends, and is renewed."""

from __future__ import annotations

import time

import pytest
from support.lab.faulty_pipeline import Figures, Load, Site
from support.lab.keys_on_hosts import pair, put
from support.lab.pipeline import OVERLAY

pytestmark = pytest.mark.faults

RATES = {"udp": 100.0, "tcp": 100.0}
VALID_SECONDS = 45
ALARM = "journalctl -p alert -t vaern-delivery -o cat --since=-10min"
STARTED = "systemctl show -P InvocationID vaern-log-shipper"


def give(site: Site, hours: float) -> None:
    """What enrolment does: certificates, valid for so long, in the place of those that are there."""
    own = site.authority.issue("gw1.shipper", OVERLAY["gw1"], names=["gw1"], hours=hours)
    put(site.lab, "gw1", pair("host", own) | pair("delivery", site.authority.issue("gw1", hours=hours)))


def restarted(site: Site, before: str) -> None:
    """The relay has taken a new certificate into use."""
    limit = time.monotonic() + 60
    while site.lab.run("gw1", STARTED) == before:
        assert time.monotonic() < limit, "the relay goes on with the old certificate"
        time.sleep(1)


def test_an_expired_certificate_is_told_and_costs_nothing(site: Site) -> None:
    """No event gets through after its end; an alarm says so; with the new one everything arrives, by itself."""
    seconds = site.length(120, 45)
    figures = Figures("relay's certificate expired, then renewed", f"{seconds:.0f} s expired, 2 sources, 200 events/s")
    before = site.lab.run("gw1", STARTED)
    give(site, VALID_SECONDS / 3600)
    try:
        ends = time.monotonic() + VALID_SECONDS
        restarted(site, before)
        site.bulk("tcp", 100, "valid-")
        assert site.drained({"valid-": 100}, 30) < 30
        time.sleep(max(0, ends + 2 - time.monotonic()))
        # A connection that is open stays so; the next one is refused.
        site.lab.run("hub1", "systemctl restart vaern-kafka")
        load = Load(site, "expired-").start(RATES, seconds)
        sent = load.sent(seconds + 60)
        held = site.backlog(figures, load.texts)
        assert figures.buffered == sum(sent.values()) == sum(held.values())
        said = site.lab.run("gw1", ALARM)
        assert "ALARM No TLS with the collector, its certificate or ours is refused" in said
        before = site.lab.run("gw1", STARTED)
    finally:
        give(site, 24)
    restarted(site, before)
    figures.catch_up = site.drained(held, 400)
    assert site.settled(figures, sent, 10).missing == 0
