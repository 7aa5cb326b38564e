"""The variables of a relay, against the role that reads them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import pytest
import yaml
from support.rsyslog_config import configuration, rendered, variables
from support.uneven_networks import deployment, uneven

from vaern.inventory.hosts import host_variables
from vaern.model.receiving import RELP_PORT
from vaern.model.relays import plan_of
from vaern.model.senders import PORTS
from vaern.model.vocabulary import Protocol
from vaern.verify import expectations
from vaern.verify.relay_reading import RelayReading
from vaern.verify.subjects import Subject

DEFAULTS = Path(__file__).resolve().parents[3] / "roles/log_shipper/defaults/main.yml"


def test_the_role_listens_where_the_inventory_opens_and_senders_are_told_to_send() -> None:
    """The inventory leaves the ports to the role's defaults, so both must mean the same ones."""
    listens = yaml.safe_load(DEFAULTS.read_text(encoding="utf-8"))["log_shipper_ports"]
    assert listens == {
        "udp": PORTS[Protocol.SYSLOG_UDP],
        "tcp": PORTS[Protocol.SYSLOG_TCP],
        "tls": PORTS[Protocol.SYSLOG_TLS],
        "mtls": PORTS[Protocol.SYSLOG_MTLS],
        "relp": RELP_PORT,
    }


@pytest.mark.parametrize("seed", range(6))
def test_what_is_generated_for_uneven_networks_is_what_the_controls_expect(seed: int) -> None:
    """They are computed apart: senders by address, network, port and name, and what the firewall opens to them."""
    municipality = uneven(Random(seed), "u", 20)  # noqa: S311 - it has to be the same again
    relay = municipality.hosts[0]
    subject = Subject("favrskov-gw1", frozenset(relay.roles), 1, host=relay)
    made = host_variables(deployment(), "favrskov", municipality, relay, plan_of(deployment(), municipality))
    given = variables(**{name: value for name, value in made.items() if name.startswith("log_shipper_")})
    table = json.loads(rendered("sources.json", given))["table"]
    rows = {row["index"]: row["value"].removeprefix("source_") for row in table}
    reading = RelayReading(json.loads(rendered("reader.json", given)))
    assert rows | reading.origins == expectations.senders(municipality, subject)
    opened = {(one["protocol"], one["port"], source) for one in made["base_open_ports"] for source in one["sources"]}
    counted = {(one["protocol"], one["port"]) for one in made["base_counted_ports"]}
    assert counted >= {(protocol, port) for protocol, port, _ in opened if port != RELP_PORT}
    assert counted >= {("udp", 514), ("tcp", 514), ("tcp", 6514), ("tcp", 6515)}
    assert ("tcp", RELP_PORT) not in counted
    expected = expectations.openings(municipality, deployment(), subject)
    assert {(protocol, port, source.removesuffix("/32").removesuffix("/128")) for protocol, port, source in opened} == {
        (one.protocol, one.port, source) for one in expected if one.interface == "lan" for source in one.sources
    }
    listening = {(at["protocol"].removeprefix("syslog_"), at["port"]) for at in given["log_shipper_inputs"]}
    ways = {("udp" if way == "udp" else "tcp", port) for way, port in listening}
    assert ways == expectations.listeners(municipality, subject)
    assert {at["address"] for at in given["log_shipper_inputs"]} == {str(relay.address), str(relay.ipv6)}


def test_a_port_with_certificates_trusts_those_of_its_own_sources() -> None:
    kept = {"kind": "linux", "sector": "health", "protocol": "syslog_mtls", "address": "198.51.100.1"}
    sources = [
        {**kept, "name": "a", "key": "syslog_mtls 198.51.100.1", "certificate": "A\n"},
        {**kept, "name": "b", "key": "syslog_mtls_6516 198.51.100.1", "certificate": "B\n", "port": 6516},
    ]
    output = {"brokers": ["hub1:9093"], "topic": "logs.0710"}
    given = variables(log_shipper_listen="198.51.100.10", log_shipper_sources=sources, log_shipper_output=output)
    trusted = {one["file"]: one["authority"] for one in given["log_shipper_senders"]}
    assert trusted == {"senders": "A\n", "senders_6516": "B\n"}
    text = configuration(given)
    for file, port in (("senders", 6515), ("senders_6516", 6516)):
        (found,) = re.findall(rf'port="{port}" ruleset="received"\n.*\n  streamDriver.caFile="(.*?)"', text)
        assert found == f"/etc/vaern/log_shipper/{file}.crt"
