"""Every event is exactly one source's or nobody's, and what is generated for the relay says the same."""

from __future__ import annotations

from ipaddress import ip_address, ip_network
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.uneven_networks import arrivals, deployment, fleet, uneven

from vaern.inventory.hosts import host_variables
from vaern.model.declaration import LogSource, Municipality
from vaern.model.origins import Arrival, an_address, decide, input_of, mark_of
from vaern.model.relays import plan_of
from vaern.model.senders import PORTS
from vaern.model.vocabulary import Protocol

MUNICIPALITIES = 98


def declared(*sources: dict[str, Any]) -> Municipality:
    """Favrskov with other sources; each by UDP unless it says so."""
    frame = fleet().municipalities["favrskov"]
    made = [
        LogSource.model_validate({**frame.log_sources[0].model_dump(), "address": None, "name": f"s{number}", **one})
        for number, one in enumerate(sources)
    ]
    return frame.model_copy(update={"log_sources": tuple(made)})


def whose(municipality: Municipality, address: str, **event: Any) -> str | None:
    protocol = event.pop("protocol", Protocol.SYSLOG_UDP)
    port = event.pop("port", PORTS[protocol])
    found = decide(municipality, "raadhus", Arrival(protocol, port, ip_address(address), **event))
    return found and found.name


def as_generated(variables: dict[str, Any], arrival: Arrival) -> str | None:
    """What the generated variables say, read plainly: a row of the table, or the narrowest network and its names."""
    usual = arrival.port == PORTS[arrival.protocol]
    listening = arrival.protocol.value if usual else f"{arrival.protocol.value}_{arrival.port}"
    sources = variables["log_shipper_sources"]
    rows = {one["key"]: one["name"] for one in sources if "key" in one}
    if (row := f"{listening} {arrival.address}") in rows:
        return str(rows[row])
    asked = []
    for one in sources:
        own = f"{one['protocol']}_{one['port']}" if "port" in one else one["protocol"]
        host, program = one.get("host_name"), one.get("program")
        for network in map(ip_network, one.get("networks", [])):
            if own == listening and arrival.address in network:
                fits = host in (None, arrival.host) or (host or "").lower() == (arrival.host or "").lower()
                fits &= program in (None, arrival.program)
                asked.append((network.prefixlen, fits, host is not None, program is not None, one["name"]))
    narrowest = [one for one in asked if one[0] == max(asked)[0] and one[1]]
    return str(max(narrowest)[4]) if narrowest else None


@settings(max_examples=3, deadline=None, database=None)
@given(seed=st.integers(0, 2**32))
def test_each_event_of_98_uneven_networks_has_one_source_and_never_another_municipalitys(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - repeatable, and nothing secret
    for number in range(MUNICIPALITIES):
        municipality = uneven(random, f"m{number}-")
        own = {source.name for source in municipality.log_sources}
        assert own
        assert all(name.startswith(f"m{number}-") for name in own)
        relay = municipality.hosts[0]
        variables = host_variables(deployment(), "favrskov", municipality, relay, plan_of(deployment(), municipality))
        generated = {one["name"] for one in variables["log_shipper_sources"] if one["kind"] != "vaern"}
        assert generated == own
        for source in municipality.log_sources:
            witness = Arrival(*input_of(source), an_address(municipality, source), *mark_of(source))
            assert decide(municipality, source.site, witness) == source
            assert as_generated(variables, witness) == source.name
        for arrival in arrivals(random, municipality, 5):
            found = decide(municipality, municipality.sites[0].name, arrival)
            assert as_generated(variables, arrival) == (found and found.name)


def test_a_firewall_and_a_vpn_of_one_address_are_told_apart_by_port() -> None:
    municipality = declared({"address": "198.51.100.1"}, {"address": "198.51.100.1", "port": 5514})
    assert whose(municipality, "198.51.100.1") == "s0"
    assert whose(municipality, "198.51.100.1", port=5514) == "s1"
    assert whose(municipality, "198.51.100.1", protocol=Protocol.SYSLOG_TCP) is None


def test_devices_behind_one_address_are_told_apart_by_name_and_a_stranger_is_nobody() -> None:
    hop = {"address": "198.51.100.9"}
    municipality = declared(
        {**hop, "host_name": "sw1"}, {**hop, "host_name": "SW2", "program": "sshd"}, {**hop, "program": "named"}
    )
    assert whose(municipality, "198.51.100.9", host="SW1", program="sshd") == "s0"
    assert whose(municipality, "198.51.100.9", host="sw2", program="sshd") == "s1"
    assert whose(municipality, "198.51.100.9", host="sw3", program="named") == "s2"
    assert whose(municipality, "198.51.100.9", host="sw3", program="sshd") is None
    assert whose(municipality, "::ffff:198.51.100.9", host="sw1") == "s0"


def test_the_narrowest_place_decides_alone() -> None:
    municipality = declared({"network": "198.51.100.0/24"}, {"address": "198.51.100.9", "host_name": "sw1"})
    assert whose(municipality, "198.51.100.8", host="sw1") == "s0"
    assert whose(municipality, "198.51.100.9", host="sw1") == "s1"
    assert whose(municipality, "198.51.100.9", host="sw2") is None


@pytest.mark.parametrize(
    ("sources", "expected"),
    [
        ([{"network": "198.51.100.0/24"}], "198.51.100.1"),
        ([{"network": "198.51.100.0/24"}, {"network": "198.51.100.0/25"}], "198.51.100.128"),
        ([{"network": "198.51.100.12/31"}, {"address": "198.51.100.13"}], "198.51.100.12"),
        ([{"host_name": "sw1"}], "198.51.100.1"),
    ],
)
def test_an_address_of_a_source_is_nobodys_else(sources: list[dict[str, Any]], expected: str) -> None:
    municipality = declared(*sources)
    assert str(an_address(municipality, municipality.log_sources[0])) == expected
