"""Networks and addresses in which no device can be, each found at the key to change."""

from __future__ import annotations

import pytest
from support.declarations.changed_example import changed, problems

from vaern.declaration import load_fleet, load_municipality
from vaern.errors import DeclarationError
from vaern.runtime.paths import Project

LAN = "    network: 198.51.100.0/24\n"
RELAY = "    roles: [gateway, relay]\n"
SENSOR = "    roles: [sensor]\n"
SOURCE = "    address: 198.51.100.20\n"


@pytest.mark.parametrize(
    ("network", "found"),
    [
        ("::/0", "a large part of the Internet"),
        ("0.0.0.0/0", "a large part of the Internet"),
        ("127.0.0.0/8", "a host's own"),
        ("::1", "a host's own"),
        ("169.254.0.0/16", "not a network that devices send from"),
        ("fe80::/10", "not a network that devices send from"),
        ("239.0.0.0/8", "not a network that devices send from"),
        ("ff00::/8", "not a network that devices send from"),
        ("0.0.0.0/8", "not a network that devices send from"),
        ("240.0.0.0/8", "not a network that devices send from"),
        ("::ffff:10.0.0.0/104", "is 10.0.0.0/8, as IPv6 carries it"),
    ],
)
def test_a_network_that_no_device_has(project: Project, network: str, found: str) -> None:
    path = changed(project, (LAN, f'{LAN}    other_networks: ["{network}"]\n'))
    first = problems(path)[0]
    assert first.key == "sites[0].other_networks[0]"
    assert found in first.found
    assert first.fix


@pytest.mark.parametrize("address", ["::1", "::", "fe80::1", "ff02::1", "::ffff:198.51.100.10", "2001:db8::1%eth0"])
def test_an_ipv6_address_that_no_host_has(project: Project, address: str) -> None:
    (one,) = problems(changed(project, (RELAY, f'    ipv6: "{address}"\n{RELAY}')))
    assert one.key == "hosts[0].ipv6"


def test_an_ipv6_address_is_given_once(project: Project) -> None:
    both = [(RELAY, f"    ipv6: 2001:db8:20::10\n{RELAY}"), (SENSOR, f"    ipv6: 2001:db8:20::10\n{SENSOR}")]
    (one,) = problems(changed(project, *both))
    assert (one.key, one.found) == (
        "hosts[1].ipv6",
        "2001:db8:20::10 at raadhus is already the address of `gw1`",
    )


@pytest.mark.parametrize(
    ("place", "key", "found"),
    [
        ("address: 2001:db8:20::10", "address", "is already the address of `gw1`"),
        ("network: 2001:db8:20::10/128", "network", "it never gets an event"),
    ],
)
def test_the_ipv6_address_of_a_relay_is_no_sender(project: Project, place: str, key: str, found: str) -> None:
    ipv6 = (RELAY, f"    ipv6: 2001:db8:20::10\n{RELAY}")
    own = (LAN, f'{LAN}    other_networks: ["2001:db8:20::/48"]\n')
    (one,) = problems(changed(project, ipv6, own, (SOURCE, f"    {place}\n")))
    assert one.key == f"log_sources[1].{key}"
    assert found in one.found


@pytest.mark.parametrize(
    ("before", "after", "key"),
    [
        (LAN, f'{LAN}    other_networks: ["fd00::/8"]\n', "sites[0].other_networks[0]"),
        (RELAY, f"    ipv6: {{inside}}\n{RELAY}", "hosts[0].ipv6"),
    ],
)
def test_the_tunnels_have_their_own_addresses(project: Project, before: str, after: str, key: str) -> None:
    overlay = load_fleet(project).deployment.overlay
    changed(project, (before, after.replace("{inside}", str(overlay[5]))))
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    (one,) = caught.value.problems
    assert one.key == key
    assert f"is of the overlay ({overlay})" in one.found


def test_the_port_of_a_mirror_is_no_port_of_a_source_on_the_same_host(project: Project) -> None:
    path = changed(
        project,
        (RELAY, "    roles: [gateway, relay, sensor]\n"),
        ("    mode: span\n", "    mode: vxlan\n    vxlan: {vni: 7, remote: 198.51.100.3}\n"),
        ("    sensor: sensor1\n", "    sensor: gw1\n"),
        ("    protocol: syslog_udp\n", "    protocol: syslog_udp\n    port: 4789\n"),
    )
    (one,) = problems(path)
    assert (one.key, one.found) == ("log_sources[0].port", "4789 is already the port of tap `core` on the same host")
    path.write_text(path.read_text(encoding="utf-8").replace("port: 4789", "port: 4790"), encoding="utf-8")
    load_municipality(path)
