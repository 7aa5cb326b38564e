"""What is watched is what is declared: every host speaks through the relay of its site, every source has its time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.declarations.soc_outputs import national
from support.yaml_text import read_yaml

from vaern import inventory
from vaern.declaration import load_fleet
from vaern.inventory import watching
from vaern.model import catalogue
from vaern.model.deployment import SocOutput
from vaern.model.fleet import Fleet
from vaern.model.vocabulary import Protocol, SocProtocol
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def test_the_alarm_service_expects_every_declared_source_and_host(fleet: Fleet) -> None:
    for slug, one in fleet.municipalities.items():
        expected = watching.expected(fleet.deployment, slug, one)
        limits = {source["name"]: source["silent_after_minutes"] for source in expected["sources"]}
        assert limits == {source.name: source.silent_after_minutes for source in one.log_sources}
        relays = {f"{slug}-{host.name}" for host in one.hosts if "relay" in host.roles}
        assert {source["relay"] for source in expected["sources"]} <= relays


def test_lines_of_a_source_are_judged_by_what_is_declared_of_it(fleet: Fleet) -> None:
    """By its rate, and by the minimum of its kind less what its vendor lacks; one without a format by no field."""
    one = fleet.municipalities["favrskov"]
    expected = {source["name"]: source for source in watching.expected(fleet.deployment, "favrskov", one)["sources"]}
    for source in one.log_sources:
        row, vendor = expected[source.name], catalogue.vendor_of(source)
        assert row["events_per_second"] == source.events_per_second
        if vendor.parser == "generic":
            assert "minimum" not in row
        else:
            assert {*row["minimum"], *vendor.lacks, "@timestamp"} >= set(catalogue.kind_of(source.kind).minimum)
            assert not {*vendor.lacks, "@timestamp"} & set(row["minimum"])
    assert any(row.get("minimum") for row in expected.values())


def test_alarms_about_a_source_go_where_its_events_go(fleet: Fleet) -> None:
    """Or else a SOC would hear of a sector that it is not declared for."""
    output = SocOutput(name="kafka", protocol=SocProtocol.KAFKA, reader="soc-national")
    deployment = national(fleet.deployment, output)
    fleet = Fleet(deployment=deployment, municipalities=fleet.municipalities)
    topics = set()
    for slug, one in fleet.municipalities.items():
        files = inventory.municipality_files(fleet, slug)
        variables = [read_yaml(text) for path, text in files.items() if "/host_vars/" in path]
        relays = [own for own in variables if "log_shipper_sources" in own]
        sent = {
            source["name"]: (source["sector"], topics_of(relay).get(source["sector"]))
            for relay in relays
            for source in relay["log_shipper_sources"]
        }
        expected = watching.expected(fleet.deployment, slug, one)
        for source in (*expected["sources"], *({**host, "name": host["source"]} for host in expected["hosts"])):
            assert (source["sector"], source.get("topic")) == sent[source["name"]]
            topics.add(source.get("topic"))
    assert {None, "logs.0710.national"} <= topics


def topics_of(relay: dict[str, Any]) -> dict[str, str]:
    """Topics by sector, of the sectors that have one of their own."""
    return {topic["sector"]: topic["name"] for topic in relay["log_shipper_output"].get("topics", [])}


def test_what_a_host_sends_its_relay_lets_in(fleet: Fleet) -> None:
    """Address, application and open port of the one are what the other is told."""
    for slug in fleet.municipalities:
        files = inventory.municipality_files(fleet, slug)
        variables = {Path(path).stem: read_yaml(text) for path, text in files.items() if "/host_vars/" in path}
        for host, own in variables.items():
            output = own.get("watch_output", {"mode": "file"})
            relay = variables[output.get("relay", host)]
            taken = [one for one in relay["log_shipper_sources"] if one["kind"] == "vaern"]
            if output["mode"] == "file":
                assert {"vaern-" + host.removeprefix(f"{slug}-")} == {one["name"] for one in taken if "file" in one}
                continue
            (source,) = (one for one in taken if one.get("application") == output["source"])
            (address,) = {str(h.address) for h in fleet.municipalities[slug].hosts if host == f"{slug}-{h.name}"}
            assert source["address"] == address
            assert any(
                port["port"] == output["port"] and f"{address}/32" in port["sources"]
                for port in relay["base_open_ports"]
            )


def test_tunnels_are_watched_from_both_ends(fleet: Fleet) -> None:
    (text,) = inventory.tenants_file(fleet, list(fleet.municipalities)).values()
    tenants = read_yaml(text)
    monitored_hosts = {peer["name"]: peer["municipality"] for peer in tenants["watch_tunnel"]["peers"]}
    assert monitored_hosts == {peer["name"]: peer["municipality"] for peer in tenants["vpn_hub_peers"]}
    assert "preshared" not in str(tenants["watch_tunnel"])


def test_a_relay_watches_the_queue_of_every_soc_it_sends_to(fleet: Fleet) -> None:
    """By the name and the bound that rsyslog has of it."""
    output = SocOutput(name="relp", protocol=SocProtocol.RELP_TLS, address="soc.example")
    deployment = national(fleet.deployment, output)
    files = inventory.municipality_files(Fleet(deployment, fleet.municipalities), "favrskov")
    told = read_yaml(files["favrskov/host_vars/favrskov-gw1.yml"])
    (receiver,) = told["log_shipper_receivers"]
    watched = {"name": f"receiver_{receiver['name']}", "max_bytes": receiver["max_disk_bytes"]}
    assert told["watch_spool"]["queues"] == [watched]
    assert told["watch_spool"]["max_bytes"] == told["log_shipper_spool"]["max_bytes"]


def test_a_relay_watches_its_port_for_datagrams_when_a_source_sends_them(fleet: Fleet) -> None:
    """What the kernel lets go there is counted by nobody else."""
    seen = set()
    for slug, municipality in fleet.municipalities.items():
        files = inventory.municipality_files(fleet, slug)
        for host in municipality.hosts:
            told = read_yaml(files[f"{slug}/host_vars/{slug}-{host.name}.yml"])
            protocols = {source.protocol for source in municipality.sources_through(host)}
            assert ("watch_datagram_ports" in told) is (Protocol.SYSLOG_UDP in protocols)
            seen.add(tuple(told.get("watch_datagram_ports", [])))
    assert seen == {(), (514,)}
