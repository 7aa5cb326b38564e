"""Disk of relays: exact for a known case, and never less for more."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.declarations.envelopes import SAMPLES, added

from vaern.declaration import load_municipality
from vaern.model import sizing
from vaern.model.declaration import Municipality
from vaern.model.vocabulary import Protocol

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
FAVRSKOV = load_municipality(INVENTORIES / "favrskov" / "municipality.yml")
AARHUS = load_municipality(INVENTORIES / "aarhus" / "municipality.yml")


def with_rate(rate: float, size: int, hours: int) -> Municipality:
    source = FAVRSKOV.log_sources[0].model_copy(update={"events_per_second": rate, "event_bytes": size})
    return FAVRSKOV.model_copy(update={"log_sources": (source,), "outage_hours": hours})


def need(municipality: Municipality) -> int:
    return sizing.spool_bytes(municipality.log_sources, municipality.outage_hours)


def test_the_need_is_rate_times_size_times_time_and_margin() -> None:
    one = with_rate(50, 400, 24)
    assert need(one) == round(50 * (400 + 750) * 24 * 3600 * 1.3)


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.stem)
def test_what_is_added_to_an_event_is_no_more_than_the_sizing_takes_it_for(path: Path) -> None:
    assert max(added(path)) < sizing.ENVELOPE_BYTES


def test_a_relay_takes_the_sources_of_its_own_site() -> None:
    taken = {host.name: len(AARHUS.sources_through(host)) for host in AARHUS.hosts}
    assert taken == {"gw1": 5, "gw2": 0, "sensor1": 0, "gw3": 2, "sensor2": 0, "gw4": 2}
    assert AARHUS.relay_of("skole") is None


@pytest.mark.parametrize("municipality", [FAVRSKOV, AARHUS], ids=["favrskov", "aarhus"])
def test_queues_are_shared_out_by_rate_and_bounded_in_bytes(municipality: Municipality) -> None:
    sources = municipality.log_sources
    events = {source.name: sizing.queue_events(source, sources) for source in sources}
    assert min(events.values()) >= sizing.SMALLEST_QUEUE_EVENTS
    most = sizing.QUEUED_EVENTS + len(sources) * sizing.SMALLEST_QUEUE_EVENTS
    assert sum(events.values()) * sizing.LARGEST_EVENT_BYTES <= most * 2**16
    busiest = max(sources, key=lambda source: source.events_per_second)
    assert events[busiest.name] == max(events.values())


def test_what_one_address_may_send_by_udp_is_several_times_what_is_declared_of_it() -> None:
    source = FAVRSKOV.log_sources[0]
    assert source.protocol is Protocol.SYSLOG_UDP
    quick = source.model_copy(update={"events_per_second": 3000.0, "event_bytes": 1000})
    by_tcp = quick.model_copy(update={"protocol": Protocol.SYSLOG_TCP})
    assert sizing.datagram_bounds((source, by_tcp)) == (2000, 4_000_000)
    assert sizing.datagram_bounds((source, quick)) == (
        round(4 * (3000 + source.events_per_second)),
        round(4 * (3_000_000 + source.events_per_second * source.event_bytes)),
    ), "two sources of one address"


def test_the_hours_that_fit_are_the_hours_that_fill_the_disk() -> None:
    gateway = FAVRSKOV.host("gw1")
    limit = sizing.disk_limit_bytes(gateway)
    hours = sizing.hours_that_fit(FAVRSKOV.sources_through(gateway), limit)
    filled = need(FAVRSKOV) / FAVRSKOV.outage_hours * hours
    assert filled == pytest.approx(limit, rel=1e-6)
    assert sizing.hours_that_fit(FAVRSKOV.sources_through(FAVRSKOV.host("sensor1")), limit) == float("inf")


def test_a_share_of_the_archive_is_what_is_declared_to_be_kept() -> None:
    needs = {"aarhus": sizing.archive_bytes(AARHUS), "favrskov": sizing.archive_bytes(FAVRSKOV)}
    usual = FAVRSKOV.privacy.retention_days
    heartbeats = len(FAVRSKOV.hosts) * sizing.HEARTBEAT_BYTES_PER_SECOND * usual
    sources = sum(
        one.events_per_second * (one.event_bytes + 750) * (one.retention_days or usual) for one in FAVRSKOV.log_sources
    )
    assert needs["favrskov"] == pytest.approx(86400 * (sources + heartbeats))
    found = sizing.shares(needs, 50.0)
    assert found["aarhus"] / found["favrskov"] == pytest.approx(needs["aarhus"] / needs["favrskov"], rel=1e-3)
    assert sizing.shares({"favrskov": needs["favrskov"]}, 50.0) == {"favrskov": 50.0}


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.floats(1e3, 1e15), min_size=1, max_size=98),
    st.floats(1, 1e5),
)
def test_shares_never_add_up_to_more_than_the_whole(needs: dict[str, float], whole: float) -> None:
    found = sizing.shares(needs, whole)
    assert found.keys() == needs.keys()
    assert sum(found.values()) <= whole * (1 + 1e-12)
    assert sum(found.values()) >= whole - len(needs) / sizing.SHARE_STEPS - 1e-6


@settings(max_examples=40, database=None)
@given(
    st.floats(0.01, 1e6),
    st.integers(40, 65536),
    st.integers(1, 720),
    st.floats(1, 10),
    st.integers(0, 9),
    st.integers(0, 9),
)
def test_more_never_needs_less(
    rate: float, size: int, hours: int, factor: float, bytes_more: int, hours_more: int
) -> None:
    less, more = with_rate(rate, size, hours), with_rate(rate * factor, size + bytes_more, hours + hours_more)
    assert need(less) <= need(more)
    limit = sizing.disk_limit_bytes(less.host("gw1"))
    assert sizing.hours_that_fit(less.log_sources, limit) >= sizing.hours_that_fit(more.log_sources, limit)
