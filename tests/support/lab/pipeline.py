"""The whole pipeline on booted hosts: devices and a sensor on a LAN, the relay, and the collector with its archive."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from support.certificates import Authority, Certificate, self_signed
from support.lab.hosts import Booted
from support.lab.keys_on_hosts import enrolled
from support.paths import ROOT, TOOLS
from support.programs import source_of
from support.relay_sources import keyed

RELAY = "198.51.100.10"
SENSOR = "198.51.100.11"
FIREWALL, DHCP, JOURNAL, STRANGER = "198.51.100.1", "198.51.100.20", "198.51.100.21", "198.51.100.99"
HOSTS = {
    "hub1": {"uplink": "198.18.0.10/15"},
    "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1"},
    "sensor1": {"uplink": "198.19.50.11/15", "lan": f"{SENSOR}/24@lan1"},
}
OVERLAY = {"hub1": "fd5a:1c3e:9b27::1", "gw1": "fd5a:1c3e:9b27:2c6::1"}
COLLECTOR = "hub1.overlay"
SPOOL = "/var/spool/vaern-log-shipper"
SPOOL_BYTES = 56 * 2**20
LISTENS = "for i in $(seq 120); do ss -Hltn sport = 514 | grep -q . && exit; sleep 0.5; done; exit 1"
"""A command for a relay: wait until it takes in syslog by TCP."""
PASS_OVER = f"""python3 -c '
import json, pathlib
from vaern_programs.relay.spool.index import digest_of
spool, ends = pathlib.Path("{SPOOL}"), {{}}
for path in spool.glob("segments/*.jsonl"):
    with path.open("rb") as file:
        if digest := digest_of(file.readline(), file.fileno()):
            ends[digest] = path.stat().st_size
(spool / "delivery" / "positions.json").write_text(json.dumps(ends))
'"""
"""A command for a relay whose delivery is stopped: everything in its spool counts as acknowledged, and is not sent."""
Event = dict[str, Any]


def sources() -> list[dict[str, Any]]:
    """Every way in to the relay, and every priority."""
    tap = {"kind": "tap", "sector": "administration", "priority": 1}
    sensor = {"protocol": "relp_tls", "address": SENSOR, "certificate_name": "sensor1"}
    return [
        source("firewall1", "firewall", "administration", "syslog_udp", FIREWALL),
        source("dhcp1", "dhcp", "administration", "syslog_tcp", DHCP),
        source("journal1", "application", "health", "syslog_tls", JOURNAL) | {"priority": 3},
        keyed({"name": "tap-core", **tap, "application": "tap-core", **sensor}),
        keyed({"name": "tap-far", **tap, "application": "tap-far", **sensor}),
        {"name": "tap-here", **tap, "protocol": "file", "file": "/var/log/vaern-tap/here/eve.json"},
    ]


def known_by_certificates(*certificates: str) -> dict[str, Any]:
    """The sources of the role, and some that have a certificate (PEM); they share the address of one that has none."""
    known = [
        source(f"record{number}", "application", "health", "syslog_mtls", address) | {"certificate": certificate}
        for number, (certificate, address) in enumerate(zip(certificates, (JOURNAL, DHCP), strict=True), 1)
    ]
    return {"log_shipper_sources": [*sources(), *known]}


def source(name: str, kind: str, sector: str, protocol: str, address: str) -> dict[str, Any]:
    """A declared source that sends from an address of its own."""
    return keyed({"name": name, "kind": kind, "sector": sector, "protocol": protocol, "address": address})


def plays() -> list[dict[str, Any]]:
    """The three roles as a municipality's inventory would give them their variables, in small."""
    far = {"vni": 42, "port": 4789, "local": SENSOR, "remote": RELAY}
    tap = {"sector": "administration", "expected_mbit_per_second": 20}
    return [
        collector_play(),
        relay_play(log_shipper_sources=sources()),
        play("network_tap", "sensor1", {
            "network_tap_taps": [
                {"name": "core", "mode": "nft", "interface": "tap0", **tap},
                {"name": "far", "mode": "vxlan", "interface": "tap1", "vxlan": far, **tap},
            ],
            "network_tap_output": {"mode": "relay", "address": RELAY, "port": 20514, "relay": "gw1"},
        }),
    ]  # fmt: skip


def collector_play(**others: Any) -> dict[str, Any]:
    """The collector of the pipeline, with one municipality; `others` are more variables of the role."""
    (archive,) = TOOLS.glob("kafka-*.tar")
    tenant = {"code": "0710", "slug": "favrskov", "principals": ["gw1"], "quota_bytes_per_second": 104857600}
    variables = {
        "collector_listener": {"address": OVERLAY["hub1"], "name": COLLECTOR, "port": 9093},
        "collector_kafka_archive": str(archive),
        "collector_tenants": [{**tenant, "retention_days": 400, "max_gib": 2.0}],
    }
    return play("collector", "hub1", variables | others)


def relay_play(**others: Any) -> dict[str, Any]:
    """The relay of the pipeline, but for its sources; `others` are more variables of the role, or other ones."""
    variables = {
        "log_shipper_identity": {"municipality": "0710", "site": "raadhus", "relay": "gw1"},
        "log_shipper_listen": RELAY,
        "log_shipper_output": {"brokers": [f"{COLLECTOR}:9093"], "topic": "logs.0710"},
        "log_shipper_spool": {"directory": SPOOL, "max_bytes": SPOOL_BYTES},
    }
    return play("log_shipper", "gw1", variables | others)


def play(role: str, host: str, variables: Mapping[str, Any]) -> dict[str, Any]:
    """One role on one host."""
    return {"hosts": host, "gather_facts": False, "roles": [str(ROOT / "roles" / role)], "vars": dict(variables)}


