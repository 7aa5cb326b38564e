"""A source that is declared by its DNS name, on a booted relay: its address changes, and its events stay its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from support.certificates import Authority
from support.lab import overlay_hub
from support.lab.hosts import Booted, lab_hosts
from support.lab.keys_on_hosts import enrolled
from support.lab.monitored_hosts import wait
from support.lab.pipeline import HOSTS, RELAY, SPOOL, SPOOL_BYTES
from support.programs import source_of
from support.uneven_networks import deployment, fleet

from vaern.inventory.hosts import host_variables
from vaern.model.declaration import LogSource, Municipality
from vaern.model.relays import plan_of
from vaern.model.vocabulary import Protocol

pytestmark = pytest.mark.roles
FIRST, SECOND, OTHER = "198.51.100.77", "198.51.100.78", "198.51.100.79"
NAME = "printer7.favrskov.lan"
ROUND_SECONDS = 180.0
"""The timer's minute, and what a busy machine adds."""
HELD_OPEN = f"""
import socket, sys
with socket.create_connection(("{RELAY}", 514), source_address=("{FIRST}", 0)) as sender:
    for line in sys.stdin:
        sender.sendall(b"<134>Nov 24 03:00:00 device app: " + line.encode())
"""
"""Lines of standard input over one connection, which the firewall lets go on after its address is nobody's."""


def declared() -> Municipality:
    """Favrskov's relay with one device, known by its name, that sends by UDP and by TCP."""
    frame = fleet().municipalities["favrskov"]
    of = {**frame.log_sources[0].model_dump(), "address": None, "dns": NAME, "vendor": "generic"}
    ways = {"printer7": Protocol.SYSLOG_UDP, "printer7-tcp": Protocol.SYSLOG_TCP}
    sources = tuple(
        LogSource.model_validate({**of, "name": name, "protocol": protocol}) for name, protocol in ways.items()
    )
    return frame.model_copy(update={"log_sources": sources, "taps": ()})


@dataclass(frozen=True)
class Site:
    """A relay, and the host that has the addresses of the device."""

    lab: Booted
    folder: Path

    def apply(self, **others: Any) -> str:
        """Run the roles as the inventory would, with what the tests of roles have instead of other hosts."""
        municipality = declared()
        relay = municipality.hosts[0]
        made = host_variables(deployment(), "favrskov", municipality, relay, plan_of(deployment(), municipality))
        given = {
            **overlay_hub.baseline({"name": "hub1.overlay", "address": "fd5a:1c3e:9b27::1"}),
            "base_open_ports": [one for one in made["base_open_ports"] if one["sources"][0].startswith("@")],
            "log_shipper_identity": made["log_shipper_identity"],
            "log_shipper_listen": RELAY,
            "log_shipper_output": {"brokers": ["hub1.overlay:9093"], "topic": "logs.0710"},
            "log_shipper_spool": {"directory": SPOOL, "max_bytes": SPOOL_BYTES},
            "log_shipper_sources": [one for one in made["log_shipper_sources"] if "dns" in one],
            **others,
        }
        play = {"hosts": "gw1", "gather_facts": False, "roles": ["base", "log_shipper"], "vars": given}
        (self.folder / "play.json").write_text(json.dumps([play]), encoding="utf-8")
        done = self.lab.playbook(self.folder, str(self.folder / "play.json"))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def lead(self, address: str) -> None:
        """Have the name stand for that address from now on."""
        self.lab.run("gw1", f"sed '/{NAME}/d' /etc/hosts > /root/hosts; cat /root/hosts > /etc/hosts")
        self.lab.run("gw1", f"echo '{address} {NAME}' >> /etc/hosts")

    def send(self, protocol: str, address: str, text: str) -> None:
        message = json.dumps([f"<134>Nov 24 03:00:00 device app: {text}"])
        self.lab.run("sensor1", f"python3 /root/device.py {protocol} {address} {RELAY}", stdin=message)

    def sources_of(self, text: str) -> list[str]:
        """The sources of the spooled events with that text."""
        found = self.lab.run("gw1", f"grep -hF 'app: {text}' {SPOOL}/segments/*.jsonl", check=False)
        return [str(json.loads(line)["source"]) for line in found.splitlines()]

    def let_in(self, name: str = "names_udp_514_ip") -> list[str]:
        """The addresses in a set of the firewall."""
        answer = json.loads(self.lab.run("gw1", f"nft -j list set inet vaern {name}"))["nftables"]
        return [str(one) for entry in answer for one in entry.get("set", {}).get("elem", [])]

    def look(self) -> None:
        """A round of the program, now."""
        self.lab.run("gw1", "systemctl start vaern-names.service")

    def undeclared(self) -> dict[str, int]:
        """What rsyslog has counted as nobody's."""
        # It counts every ten seconds, and has no file before the first time.
        text = self.lab.run("gw1", "tail -q -n 200 /var/log/vaern-log-shipper/impstats.json", check=False)
        lines = text.rpartition("\n")[0].splitlines()
        found = [json.loads(line) for line in lines if '"name": "undeclared"' in line]
        return dict(found[-1]["values"]) if found else {}

    def journal(self) -> str:
        return self.lab.run("gw1", "journalctl -q -o cat -u vaern-names")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("names")
    hosts = {name: HOSTS[name] for name in ("gw1", "sensor1")}
    with lab_hosts(hosts, folder) as lab:
        authority = Authority()
        enrolled(lab, "gw1", authority, authority.issue("gw1.shipper", names=["gw1"]), authority.issue("gw1"))
        lab.run("gw1", "apt-get -q update")
        lab.run("sensor1", "cat > /root/device.py", stdin=source_of("device.py"))
        lab.run("sensor1", "cat > /root/held_open.py", stdin=HELD_OPEN)
        for address in (FIRST, SECOND, OTHER):
            lab.run("sensor1", f"ip address add {address}/24 dev lan")
        lab.inventory({"relays": ["gw1"]}, folder)
        made = Site(lab, folder)
        made.lead(FIRST)
        made.apply()
        yield made


