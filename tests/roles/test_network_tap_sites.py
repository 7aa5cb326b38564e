"""The tap in the two forms a site has: beside its relay, and on the same host; and what it must leave alone.

`sensor1` hands its alerts to the relay beside it; `gw1` is relay and sensor in one, as in a small municipality.
The collector is away here, so events are looked for in the spool of the relay.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.lab.hosts import Booted, lab_hosts
from support.lab.keys_on_hosts import enrolled
from support.lab.pipeline import await_captures
from support.programs import source_of
from support.relay_sources import keyed

pytestmark = pytest.mark.roles

ROOT = Path(__file__).resolve().parents[2]
SENSOR, RELAY = "198.51.100.11", "198.51.100.10"
HOSTS = {
    "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1", "tap0": "@mirror1", "port1": "@mirror1"},
    "sensor1": {"uplink": "198.19.50.11/15", "lan": f"{SENSOR}/24@lan1", "tap0": "@mirror1"},
}
CORE = {"name": "core", "mode": "nft", "interface": "tap0", "sector": "administration", "expected_mbit_per_second": 20}
TUNNEL = {"vni": 42, "port": 4789, "local": SENSOR, "remote": RELAY}
FAR = {**CORE, "name": "far", "mode": "vxlan", "interface": "tapx", "vxlan": TUNNEL}
SIZING = {"threads": 1, "memory_mib": 300, "queue_bytes": 33554432}
SPOOL = "/var/spool/vaern-log-shipper"
SECONDS_TO_RELAY = 60.0
"""About a second is usual. A forwarder whose connection broke tries again after half a minute."""


@dataclass(frozen=True)
class Site:
    """The two hosts, and how to run the roles on them."""

    lab: Booted
    folder: Path

    def apply(self, plays: list[dict[str, Any]], *options: str, fails: bool = False) -> str:
        """Run the plays; what Ansible said."""
        book = self.folder / "play.json"
        book.write_text(json.dumps(plays))
        done = self.lab.playbook(self.folder, str(book), *options)
        assert (done.returncode != 0) is fails, done.stdout + done.stderr
        return done.stdout

    def mirror(self, interface: str, payload: str, port: int = 9) -> None:
        """One frame out of an interface of gw1."""
        self.lab.run("gw1", f"python3 /root/mirror.py {interface} {port} {payload}")

    def event(self, source: str, tag: str) -> tuple[dict[str, Any], float]:
        """The event of that source with that tag in the spool of the relay, and the seconds it took to get there."""
        started = time.monotonic()
        while True:
            wanted = json.dumps(tag)[1:-1]
            lines = self.lab.run("gw1", f"grep -hF -e '{wanted}' {SPOOL}/segments/*", check=False).splitlines()
            found = [event for event in map(json.loads, lines) if event["source"] == source]
            if found:
                return found[0], time.monotonic() - started
            assert time.monotonic() - started < SECONDS_TO_RELAY, f"{tag} is not at the relay: {self.state()}"
            time.sleep(0.1)

    def await_alert(self, folder: str, tag: str, interface: str, payload: str, port: int) -> None:
        """Send the frame again and again until the sensor has written an alert with that tag."""
        limit = time.monotonic() + SECONDS_TO_RELAY
        while not self.lab.run("sensor1", f"grep -hF -e '{tag}' {folder}/eve.json", check=False):
            assert time.monotonic() < limit, f"no alert with {tag}: {self.state()}"
            self.mirror(interface, payload, port)
            time.sleep(0.5)

    def state(self) -> str:
        """What helps to see where an event stopped."""
        command = "tail -n 3 /var/log/vaern-tap/*/eve.json; journalctl -q -n 30 --no-pager"
        return "\n".join(self.lab.run(host, command, check=False) for host in HOSTS)


def play(host: str, role: str, variables: dict[str, Any]) -> dict[str, Any]:
    """One role on one host."""
    return {"hosts": host, "gather_facts": False, "roles": [str(ROOT / "roles" / role)], "vars": variables}


def relay() -> dict[str, Any]:
    """The relay; its collector is not there, so that events stay in its spool."""
    tap = {"kind": "tap", "sector": "administration"}
    by_relp = {"protocol": "relp_tls", "address": SENSOR, "certificate_name": "sensor1"}
    declared = [
        keyed({"name": f"tap-{name}", "application": f"tap-{name}", **by_relp, **tap}) for name in ("core", "far")
    ]
    own = {"name": "tap-own", "protocol": "file", "file": "/var/log/vaern-tap/own/eve.json", **tap}
    variables = {
        "log_shipper_identity": {"municipality": "0710", "site": "raadhus", "relay": "gw1"},
        "log_shipper_listen": RELAY,
        "log_shipper_output": {"brokers": ["[fd5a:1c3e:9b27::1]:9093"], "topic": "logs.0710"},
        "log_shipper_spool": {"directory": SPOOL, "max_bytes": 268435456},
        "log_shipper_sources": [*declared, own],
    }
    return play("gw1", "log_shipper", variables)


def sensor(*taps: dict[str, Any], **others: Any) -> dict[str, Any]:
    """The sensor that is no relay."""
    output = {"mode": "relay", "address": RELAY, "port": 20514, "relay": "gw1"}
    variables = {"network_tap_taps": list(taps), "network_tap_output": output, "network_tap_sizing": SIZING, **others}
    return play("sensor1", "network_tap", variables)


def own_tap() -> dict[str, Any]:
    """The tap of the relay itself."""
    taps = [{**CORE, "name": "own"}]
    variables = {"network_tap_taps": taps, "network_tap_output": {"mode": "local"}, "network_tap_sizing": SIZING}
    return play("gw1", "network_tap", variables)


def enrol(lab: Booted) -> None:
    """What the base role and enrolment have done before."""
    authority = Authority()
    for host, address in (("gw1", RELAY), ("sensor1", SENSOR)):
        enrolled(lab, host, authority, authority.issue(host, address), authority.issue(host) if host == "gw1" else None)
        lab.run(host, "apt-get -q update")
    lab.run("gw1", "cat > /root/mirror.py", stdin=source_of("mirror.py"))


def interfaces(lab: Booted, host: str) -> dict[str, Any]:
    """Every interface but the taps, with what may not change.

    The kernel's own link-local addresses come and settle when they will.
    """
    listed = json.loads(lab.run(host, "ip -j -d address"))
    kept = ("flags", "mtu", "promiscuity", "address")
    return {
        link["ifname"]: {key: link.get(key) for key in kept}
        | {"addresses": [one["local"] for one in link["addr_info"] if one["scope"] != "link"]}
        for link in listed
        if not link["ifname"].startswith("tap")
    }


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A dry run on bare hosts, then the roles, on hosts whose other interfaces are as they were."""
    folder = tmp_path_factory.mktemp("tap")
    with lab_hosts(HOSTS, folder) as lab:
        enrol(lab)
        before = {host: interfaces(lab, host) for host in HOSTS}
        lab.inventory({"relays": ["gw1"], "sensors": ["sensor1"]}, folder)
        site = Site(lab, folder)
        taps = [sensor(CORE, FAR), own_tap()]
        assert "failed=0" in site.apply(taps, "--check")
        assert lab.run("sensor1", "ls /etc/vaern; command -v suricata", check=False) == "pki\n"
        started = time.monotonic()
        site.apply([relay(), *taps])
        logging.getLogger(__name__).info("bare hosts to running taps: %.1f s", time.monotonic() - started)
        await_captures(lab, "gw1", 1)
        await_captures(lab, "sensor1", 2)
        assert {host: interfaces(lab, host) for host in HOSTS} == before
        lab.run("gw1", f"ip link add far0 type vxlan id 42 local {RELAY} remote {SENSOR} dstport 4789 nolearning")
        lab.run("gw1", "ip link set far0 addrgenmode none up")
        yield site


