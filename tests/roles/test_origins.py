"""Whose event it is, decided by the rsyslog and the reader of a relay, against the rule in Python."""

from __future__ import annotations

from ipaddress import ip_address
from random import Random

import pytest
from support.lab.pipeline import Pipeline
from support.lab.relay_apart import MOST, decided, install
from support.uneven_networks import arrivals, uneven

from vaern.model.origins import Arrival, an_address, decide, input_of, mark_of
from vaern.model.vocabulary import Protocol

pytestmark = pytest.mark.roles
SOURCES = 80
PLAIN = (Protocol.SYSLOG_UDP, Protocol.SYSLOG_TCP)


def message(arrival: Arrival, number: int) -> bytes:
    return f"<13>1 2026-11-24T03:00:00Z {arrival.host or '-'} {arrival.program or '-'} - - - event {number}".encode()


def test_a_relay_decides_as_declared_and_counts_whom_nobody_has_declared(pipeline: Pipeline) -> None:
    """Networks within networks, IPv4 and IPv6, ports, host names and programs."""
    random = Random(69)  # noqa: S311 - it has to be the same again
    municipality = uneven(random, "u", SOURCES)
    witnesses = [
        Arrival(*input_of(one), an_address(municipality, one), *mark_of(one)) for one in municipality.log_sources
    ]
    events = [one for one in [*witnesses, *arrivals(random, municipality, 300)] if one.protocol in PLAIN]
    events = [one for one in events if not one.address.is_multicast]
    install(pipeline.lab, "gw1", municipality)
    found = decided(pipeline.lab, "gw1", municipality, [(one, message(one, n)) for n, one in enumerate(events)])
    expected = {n: decide(municipality, municipality.sites[0].name, one) for n, one in enumerate(events)}
    assert found.sources == {n: source.name for n, source in expected.items() if source is not None}
    strangers = [one for n, one in enumerate(events) if expected[n] is None]
    assert MOST * len(strangers) <= sum(found.undeclared.values()) <= len(strangers)
    assert set(found.undeclared) <= {str(one.address) for one in strangers}
    assert set(found.undeclared_hosts) <= {f"{one.address} {one.host}" for one in strangers}
    assert found.undeclared_hosts, "a device behind a declared address has a name"
    assert len(set(found.sources.values())) > SOURCES / 4


def test_what_is_no_name_of_a_device_is_not_the_host_of_an_event(pipeline: Pipeline) -> None:
    """Also by UDP with the end of a line that a carriage return belongs to."""
    municipality = uneven(Random(1), "u", 1)  # noqa: S311 - it has to be the same again
    (sender, *_) = (one for one in municipality.log_sources if one.address == ip_address(an_address(municipality, one)))
    arrival = Arrival(*input_of(sender), sender.address)
    lines = [
        *(
            f"<13>{stamp} {name} app: {{}}"
            for stamp in ("Nov 24 03:00:00",)
            for name in ("localhost", "127.0.0.1", "Okt")
        ),
        "<13>2026-11-24T03:00:00+01:00 CET sw1 app: {}",
        "<13>Okt 24 03:00:00 sw1 app: {}\r\n",
        "<13>Nov 24 03:00:00 CET sw1 app: {}",
    ]
    install(pipeline.lab, "gw1", municipality)
    events = [(arrival, line.format(n).encode()) for n, line in enumerate(lines)]
    found = decided(pipeline.lab, "gw1", municipality, events)
    assert found.hosts == dict(enumerate([str(sender.address)] * 3 + ["sw1"] * 3))
