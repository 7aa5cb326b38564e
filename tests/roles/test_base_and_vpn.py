"""Enrolment, the baseline and the overlay on two booted Debian hosts: a hub and a gateway."""

from __future__ import annotations

import json
import logging
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.lab import overlay_hub
from support.lab.hosts import Booted, lab_hosts
from support.lab.overlay_hub import COLLECTOR_PORT, HUB, NEW_PER_SECOND

from vaern.enrolment import Enrolled, Subject, enrol, preshared_keys
from vaern.enrolment.signer import LocalSigner
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, folder_of

pytestmark = pytest.mark.roles

ROOT = Path(__file__).resolve().parents[2]
GATEWAY = "fd5a:1c3e:9b27:710::1"
SPARE_KEY = "c3BhcmUgc3BhcmUgc3BhcmUgc3BhcmUgc3BhcmUgMTI="
PLAY = """
- hosts: all
  gather_facts: false
  roles:
    - role: base
    - role: vpn_hub
      when: "'hubs' in group_names"
    - role: vpn_link
      when: "'gateways' in group_names"
"""
LISTEN = "import socket,time; held = [socket.create_server(('::', port), family=socket.AF_INET6) for port in ({ports})]"
LISTENS = "for i in $(seq 120); do ss -Hltn sport = 9094 | grep -q . && exit; sleep 0.5; done; exit 1"
"""The last of the ports that it begins to listen at."""
PATIENCE_SECONDS = 30.0
"""For a connection that comes about: WireGuard begins its session first, and tries that again after five seconds."""
REFUSED = ("accept_redirects", "accept_source_route")
BEGIN = """
import select, socket, sys, time
began = time.monotonic()
def opened(count, least):
    tried = [socket.socket(socket.AF_INET6) for _ in range(count)]
    for one in tried:
        one.setblocking(False)
        one.connect_ex((sys.argv[1], int(sys.argv[2])))
    good, limit = set(), time.monotonic() + 30
    time.sleep(0.5)
    while True:
        for one in select.select([], tried, [], 0)[1]:
            if one.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                good.add(one)
        if len(good) >= least or time.monotonic() > limit:
            break
        time.sleep(0.02)
    seconds = time.monotonic() - began
    for one in tried:
        one.close()
    return len(good), seconds
first = opened(60, int(sys.argv[3]))
time.sleep(1)
print(*first, *opened(60, 1))
"""
"""Opens 60 connections at once and, a second later, as many again; how many were let in, and after how many seconds."""
CONNECT = "import socket; socket.create_connection(('{address}', {port}), {seconds}).close(); print('connected')"
SEND = """
import socket, time
for _ in range(300):
    try:
        peer = socket.create_connection(('{address}', 9093), 10)
        break
    except OSError:
        time.sleep(0.1)
peer.sendall(bytes(2**20))
peer.close()
"""
"""Sends a mebibyte, as soon as somebody listens."""
ROUND = "systemctl restart vaern-link"
"""A look at the tunnel that begins now: `start` would wait for the one that the timer has begun before, if there is."""