@pytest.mark.parametrize(
    ("source", "port"), [("tap-core", "port1"), ("tap-own", "port1"), ("tap-far", "far0")], ids=["core", "own", "far"]
)
def test_a_mirrored_frame_becomes_an_alert_at_the_relay(site: Site, source: str, port: str) -> None:
    """By the forwarder, by the file on the same host, and out of a VXLAN tunnel; the line as Suricata wrote it."""
    tag = f"vaern-canary-{source}-{time.monotonic_ns()}"
    site.mirror(port, tag)
    event, seconds = site.event(source, tag)
    logging.getLogger(__name__).info("%s: frame to relay in %.2f s", source, seconds)
    alert = json.loads(event["message"])
    assert alert["event_type"] == "alert"
    assert alert["alert"]["signature_id"] == 9000001
    assert (alert["src_ip"], alert["dest_ip"]) == ("198.51.100.5", "198.51.100.6")
    host = "gw1" if source == "tap-own" else "sensor1"
    written = site.lab.run(host, f"grep -hF {tag} /var/log/vaern-tap/{source.removeprefix('tap-')}/eve.json")
    assert written == event["message"] + "\n"


def test_second_run_changes_nothing(site: Site) -> None:
    """Nor does a dry run then."""
    taps = [sensor(CORE, FAR), own_tap()]
    for options in ([], ["--check"]):
        assert site.apply(taps, *options).count("changed=0") == len(HOSTS)


