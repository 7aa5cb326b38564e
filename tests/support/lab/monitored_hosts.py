"""Hosts for the tests of silence: collector and hub, a gateway that is also the relay, and a sensor; real daemons."""

from __future__ import annotations

import base64
import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from support.certificates import Authority, Certificate
from support.lab import overlay_hub
from support.lab.hosts import Booted
from support.lab.keys_on_hosts import FOLDER, enrolled
from support.lab.overlay_hub import HUB
from support.paths import TOOLS
from support.programs import source_of
from support.relay_sources import keyed
from vaern.model.sizing import LEAST_DATAGRAM_BYTES, LEAST_DATAGRAMS

GATEWAYS = {"gw1": "fd5a:1c3e:9b27:710::1", "sensor1": "fd5a:1c3e:9b27:710::2"}
LAN = "198.51.100.0/24"
RELAY, SENSOR, FIREWALL = "198.51.100.10", "198.51.100.11", "198.51.100.1"
COLLECTOR = "hub1.vaern.internal"
CODE = "0710"
OTHER = "0751"
"""A municipality without hosts, and with one source that never sends."""
HOSTS = {
    "hub1": {"uplink": "198.18.0.10/15"},
    "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1"},
    "sensor1": {"uplink": "198.19.50.11/15", "lan": f"{SENSOR}/24@lan1"},
}
PAIR_KEY = base64.b64encode(b"a pre-shared key of 32 bytes ...").decode()
SPOOL = "/var/spool/vaern-log-shipper"
SPOOL_BYTES = 16 * 2**20
QUEUE_BYTES = 64 * 2**20
"""Of the queue to the SOC, four files of rsyslog's: a smaller one gives no space back before it is restarted."""
CONNECTIONS = 20
"""Of one address to the relay's port for syslog."""
SOC_PORT = 20514
SOC = f"""
global(workDirectory="/var/spool/soc")
module(load="imrelp" tls.tlslib="openssl")
template(name="event" type="string" string="%msg%\\n")
ruleset(name="relp") {{ action(type="omfile" file="/var/spool/soc/relp.jsonl" template="event") }}
input(type="imrelp" port="{SOC_PORT}" ruleset="relp" maxDataSize="256k" tls="on" tls.caCert="/etc/vaern/pki/ca.crt"
  tls.myCert="/etc/vaern/pki/host.crt" tls.myPrivKey="/etc/vaern/pki/host.key"
  tls.authMode="name" tls.permittedPeer=["gw1"])
"""
"""A SOC that the relay sends to by itself: a real rsyslog beside the sensor."""
SOC_SERVICE = "[Service]\nExecStart=/usr/sbin/rsyslogd -n -iNONE -f /root/soc.conf\n"
LIMITS = {
    "clock_seconds": 1.0,
    "certificate_days": 30,
    "handshake_seconds": 135,
    "spool_percent": 80,
    "queue_percent": 80,
    "hold_seconds": 15,
}
PLAY = """
- hosts: all
  gather_facts: false
  roles:
    - role: base
    - role: vpn_hub
      when: "'hubs' in group_names"
    - role: vpn_link
      when: "'links' in group_names"
    - role: collector
      when: "'hubs' in group_names"
    - role: log_shipper
      when: "'relays' in group_names"
    - role: watch
"""
Record = dict[str, Any]


def keys() -> dict[str, tuple[str, str]]:
    """A WireGuard key pair each, as text."""
    made = {}
    for host in HOSTS:
        private = X25519PrivateKey.generate()
        public = private.public_key()
        made[host] = (
            base64.b64encode(private.private_bytes_raw()).decode(),
            base64.b64encode(public.public_bytes_raw()).decode(),
        )
    return made


