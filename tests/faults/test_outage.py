"""The declared outage: 24 hours of what is declared, into a spool of the size that declaring it gives."""

from __future__ import annotations

import time

import pytest
from support.lab.faulty_pipeline import Figures, Site, declared_bytes, declared_events

pytestmark = pytest.mark.faults

SHARES = {"tcp": 8, "tls": 1}
"""Samsø declares 8 and 1 events a second, the first by UDP: a day of that cannot be sent in minutes without loss."""


def test_a_day_without_a_link_fits_and_is_drained(site: Site) -> None:
    """Time is compressed, the number of events is not."""
    total = int(declared_events() * min(1.0, site.scale))
    figures = Figures("24 h outage at the declared rate", f"{total} events, spool of {declared_bytes()} bytes")
    sent = {f"day-{way}-": total * share // sum(SHARES.values()) for way, share in SHARES.items()}
    with site.broken():
        started = time.monotonic()
        for way in SHARES:
            site.bulk(way, sent[f"day-{way}-"], f"day-{way}-")
        figures.note = f"taken in within {time.monotonic() - started:.0f} s"
        site.backlog(figures, list(sent))
        assert figures.buffered_bytes <= declared_bytes()
    figures.catch_up = site.drained(sent, 1200)
    assert site.settled(figures, sent, 60).missing == 0
