from __future__ import annotations

from pathlib import Path

import pytest

from vaern.declaration import load_fleet
from vaern.model.controls import load_catalogue
from vaern.model.finding import Finding, Outcome
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project
from vaern.verify import expectations
from vaern.verify.snapshot import split
from vaern.verify.subjects import complete, expected_pairs, subjects

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"))


def test_own_hosts_come_first_and_hubs_are_always_there(fleet: Fleet) -> None:
    found = subjects("favrskov", fleet.municipalities["favrskov"], fleet.deployment)
    assert [one.name for one in found] == ["favrskov-gw1", "favrskov-sensor1", "hub1"]


def test_gateways_are_numbered_as_their_addresses(fleet: Fleet) -> None:
    for slug, municipality in fleet.municipalities.items():
        gateways = [one for one in subjects(slug, municipality, fleet.deployment) if "gateway" in one.roles]
        assert [one.number for one in gateways] == list(range(1, len(gateways) + 1))


def test_a_control_without_a_result_is_unknown() -> None:
    met = Finding("f", "BASE-01", "hub1", Outcome.PASSED, "", "", "", "t")
    found = complete([met], [("BASE-01", "hub1"), ("BASE-02", "hub1")], "f", "t")
    assert [(one.control, one.outcome) for one in found] == [("BASE-01", "passed"), ("BASE-02", "unknown")]


def test_chosen_controls_limit_the_pairs(fleet: Fleet) -> None:
    hosts = subjects("favrskov", fleet.municipalities["favrskov"], fleet.deployment)
    assert expected_pairs(load_catalogue(), hosts, ["VPN-03"]) == (("VPN-03", "favrskov-gw1"),)


def test_every_example_opens_only_what_its_roles_need(fleet: Fleet) -> None:
    for slug, municipality in fleet.municipalities.items():
        for subject in subjects(slug, municipality, fleet.deployment):
            opened = expectations.services(municipality, fleet.deployment, subject)
            assert ("tcp", 22) in opened
            assert (("udp", fleet.deployment.vpn_port) in opened) == ("vpn_hub" in subject.roles)
            if not {"relay", "vpn_hub", "collector"} & subject.roles and not expectations.taps(municipality, subject):
                assert opened == {("tcp", 22)}


def test_a_broken_connection_loses_only_the_open_section() -> None:
    sections = split("B begin one\nhello\n\nB end 0\nB begin two\nhalf", "B")
    assert set(sections) == {"one"}
    assert (sections["one"].text, sections["one"].exit_code) == ("hello", 0)


def test_a_file_cannot_imitate_a_heading() -> None:
    sections = split("B begin one\nX end 0\nX begin two\nB end 3\n", "B")
    assert sections["one"].text == "X end 0\nX begin two"
    assert sections["one"].exit_code == 3
