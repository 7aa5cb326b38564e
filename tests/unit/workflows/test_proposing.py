"""Proposed lines: whatever somebody sends as its name, a declaration takes them, and nobody else loses an event."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vaern.declaration import load_municipality
from vaern.model.declaration import Municipality
from vaern.model.origins import Arrival, decide
from vaern.model.vocabulary import Protocol
from vaern.workflows.proposing import Proposals, Unknown

EXAMPLE = Path(__file__).resolve().parents[3] / "docs" / "examples" / "azure" / "municipality.yml"
SOURCE = "    silent_after_minutes: 15\n"
HOP = """  - name: {name}
    kind: linux
    sector: administration
    site: raadhus
    {place}
    host_name: {name}
    protocol: syslog_udp
    events_per_second: 0.01
    silent_after_minutes: 60
"""
NETWORKS = ("    network: 198.51.100.0/24\n", '    network: 198.51.100.0/24\n    other_networks: ["10.20.0.0/16"]\n')


def with_lines(folder: Path, lines: str) -> Municipality:
    text = EXAMPLE.read_text(encoding="utf-8").replace(*NETWORKS, 1).replace("spool_gib: 9 ", "spool_gib: 16000 ", 1)
    path = folder / "municipality.yml"
    path.write_text(
        text.replace("outage_hours: 24", "outage_hours: 1").replace(SOURCE, SOURCE + lines, 1), encoding="utf-8"
    )
    return load_municipality(path)


def unknown(host: str, address: str = "10.20.0.7", *, is_hop: bool = True, rate: float = 0.01) -> Unknown:
    return Unknown("raadhus", ip_address(address), Protocol.SYSLOG_UDP, 514, host, rate, is_hop)


def proposed(municipality: Municipality, senders: Sequence[Unknown]) -> str:
    proposals = Proposals(municipality)
    return "".join(proposals.lines(one) for one in senders)


WORDS = ["yes", "on", "1e3", "10", "0710", "vaern-gw1", "tap-core", "sw1", "sw-1", "a", "1.2.3.4", "0x1f"]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6, unique=True))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_device_calls_itself_the_lines_are_taken(tmp_path: Path, hosts: list[str]) -> None:
    senders = [unknown(host) for host in hosts]
    after = with_lines(tmp_path, proposed(load_municipality(EXAMPLE), senders).replace("   # its network", " # its"))
    for one in senders:
        found = decide(after, "raadhus", Arrival(one.protocol, 514, one.address, one.host))
        assert found is not None
        assert found.host_name == one.host


def test_the_same_host_at_two_addresses_has_two_names(tmp_path: Path) -> None:
    lines = proposed(with_lines(tmp_path, ""), [unknown("sw1"), unknown("sw1", "10.20.0.8")])
    added = [source.name for source in with_lines(tmp_path, lines).log_sources]
    assert added[1:3] == ["sw1", "sw1-2"]


@pytest.mark.parametrize("place", ["address: 10.20.0.7", "network: 10.20.0.0/24", "# any network of the site"])
def test_a_device_behind_a_declared_hop_takes_nothing_from_who_is_there(tmp_path: Path, place: str) -> None:
    before = with_lines(tmp_path, HOP.format(name="sw1", place=place))
    lines = proposed(before, [unknown("sw2", is_hop=False)])
    assert ("address: 10.20.0.7" in lines) == place.startswith("address")
    after = with_lines(tmp_path, HOP.format(name="sw1", place=place) + lines)
    for host in ("sw1", "sw2"):
        found = decide(after, "raadhus", Arrival(Protocol.SYSLOG_UDP, 514, ip_address("10.20.0.7"), host))
        assert found is not None
        assert found.name == host


@pytest.mark.parametrize("rate", [0.0, 0.001, 1.0, 123456.7, 5e6])
def test_a_rate_is_written_as_a_declaration_takes_it(rate: float) -> None:
    lines = proposed(load_municipality(EXAMPLE), [unknown("sw1", rate=rate)])
    written = lines.partition("events_per_second: ")[2].partition("\n")[0]
    assert 0.01 <= float(written) <= 1e6
    assert "e" not in written


def test_a_word_that_names_no_device_is_no_host_name() -> None:
    assert "host_name" not in proposed(load_municipality(EXAMPLE), [unknown("CET")])


def test_an_address_that_cannot_be_declared_is_said() -> None:
    municipality = load_municipality(EXAMPLE)
    assert "no address to declare" in proposed(municipality, [unknown("", "fe80::7")])
    assert "has to be in other_networks of raadhus" in proposed(municipality, [unknown("", "10.20.0.7")])