@dataclass
class Overlay:
    """The two hosts, and how to run enrolment and the roles on them again."""

    lab: Booted
    folder: Path
    seconds: dict[str, float] = field(default_factory=dict)

    def enrol(self) -> Enrolled:
        """Keys and certificates, as the CLI makes them."""
        project = Project(ROOT, self.folder)
        subjects = [Subject("hub1", ("198.18.0.10", HUB), True), Subject("gw1", ("198.51.100.10", GATEWAY), True)]
        return enrol(project, subjects, self.folder / "keys.yml", LocalSigner(folder_of(project), b"test"), print)

    def variables(self) -> dict[str, Any]:
        """What an inventory says about the two."""
        enrolled = self.enrol().variables["enrolment"]
        pair = preshared_keys(SecretStore(self.folder / "secrets", b"test"), ["gw1/hub1"])["gw1/hub1"]
        peer = {"preshared_key": pair, "municipality": "0710"}
        gateway = {
            "name": "gw1",
            "public_key": enrolled["gw1"]["wireguard_public_key"],
            "allowed_ips": [f"{GATEWAY}/128"],
        }
        spare = {"name": "spare", "public_key": SPARE_KEY, "allowed_ips": ["fd5a:1c3e:9b27:751::1/128"]}
        link = overlay_hub.link(GATEWAY, enrolled["hub1"]["wireguard_public_key"], pair)
        return overlay_hub.baseline() | overlay_hub.hub(gateway | peer, spare | peer) | link

    def play(self, *options: str, **changed: Any) -> subprocess.CompletedProcess[str]:
        """Run the roles, with some variables changed."""
        (self.folder / "play.yml").write_text(PLAY)
        (self.folder / "variables.json").write_text(json.dumps(self.variables() | changed))
        self.lab.inventory({"hubs": ["hub1"], "gateways": ["gw1"]}, self.folder)
        variables = f"@{self.folder / 'variables.json'}"
        return self.lab.playbook(self.folder, "-e", variables, str(self.folder / "play.yml"), *options)

    def apply(self, label: str, *options: str, **changed: Any) -> list[str]:
        """Run the roles and return the tasks that changed something; the time is kept under the label."""
        started = time.monotonic()
        done = self.play(*options, **changed)
        self.seconds[label] = round(time.monotonic() - started, 1)
        assert done.returncode == 0, done.stdout + done.stderr
        return re.findall(r"^changed: .*", done.stdout, re.MULTILINE)

    def listen(self) -> None:
        """Have the hub take connections at the declared port and at another."""
        program = f"{LISTEN.format(ports='9093, 9094')}; time.sleep(3600)"
        self.lab.run("hub1", f'systemd-run -q --collect --unit=test-listener python3 -c "{program}"')
        self.lab.run("hub1", LISTENS)

    def connects(self, address: str, port: int, seconds: float = 2) -> bool:
        """Whether the gateway can open a connection."""
        command = CONNECT.format(address=address, port=port, seconds=seconds)
        return self.lab.run("gw1", f'python3 -c "{command}"', check=False).strip() == "connected"


@pytest.fixture(scope="module")
def overlay(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Overlay]:
    """Hub and gateway after enrolment, a dry run on bare hosts, and a first run."""
    folder = tmp_path_factory.mktemp("overlay")
    links = {"hub1": {"uplink": "198.18.0.10/15"}, "gw1": {"uplink": "198.19.50.10/15", "lan": "198.51.100.10/24@lan1"}}
    with lab_hosts(links, folder) as lab:
        (folder / "ssh_config").symlink_to(lab.config)
        hosts = Overlay(lab, folder)
        assert hosts.apply("check", "--check")
        for host in ("hub1", "gw1"):
            assert not lab.run(host, "ls -d /etc/vaern/firewall* /etc/chrony /etc/wireguard/*.conf", check=False)
        hosts.apply("first")
        hosts.listen()
        yield hosts
        logging.getLogger(__name__).info("seconds: %s", hosts.seconds)


def test_a_second_run_changes_nothing(overlay: Overlay) -> None:
    assert overlay.enrol().renewed == ()
    assert overlay.apply("second") == []


def test_nothing_on_the_hosts_has_failed(overlay: Overlay) -> None:
    for host in ("hub1", "gw1"):
        assert overlay.lab.run(host, "systemctl --failed --no-legend --plain") == ""


def test_private_keys_are_the_hosts_own(overlay: Overlay) -> None:
    modes = "stat -c '%a %U %G' /etc/vaern/pki/host.key /etc/wireguard/vaern0.key /etc/wireguard/vaern0.conf"
    assert overlay.lab.run("gw1", modes).splitlines() == ["640 root vaern-pki", "600 root root", "600 root root"]
    assert overlay.lab.run("gw1", "grep -c PrivateKey /etc/wireguard/vaern0.conf", check=False).strip() == "0"
    overlay.lab.run("gw1", "openssl verify -CAfile /etc/vaern/pki/ca.crt /etc/vaern/pki/host.crt")
    key = overlay.lab.run("gw1", "wg show vaern0 private-key").strip()
    left = [
        path
        for path in overlay.folder.rglob("*")
        if path.is_file() and "lab" not in path.relative_to(overlay.folder).parts
    ]
    assert left
    assert [path for path in left if key.encode() in path.read_bytes()] == []


def test_the_tunnel_carries_the_declared_port_and_no_other(overlay: Overlay) -> None:
    assert overlay.connects(HUB, 9093, PATIENCE_SECONDS)
    assert not overlay.connects(HUB, 9094)
    assert not overlay.connects("198.18.0.10", 9093), "the port is open outside the overlay"


def test_one_address_begins_so_many_connections_a_second(overlay: Overlay) -> None:
    """All at once, of which the burst gets through; a second later no more than have come about since."""
    burst = 4 * NEW_PER_SECOND
    said = overlay.lab.run("gw1", f"python3 - {HUB} {COLLECTOR_PORT} {burst}", stdin=BEGIN).split()
    (opened, later), (seconds, until) = map(int, said[::2]), map(float, said[1::2])
    # Until they were counted, tokens went on coming: so many a second, however long that took.
    assert burst <= opened <= burst + NEW_PER_SECOND * seconds
    assert 0 < later <= burst + NEW_PER_SECOND * until - opened