def test_the_tap_is_silent_and_has_no_rights_beyond_capturing(site: Site) -> None:
    """Promiscuous and without an address, as a user with CAP_NET_RAW and CAP_NET_ADMIN at most."""
    for link in json.loads(site.lab.run("sensor1", "ip -j -d address")):
        if link["ifname"].startswith("tap"):
            assert link["addr_info"] == []
            assert link["promiscuity"] >= 1
    process = "/proc/$(systemctl show --property=MainPID --value vaern-tap@core)"
    assert site.lab.run("sensor1", f"stat -c '%U:%G' {process}") == "vaern-tap:adm\n"
    bounds = site.lab.run("sensor1", f"awk '/^CapBnd/ {{ print $2 }}' {process}/status")
    assert int(bounds, 16) == 1 << 12 | 1 << 13


def test_no_content_is_kept(site: Site) -> None:
    """Another alert leaves neither its payload nor a packet on disk; its rule came by a reload."""
    secret = f"secret-{time.monotonic_ns()}"
    rule = 'alert udp any any -> any 7 (msg:"test of content"; content:"secret-"; sid:9999999;)'
    rules = "/etc/vaern/network_tap/rules/local.rules"
    site.lab.run("sensor1", f"cat > {rules}", stdin=rule + "\n")
    try:
        site.lab.run("sensor1", "systemctl reload vaern-tap@core.service")
        # The rules are read beside the packets, and hold from some moment on.
        site.await_alert("/var/log/vaern-tap/core", '"signature_id":9999999', "port1", secret, 7)
        site.event("tap-core", '"signature_id":9999999')
    finally:
        site.lab.run("sensor1", f"rm {rules}; systemctl reload vaern-tap@core.service")
    assert site.lab.run("sensor1", f"grep -rlF {secret} /var/log /var/spool", check=False) == ""
    assert site.lab.run("sensor1", "find /var/log/vaern-tap -type f ! -name 'eve.json*'") == ""


def test_a_full_log_is_rotated_without_losing_an_alert(site: Site) -> None:
    """Suricata opens a new file; the old one is read to its end, and a third never appears."""
    log = "/var/log/vaern-tap/core"
    for number in range(2):
        site.lab.run("sensor1", f'python3 -c \'print(("x" * 60000 + "\\\\n") * 300)\' >> {log}/eve.json')
        site.lab.run("sensor1", "systemctl start vaern-tap-rotate.service")
        tag = f"vaern-canary-rotated{number}-{time.monotonic_ns()}"
        site.mirror("port1", tag)
        site.event("tap-core", tag)
    assert site.lab.run("sensor1", f"ls {log}").split() == ["eve.json", "eve.json.1"]


def test_a_tunnel_without_its_ends_is_refused(site: Site) -> None:
    """Before anything changes."""
    refused = site.apply([sensor({**CORE, "mode": "vxlan"})], fails=True)
    assert "vxlan and erspan need" in refused
    assert "changed=0" in refused


def test_a_configuration_suricata_refuses_never_lands(site: Site) -> None:
    """The one that runs stays in place."""
    path = "/etc/vaern/network_tap/core.yaml"
    before = site.lab.run("sensor1", f"sha256sum {path}")
    broken = sensor(CORE, FAR, network_tap_home_networks=["198.51.100.0/99"])
    assert "failed=1" in site.apply([broken], fails=True)
    assert site.lab.run("sensor1", f"sha256sum {path}") == before
