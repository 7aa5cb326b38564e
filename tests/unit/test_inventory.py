"""The generated inventory: deterministic, complete, free of secrets, and one municipality never in another's."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest
import yaml

from vaern import inventory
from vaern.declaration import load_fleet
from vaern.inventory.files import HEADER
from vaern.model.fleet import Fleet
from vaern.paths import Project

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def every_file(fleet: Fleet) -> dict[str, str]:
    files = dict(inventory.shared_files(fleet.deployment))
    for slug in fleet.municipalities:
        files |= inventory.municipality_files(fleet, slug)
    return files | inventory.tenants_file(fleet, list(fleet.municipalities))


def test_the_committed_files_are_current(fleet: Fleet) -> None:
    inventories = ROOT / "inventories"
    assert inventory.compare(inventories, "shared", inventory.shared_files(fleet.deployment)) == []
    for slug in fleet.municipalities:
        assert inventory.compare(inventories, slug, inventory.municipality_files(fleet, slug)) == []


def test_the_same_declaration_gives_the_same_bytes(fleet: Fleet) -> None:
    again = load_fleet(Project(ROOT, ROOT / ".vaern"))
    assert every_file(fleet) == every_file(again)


def test_every_file_is_yaml_and_says_that_it_is_generated(fleet: Fleet) -> None:
    for path, text in every_file(fleet).items():
        assert text.startswith(HEADER), path
        assert isinstance(yaml.safe_load(text), dict), path


def test_a_reviewer_sees_how_long_a_relay_lasts(fleet: Fleet) -> None:
    files = inventory.municipality_files(fleet, "favrskov")
    assert (
        files["favrskov/host_vars/favrskov-gw1.yml"]
        .splitlines()[2]
        .startswith("# Without a link this relay keeps everything for 27.8 hours, 24 are asked for: 6 GiB")
    )
    assert "Without a link" not in files["favrskov/host_vars/favrskov-sensor1.yml"]


def test_alerts_of_taps_give_way_last(fleet: Fleet) -> None:
    relay = yaml.safe_load(inventory.municipality_files(fleet, "favrskov")["favrskov/host_vars/favrskov-gw1.yml"])
    priorities = {source["name"]: source["priority"] for source in relay["log_shipper_sources"]}
    assert priorities == {"firewall1": 2, "dhcp1": 2, "journal1": 2, "tap-core": 1}


def test_no_secret_is_in_the_inventory(fleet: Fleet) -> None:
    for path, text in every_file(fleet).items():
        assert "PRIVATE KEY" not in text, path
        for line in text.splitlines():
            if "preshared_key:" in line:
                assert "vpn_preshared_keys[" in line, path


def test_a_gateway_reaches_the_hubs_only(fleet: Fleet) -> None:
    hubs = {ip_network(fleet.deployment.overlay_address(hub)) for hub in fleet.deployment.hubs}
    for slug in fleet.municipalities:
        for path, text in inventory.municipality_files(fleet, slug).items():
            for hub in yaml.safe_load(text).get("vpn_link_hubs", []):
                assert {ip_network(allowed) for allowed in hub["allowed_ips"]} <= hubs, path


def test_no_two_peers_share_an_address_and_no_two_tenants_a_principal(fleet: Fleet) -> None:
    (text,) = inventory.tenants_file(fleet, list(fleet.municipalities)).values()
    tenants = yaml.safe_load(text)
    addresses = [allowed for peer in tenants["vpn_hub_peers"] for allowed in peer["allowed_ips"]]
    assert len(addresses) == len(set(addresses))
    assert all(ip_network(address).prefixlen == 128 for address in addresses)
    principals = [name for tenant in tenants["collector_tenants"] for name in tenant["principals"]]
    assert len(principals) == len(set(principals))


def test_log_ports_are_open_to_declared_senders_only(fleet: Fleet) -> None:
    for slug, municipality in fleet.municipalities.items():
        senders = {f"{source.address}/32" for source in municipality.log_sources}
        senders |= {f"{host.address}/32" for host in municipality.hosts}
        senders |= {f"{tap.vxlan.remote}/32" for tap in municipality.taps if tap.vxlan}
        for path, text in inventory.municipality_files(fleet, slug).items():
            for port in yaml.safe_load(text).get("base_open_ports", []):
                assert port["sources"], path
                assert set(port["sources"]) <= senders, path


def test_writing_twice_changes_nothing_and_stale_files_go(fleet: Fleet, tmp_path: Path) -> None:
    files = inventory.municipality_files(fleet, "favrskov")
    assert inventory.write(tmp_path, "favrskov", files) == sorted(files)
    assert inventory.write(tmp_path, "favrskov", files) == []
    keys = tmp_path / "favrskov/group_vars/all/keys.lab.yml"
    keys.write_text("enrolment: {}\n")
    stale = tmp_path / "favrskov/host_vars/favrskov-gone.yml"
    stale.write_text("x: 1\n")
    (difference,) = inventory.compare(tmp_path, "favrskov", files)
    assert difference.path == "favrskov/host_vars/favrskov-gone.yml"
    assert "-x: 1" in difference.diff
    assert inventory.write(tmp_path, "favrskov", files) == ["favrskov/host_vars/favrskov-gone.yml"]
    assert keys.exists(), "the record of enrolment belongs to another stage"


def test_a_change_is_shown_as_a_diff(fleet: Fleet, tmp_path: Path) -> None:
    files = inventory.municipality_files(fleet, "favrskov")
    inventory.write(tmp_path, "favrskov", files)
    path = tmp_path / "favrskov/host_vars/favrskov-gw1.yml"
    path.write_text(path.read_text().replace("198.51.100.1/32", "0.0.0.0/0"))
    (difference,) = inventory.compare(tmp_path, "favrskov", files)
    assert "0.0.0.0/0" in difference.diff
    assert "+  - 198.51.100.1/32" in difference.diff