def test_the_clock_follows_the_hub(overlay: Overlay) -> None:
    overlay.lab.run("gw1", "timeout 60 sh -c 'until chronyc -n sources | grep -q \"^^[*]\"; do sleep 0.5; done'")
    assert overlay.lab.run("gw1", "date +%Z").strip() == "UTC"


def test_sshd_takes_keys_only(overlay: Overlay) -> None:
    settings = overlay.lab.run("gw1", "sshd -T").splitlines()
    for setting in ("passwordauthentication no", "kbdinteractiveauthentication no", "permitrootlogin without-password"):
        assert setting in settings


def test_ssh_audit_finds_nothing_to_warn_of(overlay: Overlay) -> None:
    """An outside judge of what sshd offers: algorithms, keys, known weaknesses of this version."""
    judge = Path(sys.executable).with_name("ssh-audit")
    if not judge.exists():
        pytest.skip("not judged: ssh-audit is not installed; run `make setup`")
    inside = ["ip", "netns", "exec", overlay.lab.lab.name]
    argv = [*inside, str(judge), "--no-colors", "--level=warn", "198.19.50.10"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_service_that_crashes_leaves_no_memory_on_the_disk(overlay: Overlay) -> None:
    """The limits are compared, of services and of who logs in: the kernel below the lab writes no such file at all."""
    assert overlay.lab.run("gw1", "systemd-run -q --wait --pipe sh -c 'ulimit -H -c'").strip() == "0"
    assert overlay.lab.run("gw1", "bash -lc 'ulimit -H -c'").strip() == "0"


def test_an_update_is_not_held_back_by_a_file_that_a_role_wrote(overlay: Overlay) -> None:
    """unattended-upgrades asks itself what dpkg would do, before it leaves a package out."""
    ask = 'python3 -c \'import runpy; print(runpy.run_path("/usr/bin/unattended-upgrade")["dpkg_conffile_prompt"]())\''
    assert overlay.lab.run("gw1", ask).strip() == "False"


def test_what_the_kernel_believes_of_packets_and_tells_of_itself(overlay: Overlay) -> None:
    """Also for interfaces that are there already. What belongs to the machine below is refused, and left."""
    names = [f"net.{family}.conf.lan.{name}" for family in ("ipv4", "ipv6") for name in REFUSED]
    values = overlay.lab.run("gw1", f"sysctl -n {' '.join(names)}").split()
    assert dict(zip(names, values, strict=True)) == dict.fromkeys(names, "0")


def test_a_table_of_somebody_else_is_left_alone(overlay: Overlay) -> None:
    overlay.lab.run("gw1", "nft add table ip theirs; systemctl reload vaern-firewall; systemctl restart vaern-firewall")
    assert "table ip theirs" in overlay.lab.run("gw1", "nft list tables")
    overlay.lab.run("gw1", "nft delete table ip theirs")


def test_a_configuration_wireguard_cannot_read_never_lands(overlay: Overlay) -> None:
    before = overlay.lab.run("hub1", "sha256sum /etc/wireguard/vaern0.conf")
    peers = [peer | {"public_key": "not a key"} for peer in overlay.variables()["vpn_hub_peers"]]
    assert overlay.play("-t", "vpn_hub_configure", vpn_hub_peers=peers).returncode != 0
    assert overlay.lab.run("hub1", "sha256sum /etc/wireguard/vaern0.conf") == before


@pytest.fixture
def narrow(overlay: Overlay) -> Iterator[None]:
    """The way between the two drops every IPv4 packet of more than 1280 bytes, and tells nobody.

    The cable of the lab would carry several packets as one: here each is on its own, as on a real way.
    """
    rules = "chain pass { type filter hook input priority -300; iifname uplink meta length > 1280 drop; };"
    for host in ("hub1", "gw1"):
        overlay.lab.run(host, f"ip link set uplink gso_max_segs 1; nft 'table ip narrow {{ {rules} }}'")
    yield
    for host in ("hub1", "gw1"):
        overlay.lab.run(host, "nft delete table ip narrow")
    overlay.lab.run("gw1", ROUND)


def arrives(overlay: Overlay, source: str, target: str, address: str) -> bool:
    """Whether a mebibyte that a host sends over a new connection reaches the other within half a minute."""
    listen = (
        "import socket; server = socket.create_server(('::', 9093), family=socket.AF_INET6); server.settimeout(30); "
        "peer = server.accept()[0]; peer.settimeout(30); print(sum(map(len, iter(lambda: peer.recv(65536), b''))))"
    )
    overlay.lab.run(source, f'systemd-run -q --collect python3 -c "{SEND.format(address=address)}"')
    return overlay.lab.run(target, f'timeout 40 python3 -c "{listen}"', check=False).strip() == str(2**20)


def look(overlay: Overlay) -> dict[str, Any]:
    """What the gateway finds of the path to its hub now."""
    found: dict[str, Any] = json.loads(overlay.lab.run("gw1", "/usr/lib/vaern/vaern-link --look"))["peers"][0]
    return found


def test_tcp_is_held_to_what_the_path_carries(overlay: Overlay, narrow: None) -> None:
    overlay.lab.run("hub1", "systemctl stop test-listener")
    overlay.lab.run("gw1", ROUND)
    assert [look(overlay)[key] for key in ("bytes", "held", "full")] == [1216, 1216, 1420]
    assert arrives(overlay, "gw1", "hub1", HUB)
    told = overlay.lab.run("gw1", "journalctl -u vaern-link -o cat")
    assert "the path to hub1 drops packets of more than 1216 bytes (of 1420): TCP is held to 1216" in told
    overlay.listen()


def test_a_hub_that_has_moved_is_found_by_its_name(overlay: Overlay) -> None:
    """The hub stops to answer at its address and answers at another, which is what its name stands for from then on."""
    name, peer = "hub1.faelles.example", overlay.variables()["vpn_link_hubs"][0]
    gateway, hub = partial(overlay.lab.run, "gw1"), partial(overlay.lab.run, "hub1")
    known = "sed -i '/{name}/d' /etc/hosts; echo {address} {name} >> /etc/hosts"
    gateway(known.format(name=name, address="198.18.0.10"))
    named = {"vpn_link_hubs": [peer | {"endpoint": f"{name}:51820"}]}
    overlay.apply("named", "-t", "vpn_link", **named)
    assert overlay.connects(HUB, 9093, PATIENCE_SECONDS)
    assert overlay.apply("named again", "-t", "vpn_link", **named) == []
    silent = "chain in { type filter hook input priority -300; ip daddr 198.18.0.10 udp dport 51820 drop; };"
    answers = "ip route replace 198.18.0.0/15 dev uplink src 198.18.0.{}"
    hub(f"ip address add 198.18.0.12/15 dev uplink; {answers.format(12)}; nft 'table ip silent {{ {silent} }}'")
    # A peer that was never heard: nobody has to wait until its session has ended.
    gateway(f"wg set vaern0 peer {peer['public_key']} remove; systemctl reload wg-quick@vaern0")
    assert not overlay.connects(HUB, 9093)
    gateway(known.format(name=name, address="198.18.0.12"))
    gateway(ROUND)
    assert overlay.connects(HUB, 9093, PATIENCE_SECONDS)
    assert look(overlay)["found"] == ["198.18.0.12:51820"]
    assert overlay.apply("moved", "-t", "vpn_link", **named) == []
    hub(f"nft delete table ip silent; {answers.format(10)}; ip address delete 198.18.0.12/15 dev uplink")
    overlay.apply("by address", "-t", "vpn_link")
    assert overlay.connects(HUB, 9093, PATIENCE_SECONDS)


def test_a_revoked_peer_is_cut_off_and_the_others_notice_nothing(overlay: Overlay) -> None:
    state = "cat /sys/class/net/vaern0/ifindex; systemctl show -P ActiveEnterTimestampMonotonic wg-quick@vaern0"
    before = overlay.lab.run("hub1", state)
    assert SPARE_KEY in overlay.lab.run("hub1", "wg show vaern0 peers")
    gateway = overlay.variables()["vpn_hub_peers"][:1]
    overlay.apply("revoke", "-t", "vpn_hub", vpn_hub_peers=gateway)
    assert SPARE_KEY not in overlay.lab.run("hub1", "wg show vaern0 peers")
    assert overlay.lab.run("hub1", state) == before, "the tunnel was restarted"
    assert overlay.connects(HUB, 9093, PATIENCE_SECONDS)


def test_a_revoked_gateway_reaches_nothing(overlay: Overlay) -> None:
    overlay.apply("revoke all", "-t", "vpn_hub", vpn_hub_peers=[])
    assert overlay.lab.run("hub1", "wg show vaern0 peers") == ""
    assert not overlay.connects(HUB, 9093)
