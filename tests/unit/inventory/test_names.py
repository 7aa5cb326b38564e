"""What is generated for sources that are declared by their DNS name, and that nothing of it is there without one."""

from __future__ import annotations

import json
import re
from ipaddress import ip_address, ip_network
from pathlib import Path
from random import Random
from typing import Any

import pytest
from support.firewall_rules import own_table
from support.rsyslog_config import configuration, rendered, variables
from support.uneven_networks import deployment, fleet, uneven
from support.yaml_text import read_yaml

from vaern.inventory.hosts import host_variables
from vaern.inventory.senders import senders_page
from vaern.model.declaration import LogSource, Municipality
from vaern.model.origins import an_address
from vaern.model.relays import plan_of
from vaern.model.vocabulary import Protocol
from vaern.verify import expectations
from vaern.verify.relay_facts import RelayFacts
from vaern.verify.sections import Section
from vaern.verify.subjects import Subject
from vaern_programs.relay.names.allocation import Answer, Named, allocate

ROOT = Path(__file__).resolve().parents[3]
WAYS = (
    ("printer7.favrskov.lan", Protocol.SYSLOG_UDP, None),
    ("Camera2.favrskov.lan", Protocol.SYSLOG_UDP, None),
    ("printer7.favrskov.lan", Protocol.SYSLOG_TCP, 5599),
    ("nas.favrskov.lan", Protocol.SYSLOG_TLS, None),
)


def with_names(municipality: Municipality) -> Municipality:
    frame = municipality.log_sources[0].model_dump()
    bare = {"address": None, "network": None, "host_name": None, "program": None, "vendor": "generic"}
    added = tuple(
        LogSource.model_validate({**frame, **bare, "name": f"n{n}", "dns": name, "protocol": protocol, "port": port})
        for n, (name, protocol, port) in enumerate(WAYS)
    )
    return municipality.model_copy(update={"log_sources": (*municipality.log_sources, *added)})


def generated(municipality: Municipality) -> dict[str, Any]:
    relay = municipality.hosts[0]
    return host_variables(deployment(), "favrskov", municipality, relay, plan_of(deployment(), municipality))


def of_relay(made: dict[str, Any]) -> dict[str, Any]:
    return variables(**{name: value for name, value in made.items() if name.startswith("log_shipper_")})


def relay_of(made: dict[str, Any]) -> RelayFacts:
    """A relay whose files are those that the role would write."""
    given = of_relay(made)
    files = {"relay_sources": "sources.json", "relay_names": "names.json", "relay_reading": "reader.json"}
    return RelayFacts("favrskov-gw1", {name: Section(rendered(file, given), 0) for name, file in files.items()})


@pytest.mark.parametrize("seed", range(4))
def test_the_controls_expect_what_is_generated(seed: int) -> None:
    municipality = with_names(uneven(Random(seed), "u", 12))  # noqa: S311 - it has to be the same again
    relay, made = municipality.hosts[0], generated(municipality)
    subject = Subject("favrskov-gw1", frozenset(relay.roles), 1, host=relay)
    expected = expectations.senders(municipality, subject)
    assert relay_of(made).relay_senders == expected
    assert {"syslog_udp Camera2.favrskov.lan", "syslog_tcp_5599 printer7.favrskov.lan"} <= set(expected)
    by_name = {
        (one["protocol"], one["port"], one["sources"][0]) for one in made["base_open_ports"] if "@" in one["sources"][0]
    }
    assert by_name == {
        ("udp", 514, "@names_udp_514"), ("tcp", 5599, "@names_tcp_5599"), ("tcp", 6514, "@names_tcp_6514"),
    }  # fmt: skip
    assert all(one["sources"] for one in made["base_open_ports"]), "a port without sources is open to everybody"