@dataclass
class MonitoredHosts:
    """The hosts, how to run the roles on them, and what the collector says."""

    lab: Booted
    folder: Path
    authority: Authority = field(default_factory=Authority)
    pairs: dict[str, tuple[str, str]] = field(default_factory=keys)
    own: dict[str, Certificate] = field(default_factory=dict)
    delivery: Certificate = field(init=False)
    told: dict[str, Any] = field(default_factory=dict)
    """Variables of the collector about who is told."""

    def prepare(self) -> None:
        """What enrolment has done: keys and certificates."""
        self.delivery = self.authority.issue("gw1")
        for host in HOSTS:
            is_relay = host == "gw1"
            own = self.own[host] = self.authority.issue(
                f"{host}.shipper" if is_relay else host,
                names=[host, COLLECTOR if host == "hub1" else f"key-{host}.vaern.internal"],
            )
            enrolled(self.lab, host, self.authority, own, self.delivery if is_relay else None)
            self.lab.run(host, "apt-get -q update")
            key = "install -d -m 0700 /etc/wireguard; umask 077; cat > /etc/wireguard/vaern0.key"
            self.lab.run(host, key, stdin=self.pairs[host][0] + "\n")
        self.lab.run("sensor1", f"ip address add {FIREWALL}/24 dev lan")
        self.lab.run("sensor1", "cat > /root/device.py", stdin=source_of("device.py"))
        self.lab.run("sensor1", "apt-get -qy install rsyslog rsyslog-relp rsyslog-openssl; mkdir -p /var/spool/soc")
        self.lab.run("sensor1", "cat > /root/soc.conf", stdin=SOC)
        self.lab.run("sensor1", "cat > /etc/systemd/system/soc.service; systemctl start soc", stdin=SOC_SERVICE)

    def put(self, host: str, path: str, text: str) -> None:
        """A file that the group of the keys may read."""
        self.lab.run(
            host, f"umask 027; cat > {path}.new && chgrp vaern-pki {path}.new && mv {path}.new {path}", stdin=text
        )

    def variables(self) -> dict[str, dict[str, Any]]:
        """What the inventory would say, by host."""
        return {"hub1": self._hub(), "gw1": self._relay(), "sensor1": self._sensor()}

    def _hub(self) -> dict[str, Any]:
        (archive,) = TOOLS.glob("kafka-*.tar")
        peer = {"preshared_key": PAIR_KEY, "municipality": CODE}
        tenant = {"code": CODE, "slug": "favrskov", "principals": ["gw1"], "quota_bytes_per_second": 104857600}
        other = {
            "code": OTHER, "slug": "aarhus", "principals": ["aarhus-gw1"], "quota_bytes_per_second": 1048576,
            "retention_days": 400, "max_gib": 2.0, "hosts": [],
            "sources": [{"name": "server1", "relay": "aarhus-gw1", "silent_after_minutes": 0.15}],
        }  # fmt: skip
        watched = {
            "sources": [{"name": "firewall1", "relay": "gw1", "silent_after_minutes": 0.15}],
            "hosts": [{"name": name, "source": f"vaern-{name}"} for name in ("gw1", "sensor1")],
        }
        return {
            **overlay_hub.hub(
                *(
                    {"name": name, "public_key": self.pairs[name][1], "allowed_ips": [f"{address}/128"], **peer}
                    for name, address in GATEWAYS.items()
                )
            ),
            "collector_listener": {"address": HUB, "name": COLLECTOR, "port": 9093},
            "collector_kafka_archive": str(archive),
            "collector_tenants": [{**tenant, "retention_days": 400, "max_gib": 2.0, **watched}, other],
            "collector_alarms": {"heartbeat_seconds": 12.0, "blind_seconds": 60.0, "missing_seconds": 15.0},
            **self.told,
            "watch_host": "hub1",
            "watch_clock": False,
            "watch_tunnel": {"interface": "vaern0", "peers": self.peers(*GATEWAYS)},
        }

    def peers(self, *names: str) -> list[dict[str, str]]:
        """Tunnels somebody should hear from."""
        return [{"name": name, "public_key": self.pairs[name][1], "municipality": CODE} for name in names]

    def _link(self, host: str) -> dict[str, Any]:
        return {
            **overlay_hub.link(GATEWAYS[host], self.pairs["hub1"][1], PAIR_KEY),
            "watch_host": host,
            "watch_tunnel": {"interface": "vaern0", "peers": self.peers("hub1")},
        }

    def _relay(self) -> dict[str, Any]:
        own = {"kind": "vaern", "sector": "administration"}
        return {
            "base_open_ports": [
                {"port": 514, "protocol": "tcp", "sources": [LAN], "interface": "lan", "comment": "syslog",
                 "connections": {"most": CONNECTIONS}},
                {"port": 6514, "protocol": "tcp", "sources": [LAN], "interface": "lan", "comment": "syslog"},
                {"port": 514, "protocol": "udp", "sources": [LAN], "interface": "lan", "comment": "syslog",
                 "datagrams": {"per_second": LEAST_DATAGRAMS, "bytes_per_second": LEAST_DATAGRAM_BYTES}},
                {"port": 20514, "protocol": "tcp", "sources": [LAN], "interface": "lan", "comment": "syslog"},
            ],
            "base_counted_ports": [{"port": 514, "protocol": "tcp"}, {"port": 514, "protocol": "udp"}],
            "log_shipper_identity": {"municipality": CODE, "site": "raadhus", "relay": "gw1"},
            "log_shipper_listen": RELAY,
            "log_shipper_output": {"brokers": [f"{COLLECTOR}:9093"], "topic": f"logs.{CODE}"},
            "log_shipper_spool": {"directory": SPOOL, "max_bytes": SPOOL_BYTES},
            "log_shipper_receivers": [
                {"name": "national", "protocol": "relp_tls", "sectors": ["administration"], "address": SENSOR,
                 "port": SOC_PORT, "certificate_name": "sensor1", "max_disk_bytes": QUEUE_BYTES},
            ],
            "log_shipper_sources": [
                keyed({"name": "firewall1", "kind": "firewall", "sector": "administration", "protocol": "syslog_tcp",
                       "address": FIREWALL}),
                keyed({"name": "journal1", "kind": "application", "sector": "administration", "protocol": "syslog_tls",
                       "address": FIREWALL}),
                keyed({"name": "switch1", "kind": "switch", "sector": "administration", "protocol": "syslog_udp",
                       "address": FIREWALL}),
                keyed({"name": "switch2", "kind": "switch", "sector": "administration", "protocol": "syslog_udp",
                       "address": SENSOR}),
                keyed({"name": "firewall2", "kind": "firewall", "sector": "administration", "protocol": "syslog_tcp",
                       "address": SENSOR, "parser": "fortigate"}),
                {"name": "vaern-gw1", "protocol": "file", "file": "/var/lib/vaern-watch/heartbeat.jsonl", **own},
                keyed({"name": "vaern-sensor1", "protocol": "relp_tls", "address": SENSOR,
                       "certificate_name": "key-sensor1.vaern.internal", "application": "vaern-sensor1", **own}),
            ],
            **self._link("gw1"),
            "watch_datagram_ports": [514],
            "watch_certificates": [f"{FOLDER}/{name}.crt" for name in ("host", "delivery", "ca")],
            "watch_spool": {
                "directory": SPOOL, "max_bytes": SPOOL_BYTES,
                "queues": [{"name": "receiver_national", "max_bytes": QUEUE_BYTES}],
            },
        }  # fmt: skip

    def _sensor(self) -> dict[str, Any]:
        return {
            **self._link("sensor1"),
            "base_open_ports": [
                {"port": SOC_PORT, "protocol": "tcp", "sources": [LAN], "interface": "lan", "comment": "SOC"},
            ],
            "watch_output": {
                "mode": "relay",
                "address": RELAY,
                "port": 20514,
                "relay": "gw1",
                "source": "vaern-sensor1",
            },
        }

    def apply(self, *options: str, **changed: Any) -> str:
        """Run the roles, with some variables of every host changed; Ansible's output."""
        shared = {
            **overlay_hub.baseline({"name": COLLECTOR, "address": HUB}),
            "watch_interval_seconds": 2,
            "watch_limits": LIMITS,
        }
        folder = self.folder / "host_vars"
        folder.mkdir(exist_ok=True)
        for host, variables in self.variables().items():
            (folder / f"{host}.json").write_text(json.dumps({**shared, **variables, **changed}), encoding="utf-8")
        (self.folder / "play.yml").write_text(PLAY, encoding="utf-8")
        self.lab.inventory({"hubs": ["hub1"], "links": ["gw1", "sensor1"], "relays": ["gw1"]}, self.folder)
        done = self.lab.playbook(self.folder, str(self.folder / "play.yml"), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def send(self, count: int, prefix: str) -> None:
        """Events of the firewall, numbered."""
        self.lab.run("sensor1", f"python3 /root/device.py many tcp {FIREWALL} {RELAY} {count} {prefix}")

    def burst(self, count: int, prefix: str) -> None:
        """Datagrams of the switch, numbered, as fast as they go."""
        self.lab.run("sensor1", f"python3 /root/device.py bulk udp {FIREWALL} {RELAY} {count} {prefix}")

    @contextmanager
    def sending(self, *arguments: str) -> Iterator[Callable[[], int]]:
        """A device that sends at the same time as the block; gives what waits for its end, and says how many it sent.

        `arguments` are those of support/programs/device.py.
        """
        argv = ["ssh", "-F", str(self.lab.config), "sensor1", "python3 /root/device.py " + " ".join(arguments)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:

            def sent() -> int:
                out, _ = process.communicate(timeout=60)
                assert process.returncode == 0
                return int(json.loads(out)["sent"])

            try:
                yield sent
            finally:
                process.kill()

    def heard(self) -> dict[str, float]:
        """When each source was last heard, by the archiver's own file."""
        text = self.lab.run("hub1", f"cat /run/vaern-archiver/{CODE}.json", check=False)
        seen: dict[str, float] = json.loads(text or "{}").get("topics", {}).get(f"logs.{CODE}", {}).get("seen", {})
        return seen

    def heartbeat(self, host: str) -> Record:
        """The last one of a host that writes them to a file."""
        found: Record = json.loads(self.lab.run(host, "tail -n 1 /var/lib/vaern-watch/heartbeat.jsonl"))
        return found

    def reading(self, host: str, name: str) -> float:
        """One reading of it; minus one when it is not known."""
        value = self.heartbeat(host)["readings"].get(name)
        return -1.0 if value is None else float(value)

    def found(self, host: str) -> set[str]:
        """The kinds of finding a host tells of."""
        return {finding["kind"] for finding in self.heartbeat(host)["findings"]}

    def records(self) -> list[Record]:
        """The municipality's alarms as the collector wrote them down."""
        text = self.lab.run("hub1", f"cat /var/lib/vaern/alarms/{CODE}.jsonl", check=False)
        return [json.loads(line) for line in text.splitlines()]

    def archived(self, source: str) -> list[Record]:
        """The events of one source, in the order they are archived."""
        text = self.lab.run("hub1", f"python3 - {CODE}", stdin=source_of("read_archive.py"))
        found = [json.loads(line) for line in text.splitlines() if f'"source":"{source}"' in line]
        return [event for event in found if event["source"] == source]

    def events(self) -> list[Record]:
        """The municipality's alarms as events."""
        return self.archived("vaern.alarm")

    def changes(self, kind: str, subject: str) -> list[str]:
        """How the state of one alarm has changed since the beginning."""
        return [one["state"] for one in self.records() if (one["kind"], one["subject"]) == (kind, subject)]

    def unknown_senders(self, relay: str) -> list[Record]:
        """Who sends to a relay and is not declared, as the collector has it."""
        told = json.loads(self.lab.run("hub1", "cat /run/vaern-alarms/open.json"))["unknown_senders"]
        found: list[Record] = told.get(CODE, {}).get(relay, {}).get("senders", [])
        return found

    def dropped_by_firewall(self, relay: str) -> list[Record]:
        """Whom the firewall of a relay drops, as the collector has it."""
        told = json.loads(self.lab.run("hub1", "cat /run/vaern-alarms/open.json"))["dropped_by_firewall"]
        found: list[Record] = told.get(CODE, {}).get(relay, {}).get("senders", [])
        return found

    def open(self) -> set[tuple[str, str]]:
        """Kind and subject of the alarms that are open."""
        text = self.lab.run("hub1", "cat /run/vaern-alarms/open.json")
        return {(one["kind"], one["subject"]) for one in json.loads(text)["alarms"]}


def wait(holds: Callable[[], bool], seconds: float = 90.0) -> bool:
    """Whether it holds before the time is up."""
    limit = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > limit:
            return False
        time.sleep(0.5)
    return True
