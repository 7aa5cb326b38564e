from __future__ import annotations

import json
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from vaern.model.declaration import Municipality, Tap
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import TapMode
from vaern_stacks.lab import names
from vaern_stacks.lab.plan import known_names, plan_municipality, plan_shared
from vaern_stacks.lab.spec import Host, Link, Mirror, Site, plain

INVENTORIES = Path(__file__).resolve().parents[4] / "inventories"


def read(path: str) -> dict[str, object]:
    return dict(YAML(typ="safe").load(INVENTORIES / path))


@pytest.fixture(scope="module")
def deployment() -> Deployment:
    return Deployment.model_validate(read("shared/collector.yml"))


@pytest.fixture(scope="module")
def favrskov() -> Municipality:
    return Municipality.model_validate(read("favrskov/municipality.yml"))


def test_hubs_stand_on_their_declared_addresses(deployment: Deployment) -> None:
    (hub,) = plan_shared(deployment)
    assert hub.name == "hub1"
    assert hub.address == str(deployment.hubs[0].address)
    assert hub.links == (Link("uplink", "wan", (f"{hub.address}/15",)),)


def test_time_sources_and_hubs_are_known_by_name(deployment: Deployment) -> None:
    known = known_names(deployment)
    assert set(known) == {"hub1", *deployment.ntp_sources}
    assert set(known.values()) == {str(deployment.hubs[0].address)}


def test_hosts_have_uplink_lan_and_tap(deployment: Deployment, favrskov: Municipality) -> None:
    plan = plan_municipality(deployment, favrskov, "favrskov")
    assert [host.name for host in plan.hosts] == [f"favrskov-{host.name}" for host in favrskov.hosts]
    for made, declared in zip(plan.hosts, favrskov.hosts, strict=True):
        site = plan.sites[declared.site]
        assert made.links[1] == Link("lan", site.bridge, (f"{declared.address}/24",))
    sensor = next(host for host in plan.hosts if host.name == f"favrskov-{favrskov.taps[0].sensor}")
    assert sensor.links[2] == Link(favrskov.taps[0].interface, "", ())


def test_devices_have_every_declared_source_once(deployment: Deployment, favrskov: Municipality) -> None:
    doubled = favrskov.model_copy(update={"log_sources": favrskov.log_sources * 2})
    for name, site in plan_municipality(deployment, doubled, "favrskov").sites.items():
        declared = {f"{source.address}/24" for source in favrskov.log_sources if source.site == name}
        assert sorted(declared) == sorted(site.addresses)


@pytest.mark.parametrize(("mode", "mirrors"), [("nft", 1), ("span", 1), ("vxlan", 0), ("erspan", 0)])
def test_only_bare_copies_are_mirrored(deployment: Deployment, favrskov: Municipality, mode: str, mirrors: int) -> None:
    tap: Tap = favrskov.taps[0].model_copy(update={"mode": TapMode(mode)})
    plan = plan_municipality(deployment, favrskov.model_copy(update={"taps": (tap,)}), "favrskov")
    assert len(plan.mirrors) == mirrors
    assert sum(not link.bridge for host in plan.hosts for link in host.links) == mirrors


def test_the_same_site_of_two_municipalities_is_two_lans(deployment: Deployment, favrskov: Municipality) -> None:
    one = plan_municipality(deployment, favrskov, "favrskov").sites
    other = plan_municipality(deployment, favrskov, "favrskov-b").sites
    for name in one:
        assert one[name].bridge != other[name].bridge
        assert names.namespace("v1", one[name].name) != names.namespace("v1", other[name].name)


def test_specs_survive_json(deployment: Deployment, favrskov: Municipality) -> None:
    plan = plan_municipality(deployment, favrskov, "favrskov")
    for host in plan.hosts:
        assert Host.of(json.loads(json.dumps(plain(host)))) == host
    for site in plan.sites.values():
        assert Site.of(json.loads(json.dumps(plain(site)))) == site
    for mirror in plan.mirrors:
        assert Mirror.of(json.loads(json.dumps(plain(mirror)))) == mirror
    with pytest.raises(FrozenInstanceError):
        plan.hosts[0].name = "other"  # type: ignore[misc]