def test_a_name_leads_to_nothing_that_is_declared_otherwise() -> None:
    municipality = with_names(uneven(Random(7), "u", 30))  # noqa: S311 - it has to be the same again
    named = [Named.of(one) for one in of_relay(generated(municipality))["log_shipper_names"]]
    everything = [
        ip_network(one.network or one.address or "203.0.113.0/24")[0] for one in municipality.log_sources if not one.dns
    ]
    own = [*municipality.hosts[0].addresses, ip_address("203.0.113.7"), ip_address("127.0.0.1")]
    found = allocate(named, {one.name: Answer((*own, *everything), frozenset()) for one in named}, {})
    declared = {(one.protocol, one.port, one.address) for one in municipality.log_sources if one.address is not None}
    for one in municipality.log_sources:
        for text in found[one.name].addresses if one.dns else ():
            assert (one.protocol, one.port, ip_address(text)) not in declared
            assert ip_address(text) not in own
            assert any(ip_address(text) in network for network in municipality.sites[0].networks)


def test_in_the_lab_each_name_has_a_free_address_and_the_relay_knows_it() -> None:
    municipality = with_names(fleet().municipalities["favrskov"])
    names = {one["name"]: one["address"] for one in generated(municipality)["base_names"]}
    places = [str(an_address(municipality, one)) for one in municipality.log_sources]
    hosts = [str(address) for host in municipality.hosts for address in host.addresses]
    named = {one.dns.lower(): str(an_address(municipality, one)) for one in municipality.log_sources if one.dns}
    assert named.items() <= names.items()
    assert len(set(named.values())) == len(named) == 3
    assert not set(named.values()) & {*hosts, *places[: -len(WAYS)]}
    found = allocate(
        [Named.of(one) for one in of_relay(generated(municipality))["log_shipper_names"]],
        {name: Answer((ip_address(names[name.lower()]),), frozenset()) for name, _, _ in WAYS},
        {},
    )
    assert all(one.addresses and not one.refused for one in found.values())


def test_municipal_it_reads_the_name() -> None:
    page = senders_page(with_names(fleet().municipalities["favrskov"]))
    assert page.count("`Camera2.favrskov.lan`") == 2
    assert page.count("the relay looks it up every minute") == len(WAYS)


def test_rsyslog_asks_for_names_before_the_reader_and_after_the_declared_addresses() -> None:
    municipality = with_names(uneven(Random(3), "u", 12))  # noqa: S311 - it has to be the same again
    given = of_relay(generated(municipality))
    for unread in (False, True):
        text = configuration(given | {"log_shipper_unread": unread})
        received = text[text.index('ruleset(name="received"') :]
        asked = re.findall(r'lookup\("(\w+)"|exec_template\("(line)"\)|call (undecided)', received)
        assert ["".join(one) for one in asked] == ["sources", "sources", "names", "undecided" if unread else "line"]
        assert 'file="/var/lib/vaern-names/sources.json" reloadOnHUP="on"' in text
        assert all(f'ruleset(name="source_n{n}"' in text for n in range(len(WAYS)))
    placed = json.loads(rendered("sources.json", given))["table"]
    assert not [row for row in placed if re.match("source_n[0-9]$", row["value"])]
    assert "f /var/lib/vaern-names/sources.json 0644 vaern-names" in rendered("tmpfiles.conf", given)


@pytest.mark.parametrize("path", sorted(ROOT.glob("inventories/*/host_vars/*.yml")), ids=lambda path: path.stem)
def test_nothing_of_it_is_where_nobody_is_declared_by_name(path: Path) -> None:
    """What a municipality has signed stays as it is."""
    made = read_yaml(path.read_text(encoding="utf-8"))
    texts = [path.read_text(encoding="utf-8"), own_table(**made)]
    if "log_shipper_sources" in made:
        given = of_relay(made)
        texts += [rendered(name, given) for name in ("rsyslog.conf", "sources.json", "reader.json", "tmpfiles.conf")]
        texts.append(configuration(given | {"log_shipper_unread": True}))
    assert not [text for text in texts if re.search(r"vaern-names|names_(udp|tcp)|\"names\"|dns:|saddr @", text)]
