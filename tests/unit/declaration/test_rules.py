"""Rules across fields and files: each broken once in the example, and found at the key to change."""

from __future__ import annotations

import shutil
from pathlib import Path
from textwrap import indent
from typing import NamedTuple

import pytest
from support.certificates import Authority

from vaern.declaration import declared_slugs, load_deployment, load_fleet, load_municipality
from vaern.errors import DeclarationError, Problem
from vaern.runtime.paths import Project

INVENTORIES = Path(__file__).resolve().parents[3] / "inventories"
FAVRSKOV = (INVENTORIES / "favrskov" / "municipality.yml").read_text(encoding="utf-8")
COLLECTOR = (INVENTORIES / "shared" / "collector.yml").read_text(encoding="utf-8")


class Broken(NamedTuple):
    before: str
    after: str
    key: str
    found: str
    fix: str
    also: tuple[str, str] = ("", "")
    """A second change that the fault needs."""


SECOND_SITE = "hosts:                    #"
OTHER = "  - {name: plejehjem, title: Plejehjem, sector: health, network: 203.0.113.0/24}\nhosts: #"
SIGNED = "certificate: |\n" + indent(Authority().certificate, " " * 6)
NO_CERTIFICATE = "certificate: |\n      -----BEGIN CERTIFICATE-----\n      MIIB\n      -----END CERTIFICATE-----\n"
LIKE_IT = """
    events_per_second: 2
    silent_after_minutes: 120
  - name: like1
    kind: dhcp
    sector: administration
    site: raadhus
    address: 198.51.100.9
    protocol: syslog_udp
    host_name: sw1"""
