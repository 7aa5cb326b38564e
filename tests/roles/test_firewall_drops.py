"""Whom the firewall of a relay drops, with the kernel's own counting: rules as written, and packets of a neighbour."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest
from support.firewall_rules import ruleset
from support.paths import ROOT
from support.two_networks import NEIGHBOUR, NEIGHBOUR6, RELAY, RELAY6, Network, two_networks
from support.yaml_text import read_yaml

from vaern.verify import firewall
from vaern_programs.monitoring.watch import host
from vaern_programs.monitoring.watch.firewall import Listed, Way

pytestmark = pytest.mark.roles
DECLARED = "198.51.100.31"
SEND = """
import socket, sys
address, port, count, own = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.socket(family, socket.SOCK_DGRAM) as sender:
    sender.bind((own, 0))
    for _ in range(int(count)):
        sender.sendto(b"<13>x", (address, int(port)))
"""
CONNECT = """
import socket, sys
with socket.socket() as caller:
    caller.setblocking(False)
    caller.connect_ex((sys.argv[1], int(sys.argv[2])))
"""
FORGE = """
import socket, struct, sys
target, count = socket.inet_aton(sys.argv[1]), int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW) as sender:
    for number in range(count):
        source = bytes([10, 9, number // 256, number % 256])
        datagram = struct.pack("!HHHH", 4000, 514, 8, 0)
        header = struct.pack("!BBHHHBBH4s4s", 69, 0, 28, 0, 0, 64, 17, 0, source, target)
        sender.sendto(header + datagram, (sys.argv[1], 0))
"""
FLOOD, AT_ONCE = 3000, 200
"""Forged addresses, and how many of them a firewall takes at once."""
ROOM = 1024
"""Addresses in a set of the firewall."""


@pytest.fixture
def networks() -> Iterator[tuple[Network, Network]]:
    """With the rules of the example's relay, which lets in the declared address only."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces need root")
    name = "favrskov-gw1"
    given = read_yaml((ROOT / "inventories" / "favrskov" / "host_vars" / f"{name}.yml").read_text(encoding="utf-8"))
    opened = [{**one, "sources": [f"{DECLARED}/32"]} for one in given["base_open_ports"]]
    counted = given["base_counted_ports"]
    with two_networks() as (relay, neighbour):
        # What comes from forged addresses is the firewall's to judge here, whatever this kernel's default is.
        relay.run("sysctl", "-qw", "net.ipv4.conf.all.rp_filter=0", "net.ipv4.conf.lan.rp_filter=0")
        neighbour.run("ip", "address", "add", f"{DECLARED}/24", "dev", "lan")
        relay.run("nft", "-f", "-", stdin=ruleset(base_open_ports=opened, base_counted_ports=counted))
        yield relay, neighbour


def found(relay: Network, monkeypatch: pytest.MonkeyPatch, packets: int) -> Listed:
    """Who is dropped, as the watch reads it there, once so many packets have been: the first waits for an address."""
    monkeypatch.setattr(host, "answer", relay.run)
    limit = time.monotonic() + 30
    while (counted := host.firewall_counter("strangers") or 0) < packets and time.monotonic() < limit:
        time.sleep(0.02)
    assert counted == packets
    senders = host.dropped_senders()
    assert senders is not None
    return senders


def send(neighbour: Network, address: str, port: int, count: int, own: str) -> None:
    neighbour.run("python3", "-c", SEND, address, str(port), str(count), own)


def test_who_is_dropped_where_logs_come_in_is_counted_once_and_nobody_else(
    networks: tuple[Network, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, neighbour = networks
    assert found(relay, monkeypatch, 0) == Listed({}, full=False)
    send(neighbour, RELAY, 514, 5, NEIGHBOUR)
    send(neighbour, RELAY6, 514, 3, NEIGHBOUR6)
    send(neighbour, RELAY, 514, 40, DECLARED)
    send(neighbour, RELAY, 515, 7, NEIGHBOUR)
    seen = found(relay, monkeypatch, 8).seen
    assert {way: one.packets for way, one in seen.items()} == {
        Way(NEIGHBOUR, "udp", 514): 5,
        Way(NEIGHBOUR6, "udp", 514): 3,
    }
    neighbour.run("python3", "-c", CONNECT, RELAY, "6514")
    assert found(relay, monkeypatch, 9).seen[Way(NEIGHBOUR, "tcp", 6514)].packets == 1


def test_what_is_counted_is_no_drift_and_opens_nothing(
    networks: tuple[Network, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The digest of a host's state and the controls read the rules in these two ways."""
    relay, neighbour = networks
    before = relay.run("nft", "-s", "-t", "list", "ruleset")
    send(neighbour, RELAY, 514, 5, NEIGHBOUR)
    assert found(relay, monkeypatch, 5).seen
    assert relay.run("nft", "-s", "-t", "list", "ruleset") == before
    opened, others = firewall.openings(relay.run("nft", "-t", "-j", "list", "ruleset"))
    assert {one.sources for one in opened} == {(), (DECLARED,)}
    assert {one.port for one in opened if not one.sources} == {22}
    assert others == ()


def test_forged_addresses_fill_no_more_than_there_is_room_for_and_push_nobody_out(
    networks: tuple[Network, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, neighbour = networks
    send(neighbour, RELAY, 514, 5, NEIGHBOUR)
    assert found(relay, monkeypatch, 5).seen
    neighbour.run("python3", "-c", FORGE, RELAY, str(FLOOD))
    send(neighbour, RELAY, 514, 5, NEIGHBOUR)
    listed = found(relay, monkeypatch, FLOOD + 10)
    assert listed.seen[Way(NEIGHBOUR, "udp", 514)].packets == 10
    assert AT_ONCE <= len(listed.seen) <= ROOM


def test_where_there_is_no_room_that_is_said_and_the_packets_are_counted(
    networks: tuple[Network, Network], monkeypatch: pytest.MonkeyPatch
) -> None:
    relay, neighbour = networks
    elements = ", ".join(f"10.9.{one // 256}.{one % 256} . udp . 514 counter" for one in range(ROOM))
    relay.run("nft", "-f", "-", stdin=f"add element inet vaern strangers_ip {{ {elements} }}")
    send(neighbour, RELAY, 514, 5, NEIGHBOUR)
    listed = found(relay, monkeypatch, 5)
    assert (len(listed.seen), listed.full) == (ROOM, True)
    assert {one.packets for one in listed.seen.values()} == {0}