def test_the_events_of_a_device_keep_their_source_when_its_address_changes(site: Site) -> None:
    """By the timer alone. What comes from the address that it had is nobody's, also over a connection it had open."""
    site.send("udp", FIRST, "first")
    assert wait(lambda: site.sources_of("first") == ["printer7"], 30)
    site.lab.run(
        "sensor1", "mkfifo /root/lines; systemd-run --unit=held sh -c 'exec python3 /root/held_open.py < /root/lines'"
    )
    site.lab.run("sensor1", "systemd-run --unit=feeder sh -c 'exec sleep infinity > /root/lines'")
    site.lab.run("sensor1", "echo before the move > /root/lines")
    assert wait(lambda: site.sources_of("before the move") == ["printer7-tcp"], 30)
    site.lead(SECOND)

    def arrives() -> bool:
        site.send("udp", SECOND, "second")
        return "printer7" in site.sources_of("second")

    assert wait(arrives, ROUND_SECONDS), site.journal()
    assert set(site.sources_of("second")) == {"printer7"}
    assert wait(lambda: site.let_in() == [SECOND], 10)
    assert site.let_in("names_tcp_514_ip") == [SECOND]
    site.lab.run("sensor1", "echo after the move > /root/lines")
    assert wait(lambda: site.undeclared().get(f"syslog_tcp {FIRST}") == 1, 60), site.undeclared()
    site.send("udp", FIRST, "from where it was")
    site.send("udp", SECOND, "last")
    assert wait(lambda: site.sources_of("last") == ["printer7"], 30)
    assert site.sources_of("from where it was") == site.sources_of("after the move") == []
    assert f"printer7: {NAME} is {SECOND}; it was {FIRST}" in site.journal()


def test_what_is_known_holds_without_a_resolver_and_after_the_firewall_was_loaded_anew(site: Site) -> None:
    site.lead(SECOND)
    site.look()
    site.lab.run("gw1", "sed -i.kept 's/^hosts:.*/hosts: dns/' /etc/nsswitch.conf")
    site.lab.run("gw1", "cp /etc/resolv.conf /root/resolv.conf; echo nameserver 127.0.0.1 > /etc/resolv.conf")
    try:
        site.lab.run("gw1", "systemctl reload vaern-firewall")
        site.look()
        assert site.let_in() == [SECOND]
        assert f"the resolver does not answer for {NAME}" in site.journal()
        site.send("udp", SECOND, "without a resolver")
        assert wait(lambda: site.sources_of("without a resolver") == ["printer7"], 30)
    finally:
        site.lab.run("gw1", "mv /etc/nsswitch.conf.kept /etc/nsswitch.conf; cat /root/resolv.conf > /etc/resolv.conf")


@pytest.mark.parametrize("address", [RELAY, "127.0.0.1", "203.0.113.7", "224.0.0.251"])
def test_a_name_that_leads_elsewhere_lets_nobody_in(site: Site, address: str) -> None:
    site.lead(address)
    site.look()
    assert site.let_in() == []
    assert json.loads(site.lab.run("gw1", "cat /var/lib/vaern-names/sources.json"))["table"] == []
    assert f"{NAME} is refused {address}" in site.journal()


def test_a_second_run_changes_nothing_and_without_names_nobody_looks(site: Site) -> None:
    site.lead(FIRST)
    assert "changed=0" in site.apply()
    assert site.let_in() == [FIRST]
    known = {"name": "printer7", "kind": "firewall", "sector": "administration", "protocol": "syslog_udp"}
    port = {"port": 514, "protocol": "udp", "sources": [f"{OTHER}/32"], "interface": "lan", "comment": "syslog"}
    site.apply(log_shipper_sources=[{**known, "address": OTHER, "key": f"syslog_udp {OTHER}"}], base_open_ports=[port])
    assert site.lab.run("gw1", "systemctl is-active vaern-names.timer", check=False) == "inactive\n"
    assert site.lab.run("gw1", "ls /etc/vaern/log_shipper/names.json", check=False) == ""
    site.send("udp", OTHER, "by its address")
    assert wait(lambda: site.sources_of("by its address") == ["printer7"], 30)