"""The rest of a source, and the beginning of another one that is like it."""
MUNICIPALITY = {
    "certificate without its protocol": Broken(
        "protocol: syslog_tls\n",
        f"protocol: syslog_tls\n    {SIGNED}",
        "log_sources[2].certificate",
        "with protocol syslog_tls",
        "write protocol: syslog_mtls",
    ),
    "a certificate that is none": Broken(
        "protocol: syslog_tls\n",
        f"protocol: syslog_mtls\n    {NO_CERTIFICATE}",
        "log_sources[2].certificate",
        "this is no certificate",
        "write the certificate again",
    ),
    "protocol without its certificate": Broken(
        "protocol: syslog_tls\n",
        "protocol: syslog_mtls\n",
        "log_sources[2].certificate",
        "syslog_mtls without certificate",
        "the sender's own certificate",
    ),
    "code of another": Broken(
        '"0710" ', '"0751" ', "code", "0751 is not the code of Favrskov (that is Aarhus)", 'write "0710"'
    ),
    "code of nobody": Broken('"0710" ', '"0711" ', "code", "0711 is not the code of Favrskov", 'write "0710"'),
    "name with a typo": Broken("name: Favrskov", "name: Favrskow", "name", "0710 is Favrskov", "write `Favrskov`"),
    "host name twice": Broken(
        "name: gw1", "name: sensor1", "hosts[1].name", "already the name of hosts[0]", "another name"
    ),
    "vendor of another kind": Broken(
        "vendor: isc-dhcpd", "vendor: squid", "log_sources[1].vendor", "no dhcp of vendor `squid`", "isc-kea"
    ),
    "source name twice": Broken(
        "name: dhcp1", "name: firewall1", "log_sources[1].name", "log_sources[0]", "another name"
    ),
    "source called like a host's heartbeats": Broken(
        "name: dhcp1", "name: vaern-dhcp1", "log_sources[1].name", "vaern's own sources", "another name"
    ),
    "source called like a tap": Broken(
        "name: dhcp1", "name: tap-dhcp1", "log_sources[1].name", "vaern's own sources", "another name"
    ),
    "host at no site": Broken(
        "    site: raadhus\n    address: 198.51.100.11",
        "    site: skole\n    address: 198.51.100.11",
        "hosts[1].site",
        "there is no site `skole`",
        "write one of raadhus",
    ),
    "source at no site": Broken(
        "    site: raadhus\n    address: 198.51.100.20",
        "    site: skole\n    address: 198.51.100.20",
        "log_sources[1].site",
        "no site `skole`",
        "raadhus",
    ),
    "host outside the network": Broken(
        "198.51.100.11",
        "198.51.101.11",
        "hosts[1].address",
        "198.51.101.11 is not in 198.51.100.0/24",
        "a usable address of",
    ),
    "source outside the network": Broken(
        "198.51.100.21", "203.0.113.21", "log_sources[2].address", "not in 198.51.100.0/24", "usable"
    ),
    "network address": Broken("198.51.100.11", "198.51.100.0", "hosts[1].address", "is the network address", "usable"),
    "broadcast address": Broken(
        "198.51.100.11", "198.51.100.255", "hosts[1].address", "is the broadcast address", "usable"
    ),
    "address twice": Broken(
        "198.51.100.11", "198.51.100.10", "hosts[1].address", "already the address of `gw1`", "its own"
    ),
    "address of a source at a host": Broken(
        "198.51.100.20", "198.51.100.10", "log_sources[1].address", "already the address of `gw1`", "its own"
    ),
    "two sources of one address that nothing tells apart": Broken(
        "address: 198.51.100.20\n    protocol: syslog_tcp",
        "address: 198.51.100.1\n    protocol: syslog_udp",
        "log_sources[1].address",
        "198.51.100.1 at raadhus is already the address of `firewall1`, and nothing tells the two apart",
        "or add a host_name, program or port",
    ),
    "host names that differ in case only": Broken(
        "address: 198.51.100.20\n    protocol: syslog_tcp",
        "address: 198.51.100.9\n    host_name: Sw1\n    protocol: syslog_udp" + LIKE_IT,
        "log_sources[2].address",
        "already the address of `dhcp1`",
        "or add a host_name",
    ),
    "a source that nothing says the place of": Broken(
        "    address: 198.51.100.20\n", "", "log_sources[1].name", "nothing says where", "`host_name:`"
    ),
    "an address and a network": Broken(
        "address: 198.51.100.20\n",
        "address: 198.51.100.20\n    network: 198.51.100.0/25\n",
        "log_sources[1].network",
        "an address and a network",
        "keep one",
    ),
    "a network elsewhere": Broken(
        "address: 198.51.100.20\n",
        "network: 203.0.113.0/25\n",
        "log_sources[1].network",
        "203.0.113.0/25 is not in 198.51.100.0/24",
        "add it to other_networks",
    ),
    "networks of a site that overlap": Broken(
        "network: 198.51.100.0/24\n",
        "network: 198.51.100.0/24\n    other_networks: [203.0.113.0/24, 203.0.113.128/25]\n",
        "sites[0].other_networks[1]",
        "203.0.113.128/25 overlaps 203.0.113.0/24",
        "write each address once",
    ),
    "a source that others hide": Broken(
        "address: 198.51.100.20\n    protocol: syslog_tcp",
        "network: 198.51.100.10/31\n    protocol: syslog_tcp",
        "log_sources[1].network",
        "it never gets an event: each address of 198.51.100.10/31 is another's",
        "remove it",
    ),
    "IPv4 as IPv6 carries it": Broken(
        "address: 198.51.100.20\n",
        "address: ::ffff:198.51.100.20\n",
        "log_sources[1].address",
        "as IPv6 carries it",
        "write 198.51.100.20",
    ),
    "IPv6 at a relay that has none": Broken(
        "network: 198.51.100.0/24\n",
        "network: 198.51.100.0/24\n    other_networks: [2001:db8::/48]\n",
        "log_sources[1].address",
        "2001:db8::20 sends by IPv6, and its relay `gw1` has no IPv6 address",
        "add `ipv6:` to gw1",
        also=("address: 198.51.100.20\n", "address: 2001:db8::20\n"),
    ),
    "host name of nobody": Broken(
        "address: 198.51.100.20\n",
        "address: 198.51.100.20\n    host_name: Okt\n",
        "log_sources[1].host_name",
        "`Okt` names no device",
        "leave it out",
    ),
    "zone as host name, as Windows servers write it": Broken(
        "address: 198.51.100.20\n",
        "address: 198.51.100.20\n    host_name: MESZ\n",
        "log_sources[1].host_name",
        "`MESZ` names no device",
        "the name that is its own",
    ),
    "usual port": Broken(
        "protocol: syslog_tcp\n",
        "protocol: syslog_tcp\n    port: 6514\n",
        "log_sources[1].port",
        "a usual port",
        "such as 5514",
    ),
    "port of two protocols": Broken(
        "protocol: syslog_tcp\n",
        "protocol: syslog_tcp\n    port: 5514\n",
        "log_sources[2].port",
        "5514 is already the port of a source by syslog_tcp",
        "a port has one protocol",
        also=("protocol: syslog_tls\n", "protocol: syslog_tls\n    port: 5514\n"),
    ),
    "no gateway": Broken(
        "[gateway, relay]", "[relay]", "hosts", "no host has the role gateway", "one host may have all three"
    ),
    "no relay": Broken("[gateway, relay]", "[gateway]", "hosts", "no host has the role relay", "add `relay`"),
    "role twice": Broken("roles: [sensor]", "roles: [sensor, sensor]", "hosts[1].roles[1]", "given twice", "remove it"),
    "second relay at a site": Broken(
        "roles: [sensor]",
        "roles: [sensor, relay]",
        "hosts[1].roles",
        "`gw1` is already the relay",
        "remove the role relay",
    ),
    "tap without a host": Broken(
        "sensor: sensor1", "sensor: sensor9", "taps[0].sensor", "there is no host `sensor9`", "write one of sensor1"
    ),
    "tap at a host that is no sensor": Broken(
        "sensor: sensor1", "sensor: gw1", "taps[0].sensor", "`gw1` does not have the role sensor", "sensor1"
    ),
    "tap on the LAN": Broken(
        "interface: tap0", "interface: lan", "taps[0].interface", "not an interface for a mirror", "such as tap0"
    ),
    "tap of mode vxlan without its mirror": Broken(
        "mode: nft", "mode: vxlan", "taps[0].mode", "mode vxlan without where its mirror comes from", "add `vxlan: {vni"
    ),
    "tap of mode erspan without its mirror": Broken(
        "mode: nft", "mode: erspan", "taps[0].mode", "mode erspan without", "add `erspan: {version"
    ),
    "tap with the mirror of another mode": Broken(
        "mode: nft",
        "mode: nft\n    vxlan: {vni: 3, remote: 198.51.100.3}",
        "taps[0].vxlan",
        "`vxlan` in a tap of mode nft",
        "remove it, or write `mode: vxlan`",
    ),
    "tap on the tunnel": Broken(
        "interface: tap0", "interface: vaern0", "taps[0].interface", "not an interface", "tap0"
    ),
    "interface twice": Broken(
        "outage_hours",
        "  - {name: again, mode: nft, sector: health, sensor: sensor1, "
        "interface: tap0, expected_mbit_per_second: 1}\noutage_hours",
        "taps[1].interface",
        "already used by tap `core`",
        "of its own",
    ),
    "sensor on Debian 12": Broken(
        "roles: [sensor]",
        "roles: [sensor]\n    debian: 12",
        "hosts[1].debian",
        "a sensor cannot run Debian 12",
        "write 13",
    ),
    "sector without a SOC": Broken(
        "  health: national",
        "",
        "soc",
        "no SOC profile for health, the sector of `journal1`",
        "add `health: <profile>`",
    ),
    "spool too small": Broken(
        "spool_gib: 9 ",
        "spool_gib: 1 ",
        "hosts[0].spool_gib",
        "1 GiB lasts 3.2 hours, but outage_hours is 24",
        "write 7.5 or more, or lower outage_hours to 3",
    ),
    "spool smaller than an hour": Broken(
        "spool_gib: 9 ", "spool_gib: 0.1 ", "hosts[0].spool_gib", "0.1 GiB lasts 0.3 hours", "write 7.5 or more"
    ),
}