def prepare(lab: Booted, hosts: Iterable[str] = HOSTS) -> Authority:
    """What the base role, the VPN and enrolment have done before; returns who signed the certificates."""
    authority = Authority()
    for host in hosts:
        names = [host, COLLECTOR] if host == "hub1" else [host]
        addresses = [OVERLAY[host]] if host in OVERLAY else []
        is_relay = host == "gw1"
        own = authority.issue(f"{host}.shipper" if is_relay else host, *addresses, names=names)
        enrolled(lab, host, authority, own, authority.issue(host) if is_relay else None)
        lab.run(host, "apt-get -q update")
        if host in OVERLAY:
            lab.run(
                host,
                f"ip address add {OVERLAY[host]}/48 dev uplink nodad; echo {OVERLAY['hub1']} {COLLECTOR} >> /etc/hosts",
            )
        if host != "hub1":
            lab.run(host, "cat > /root/device.py", stdin=source_of("device.py"))
    return authority


def connect_devices(lab: Booted) -> None:
    """The sensor's host has the addresses of the devices, and a mirror port."""
    others = " ".join(f"{address}/24" for address in (FIREWALL, DHCP, JOURNAL, STRANGER))
    lab.run("sensor1", f"for each in {others}; do ip address add $each dev lan; done")
    lab.run("sensor1", "ip link add tap0 type veth peer name mirror; ip link set mirror addrgenmode none up")


def await_captures(lab: Booted, host: str, count: int) -> None:
    """Wait until that many Suricatas capture, which is some seconds after they are started."""
    ready = f"[ $(ss -Hnp --packet | grep -c -i suricata) -ge {count} ]"
    lab.run(host, f"for i in $(seq 600); do {ready} && exit; sleep 0.1; done; ss -np --packet; exit 1")


@dataclass(frozen=True)
class Pipeline:
    """Hosts with the roles on them."""

    lab: Booted
    folder: Path
    senders: tuple[Certificate, Certificate] = field(
        kw_only=True, default_factory=lambda: (self_signed("a"), self_signed("b"))
    )
    """The certificates of the senders that have one."""

    def apply(self, *options: str) -> str:
        """Run the roles; Ansible's output."""
        done = self.lab.playbook(self.folder, str(self.folder / "plays.json"), *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def device(self, *arguments: str, host: str = "sensor1", stdin: str = "") -> str:
        """Act as a device; see support/programs/device.py."""
        return self.lab.run(host, "python3 /root/device.py " + " ".join(arguments), stdin=stdin)

    @contextmanager
    def sending(self, name: str, counts: Mapping[str, tuple[str, int]]) -> Iterator[None]:
        """Numbered messages by several protocols at once, until the block is left; address and number of each.

        The messages begin with `<name>-<protocol>-`. A sender that fails fails the block.
        """
        with ThreadPoolExecutor(len(counts)) as pool:
            senders = [
                pool.submit(self.device, "many", protocol, address, RELAY, str(count), f"{name}-{protocol}-")
                for protocol, (address, count) in counts.items()
            ]
            yield
            for sender in senders:
                sender.result()

    def send(self, protocol: str, address: str, messages: list[bytes]) -> None:
        """Send these messages from that address."""
        self.device(protocol, address, RELAY, stdin=json.dumps([message.decode("latin-1") for message in messages]))

    def archived(self) -> list[Event]:
        """Everything the collector holds."""
        text = self.lab.run("hub1", "python3 - 0710", stdin=source_of("read_archive.py"))
        return [json.loads(line) for line in text.splitlines()]

    def wait_for(self, wanted: Callable[[Event], bool], count: int, seconds: float = 90.0) -> list[Event]:
        """The events of that kind at the collector, as soon as there are so many or the time is up.

        A large archive takes longer to read than that: what is returned was always read when the time was up.
        """
        limit = time.monotonic() + seconds
        while True:
            began = time.monotonic()
            found = [event for event in self.archived() if wanted(event)]
            if len(found) >= count or began > limit:
                return found
            time.sleep(0.5)

    def wait_for_all(self, text: str, count: int, seconds: float) -> list[Event]:
        """The events with that text, as soon as so many different ones have arrived or the time is up.

        After an outage some arrive twice.
        """
        limit = time.monotonic() + seconds
        while True:
            found = self.wait_for(lambda event: text in event["message"], count, 5)
            if len({event["message"] for event in found}) >= count or time.monotonic() > limit:
                return found

    def counted(self, name: str) -> dict[str, int]:
        """One of the relay's own counters, by source or address, as of its last count (every 10 s)."""
        text = "cd /var/log/vaern-log-shipper; tail -q -n 400 impstats.json.1 impstats.json 2> /dev/null || true"
        # The last line may be half written.
        whole = self.lab.run("gw1", text).rpartition("\n")[0]
        rows = [json.loads(line) for line in whole.splitlines() if f'"name": "{name}"' in line]
        counted = [row for row in rows if row["origin"] in {"vaern", "dynstats.bucket"}]
        if not counted:
            return {}
        # Those of rsyslog's script stand apart; the others beside their name.
        values: dict[str, int] = counted[-1].get("values") or counted[-1]
        return {source: count for source, count in values.items() if isinstance(count, int)}


def gaps(events: list[Event]) -> dict[str, str]:
    """Per source and start of the relay, what is wrong with the sequence; empty when nothing is missing."""
    seen: dict[str, set[int]] = defaultdict(set)
    for event in events:
        seen[f"{event['source']} {event['boot']}"].add(event["sequence"])
    return {
        key: f"{len(numbers)} of 1..{max(numbers)}"
        for key, numbers in seen.items()
        if numbers != set(range(1, len(numbers) + 1))
    }