@pytest.mark.parametrize("broken", MUNICIPALITY.values(), ids=MUNICIPALITY)
def test_each_rule_of_a_municipality(tmp_path: Path, broken: Broken) -> None:
    assert broken.before in FAVRSKOV
    path = tmp_path / "municipality.yml"
    assert broken.also[0] in FAVRSKOV
    text = FAVRSKOV.replace(broken.before, broken.after, 1).replace(*broken.also, 1)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_municipality(path)
    assert_one(caught.value.problems, broken)


def assert_one(problems: list[Problem], broken: Broken) -> None:
    """Exactly the broken rule speaks, at a line of its own key."""
    (problem,) = problems
    assert (problem.key, broken.found in problem.found, broken.fix in problem.fix) == (broken.key, True, True), problem
    assert problem.line > 1


def test_sources_need_a_relay_at_their_own_site(tmp_path: Path) -> None:
    text = FAVRSKOV.replace(SECOND_SITE, OTHER, 1).replace(
        "site: raadhus\n    address: 198.51.100.20", "site: plejehjem\n    address: 203.0.113.20"
    )
    (tmp_path / "municipality.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_municipality(tmp_path / "municipality.yml")
    (problem,) = caught.value.problems
    assert problem.found == "dhcp1 at plejehjem have no relay to send to"
    assert problem.fix == "add the role relay to a host at plejehjem"


def test_a_relay_needs_a_gateway_at_its_own_site(tmp_path: Path) -> None:
    text = FAVRSKOV.replace(SECOND_SITE, OTHER, 1).replace(
        "roles: [sensor]",
        "roles: [sensor]\n" + ("  - {name: relay2, site: plejehjem, address: 203.0.113.10, roles: [relay]}"),
    )
    (tmp_path / "municipality.yml").write_text(text, encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_municipality(tmp_path / "municipality.yml")
    assert [problem.found for problem in caught.value.problems] == ["relay `relay2` has no gateway at plejehjem"]


DEPLOYMENT = {
    "not a ULA": Broken(
        "fd5a:1c3e:9b27::/48", "2001:db8::/48", "overlay", "is not a ULA /48", "a random /48 of fd00::/8"
    ),
    "reserved half of ULA": Broken("fd5a:1c3e:9b27::/48", "fc00:1:2::/48", "overlay", "is not a ULA /48", "fd00::/8"),
    "not a /48": Broken("fd5a:1c3e:9b27::/48", "fd5a:1c3e:9b27::/64", "overlay", "is not a ULA /48", "a random /48"),
    "a SOC reads as a relay": Broken(
        "title: National analysis centre for health\n",
        "title: National\n    outputs: [{name: kafka, protocol: kafka, reader: favrskov-gw1}]\n",
        "soc_profiles.national.outputs[0].reader",
        "`favrskov-gw1` can be the name of a host of Favrskov",
        "such as soc-national",
    ),
    "a SOC reads as a hub": Broken(
        "title: National analysis centre for health\n",
        "title: National\n    outputs: [{name: kafka, protocol: kafka, reader: hub1}]\n",
        "soc_profiles.national.outputs[0].reader",
        "`hub1` is the name of a hub",
        "such as soc-national",
    ),
    "a hub called like a relay": Broken(
        "name: hub1", "name: samsoe-gw1", "hubs[0].name", "can be the name of a host of Samsø", "such as hub1"
    ),
    "hub outside the lab": Broken(
        "198.18.0.10", "192.0.2.10", "hubs[0].address", "not a hub address of the lab", "such as 198.18.0.10"
    ),
    "hub at the control node": Broken(
        "198.18.0.10", "198.18.0.1", "hubs[0].address", "not a hub address of the lab", "other than 198.18.0.1"
    ),
    "no collector": Broken(
        "[vpn_hub, collector]", "[vpn_hub]", "hubs", "no hub has the role collector", "exactly one hub"
    ),
    "no VPN hub": Broken("[vpn_hub, collector]", "[collector]", "hubs", "no hub has the role vpn_hub", "add `vpn_hub`"),
    "two collectors": Broken(
        "ntp_sources:",
        "  - {name: hub2, address: 198.18.0.11, roles: [collector]}\nntp_sources:",
        "hubs",
        "hub1 and hub2",
        "exactly one",
    ),
    "hub name twice": Broken(
        "ntp_sources:",
        "  - {name: hub1, address: 198.18.0.11, roles: [vpn_hub]}\nntp_sources:",
        "hubs[1].name",
        "already given to hubs[0]",
        "its own",
    ),
    "hub address twice": Broken(
        "ntp_sources:",
        "  - {name: hub2, address: 198.18.0.10, roles: [vpn_hub]}\nntp_sources:",
        "hubs[1].address",
        "already given to hubs[0]",
        "its own",
    ),
    "time source with a space": Broken(
        "[ntp1.faelles.example", "[a b", "ntp_sources[0]", "`a b`", "a DNS name or an address"
    ),
    "mail without a mail server": Broken(
        "retention_days:",
        "notify:\n  mail: [drift@faelles.example]\nretention_days:",
        "notify.mail",
        "there is no mail server",
        "add `mail_server:`",
    ),
    "nobody to tell": Broken(
        "retention_days:",
        'notify:\n  quiet: {start: "22:00", end: "07:00"}\nretention_days:',
        "notify",
        "nobody is told",
        "add `mail:`",
    ),
    "quiet hours of a whole day": Broken(
        "retention_days:",
        'notify:\n  webhook: {url: https://a.example/}\n  quiet: {start: "07:00", end: "07:00"}\nretention_days:',
        "notify.quiet.end",
        "begin and end at 07:00",
        "write another time",
    ),
    "a webhook in plain text": Broken(
        "retention_days:",
        "notify:\n  webhook: {url: http://a.example/}\nretention_days:",
        "notify.webhook.url",
        "has the wrong form",
        "begins with https://",
    ),
    "a webhook with a password in it": Broken(
        "retention_days:",
        "notify:\n  webhook: {url: https://me:secret@a.example/}\nretention_days:",
        "notify.webhook.url",
        "has the wrong form",
        "begins with https://",
    ),
    "two addresses in one": Broken(
        "retention_days:",
        "notify:\n  mail: ['a@b.example,c@d.example']\nretention_days:",
        "notify.mail[0]",
        "has the wrong form",
        "a mail address of letters",
    ),
    "a time of no day": Broken(
        "retention_days:",
        'notify:\n  webhook: {url: https://a.example/}\n  quiet: {start: "24:00", end: "07:00"}\nretention_days:',
        "notify.quiet.start",
        "`24:00` has the wrong form",
        "from 00:00 to 23:59",
    ),
    "one time source": Broken("[ntp1.faelles.example, ", "[", "ntp_sources", "1 given", "at least 2"),
}


@pytest.mark.parametrize("broken", DEPLOYMENT.values(), ids=DEPLOYMENT)
def test_each_rule_of_the_deployment(tmp_path: Path, broken: Broken) -> None:
    assert broken.before in COLLECTOR
    (tmp_path / "collector.yml").write_text(COLLECTOR.replace(broken.before, broken.after, 1), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_deployment(tmp_path / "collector.yml")
    assert_one(caught.value.problems, broken)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with Favrskov and the shared collectors."""
    for part in ("shared/collector.yml", "favrskov/municipality.yml"):
        (tmp_path / "inventories" / part).parent.mkdir(parents=True)
        shutil.copy(INVENTORIES / part, tmp_path / "inventories" / part)
    return Project(tmp_path, tmp_path / ".vaern")


def edit(project: Project, before: str, after: str, slug: str = "favrskov") -> None:
    path = next(project.municipality(slug).glob("*.yml"))
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


FLEET = {
    "target of its own": Broken(
        "target: lab", "target: azure", "target", "shared collectors are on `lab`", "write `lab`"
    ),
    "unknown SOC profile": Broken(
        "health: national", "health: nasional", "soc.health", "no SOC profile `nasional`", "national, joint"
    ),
    "kept longer than the archive": Broken(
        "retention_days: 400",
        "retention_days: 500",
        "privacy.retention_days",
        "longer than the archive keeps (400)",
        "400 or less",
    ),
    "kept no longer than the broker does": Broken(
        "retention_days: 400", "retention_days: 3", "privacy.retention_days", "collector's broker", "write 4 or more"
    ),
    "told by mail without a mail server": Broken(
        "outage_hours:",
        "notify:\n  mail: [it@favrskov.example]\noutage_hours:",
        "notify.mail",
        "declares no mail server",
        "`notify.mail_server`",
    ),
    "told twice": Broken(
        "outage_hours:",
        "notify:\n  webhook: {url: https://a.example/}\n  mail: [It@a.example, it@a.example]\noutage_hours:",
        "notify.mail[1]",
        "`it@a.example` is given twice",
        "remove it",
    ),
    "nobody of the municipality to tell": Broken(
        "outage_hours:", "notify: {}\noutage_hours:", "notify", "nobody is told", "add `mail:`"
    ),
    "a way to a host of the lab": Broken(
        "roles: [sensor]",
        "roles: [sensor]\n    ssh: {port: 2222}",
        "hosts[1].ssh",
        "the lab makes its hosts",
        "remove it",
    ),
    "LAN inside the lab's network": Broken(
        "network: 198.51.100.0/24",
        "network: 198.0.0.0/8",
        "sites[0].network",
        "between the hosts of the lab",
        "such as 198.51.100.0/24",
    ),
}


@pytest.mark.parametrize("broken", FLEET.values(), ids=FLEET)
def test_each_rule_between_files(project: Project, broken: Broken) -> None:
    if broken.key == "notify.mail[1]":
        server = "notify: {mail_server: {address: a.example, sender: vaern@a.example}}\nretention_days:"
        edit(project, "retention_days:", server, "shared")
    edit(project, broken.before, broken.after)
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    assert_one(caught.value.problems, broken)


def test_a_relay_has_disk_for_the_smallest_spool_however_little_it_takes_in(tmp_path: Path) -> None:
    """Or else its role would refuse it, long after the declaration was found right."""
    text = (INVENTORIES / "samsoe" / "municipality.yml").read_text(encoding="utf-8")
    for rate in ("events_per_second: 8\n", "events_per_second: 1\n"):
        assert rate in text
        text = text.replace(rate, "events_per_second: 0.001\n")
    # 72 hours of it are 0.8 MB; the smallest spool has 8 MiB, which are 0.0078 GiB.
    path = tmp_path / "municipality.yml"
    path.write_text(text.replace("spool_gib: 4\n", "spool_gib: 0.008\n"), encoding="utf-8")
    load_municipality(path)
    path.write_text(text.replace("spool_gib: 4\n", "spool_gib: 0.007\n"), encoding="utf-8")
    with pytest.raises(DeclarationError) as caught:
        load_municipality(path)
    (problem,) = caught.value.problems
    assert problem.key == "hosts[0].spool_gib"
    assert (problem.found, problem.fix) == ("0.007 GiB is less than the smallest spool, 8 MiB", "write 0.1 or more")


def test_the_disk_of_a_relay_holds_the_queues_of_receivers_too(project: Project) -> None:
    """Spool and queue take 7.46 + 1.20 GiB, for 62 and 10 events/s: room for the spool alone is too little."""
    title = "title: National analysis centre for health\n"
    output = "    outputs: [{name: relp, protocol: relp_tls, address: soc.example}]\n"
    edit(project, title, title + output, "shared")
    edit(project, "spool_gib: 9 ", "spool_gib: 8.7 ")
    load_fleet(project)
    edit(project, "spool_gib: 8.7 ", "spool_gib: 8.6 ")
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    (problem,) = caught.value.problems
    assert problem.key == "hosts[0].spool_gib"
    assert problem.found == "8.6 GiB has no room for the queues of national-relp"
    assert problem.fix == "write 8.7 or more, or lower outage_hours"


def test_too_many_hosts_for_the_lab(project: Project) -> None:
    hosts = "".join(
        f"  - {{name: s{n:03}, site: stor, address: 203.0.{n // 250}.{n % 250 + 1}, roles: [gateway]}}\n"
        for n in range(200)
    )
    site = "  - {name: stor, title: Stor, sector: administration, network: 203.0.0.0/16}\n"
    edit(project, "hosts:    ", site + "hosts:    ")
    edit(project, "log_sources:    ", hosts + "log_sources:    ")
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    assert [p.found for p in caught.value.problems] == ["202 hosts, but the lab has room for 200"]


def test_folder_and_name_differ(project: Project) -> None:
    project.municipality("favrskov").rename(project.municipality("odder"))
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    (problem,) = caught.value.problems
    assert problem.fix == "rename the folder: git mv inventories/odder inventories/favrskov"


def test_the_same_code_twice(project: Project) -> None:
    shutil.copytree(project.municipality("favrskov"), project.municipality("odder"))
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    assert "0710 is already the code of favrskov" in {problem.found for problem in caught.value.problems}


def test_an_unknown_municipality_is_asked_for(project: Project) -> None:
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project, ["favrskow"])
    (problem,) = caught.value.problems
    assert (problem.found, problem.fix) == ("no municipality has the folder name `favrskow`", "did you mean favrskov?")


def test_a_known_municipality_without_a_declaration(project: Project) -> None:
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project, ["samsoe"])
    assert caught.value.problems[0].fix == "write one with `vaern new samsoe`"


def test_faults_of_all_files_come_together(project: Project) -> None:
    edit(project, "size: medium", "size: huge")
    edit(project, "target: lab", "target: moon", "shared")
    with pytest.raises(DeclarationError) as caught:
        load_fleet(project)
    assert [problem.key for problem in caught.value.problems] == ["size", "target"]
    assert str(caught.value) == "2 faults in the declarations"


def test_one_municipality_does_not_wait_for_the_others(project: Project) -> None:
    project.municipality("odder").mkdir()
    (project.municipality("odder") / "municipality.yml").write_text("broken", encoding="utf-8")
    assert list(load_fleet(project, ["favrskov"]).municipalities) == ["favrskov"]
    assert declared_slugs(project) == ["favrskov", "odder"]


WARNINGS = {
    "old Debian": (
        "roles: [gateway, relay]",
        "roles: [gateway, relay]\n    debian: 12",
        "hosts[0].debian",
        "deprecated",
    ),
    "short retention": (
        "retention_days: 400",
        "retention_days: 364",
        "privacy.retention_days",
        "shorter than 12 months",
    ),
    "unmasked": ("cpr: mask", "cpr: keep", "privacy.cpr", "unmasked"),
}


@pytest.mark.parametrize(("before", "after", "key", "found"), WARNINGS.values(), ids=WARNINGS)
def test_warnings_stop_nothing(project: Project, before: str, after: str, key: str, found: str) -> None:
    edit(project, before, after)
    (warning,) = load_fleet(project).warnings
    assert warning.key == key
    assert found in warning.found


def test_the_examples_are_clean_and_of_all_three_sizes() -> None:
    fleet = load_fleet(Project(INVENTORIES.parent, INVENTORIES.parent / ".vaern"))
    assert {municipality.size for municipality in fleet.municipalities.values()} == {"small", "medium", "large"}
    assert fleet.warnings == ()
