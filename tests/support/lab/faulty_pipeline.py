"""The pipeline through a real tunnel: ways to break it, load on it, and the figures of what came of it."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from support.certificates import Authority
from support.lab import monitored_hosts, pipeline
from support.lab.hosts import Booted
from support.lab.pipeline import DHCP, FIREWALL, JOURNAL, OVERLAY, RELAY, SPOOL, Pipeline
from support.programs import source_of
from vaern.declaration import load_fleet
from vaern.model import sizing
from vaern.runtime.paths import Project

DAY_HOURS = 24
NEIGHBOUR = "198.51.100.30"
WAYS = {
    "udp": ("udp", FIREWALL),
    "tcp": ("tcp", DHCP),
    "tls": ("tls", JOURNAL),
    "udp2": ("udp", NEIGHBOUR),
    "tcp2": ("tcp", NEIGHBOUR),
}
"""The devices: how each sends, and from where."""
TUNNEL = "udp dport 51820 {0} drop; udp sport 51820 {0} drop;"
RULES = """
table inet fault {{
  chain leaving {{ type filter hook output priority -300; {drop} }}
  chain coming {{ type filter hook input priority -300; {drop} }}
}}
"""
NO_FIREWALL = """
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/true
ExecReload=/bin/true
"""
"""The role of the hub adds to the base role's, which the pipeline has not."""


def declared_bytes() -> int:
    """Of the spool, for 24 hours of what Samsø declares: as the inventory would size it."""
    project = Project(pipeline.ROOT, pipeline.ROOT / ".vaern")
    municipality = (
        load_fleet(project, ["samsoe"]).municipalities["samsoe"].model_copy(update={"outage_hours": DAY_HOURS})
    )
    (relay,) = [host for host in municipality.hosts if municipality.sources_through(host)]
    return sizing.spool_bytes(municipality.sources_through(relay), municipality.outage_hours)


def declared_events() -> int:
    """What Samsø's sources send in 24 hours."""
    project = Project(pipeline.ROOT, pipeline.ROOT / ".vaern")
    sources = load_fleet(project, ["samsoe"]).municipalities["samsoe"].log_sources
    return round(sum(source.events_per_second for source in sources) * DAY_HOURS * 3600)


def plays(pairs: dict[str, tuple[str, str]]) -> list[dict[str, Any]]:
    """The tunnel, then the roles of the pipeline with a spool as declared."""
    shared = {"preshared_key": monitored_hosts.PAIR_KEY}
    gateway = {"name": "gw1", "municipality": "0710", "public_key": pairs["gw1"][1], **shared}
    hub = {"name": "hub1", "public_key": pairs["hub1"][1], "keepalive": 25, "endpoint": "198.18.0.10:51820", **shared}
    tunnel = {"name": "vaern0", "mtu": 1420}
    made = pipeline.plays()
    size = declared_bytes()
    made[1]["vars"]["log_shipper_sources"] += [
        pipeline.source("switch1", "switch", "administration", "syslog_udp", NEIGHBOUR),
        pipeline.source("server1", "server", "administration", "syslog_tcp", NEIGHBOUR),
    ]
    made[1]["vars"]["log_shipper_spool"] = {"directory": SPOOL, "max_bytes": size}
    # The quota that an inventory gives a municipality of this size.
    made[0]["vars"]["collector_tenants"][0]["quota_bytes_per_second"] = 10 * 2**20
    return [
        pipeline.play("vpn_hub", "hub1", {
            "vpn_hub_interface": tunnel | {"address": f"{OVERLAY['hub1']}/48", "port": 51820},
            "vpn_hub_peers": [gateway | {"allowed_ips": [f"{OVERLAY['gw1']}/128"]}],
        }),
        pipeline.play("vpn_link", "gw1", {
            "vpn_link_interface": tunnel | {"address": f"{OVERLAY['gw1']}/128"},
            "vpn_link_hubs": [hub | {"allowed_ips": [f"{OVERLAY['hub1']}/128"]}],
        }),
        *made,
    ]  # fmt: skip


def connect_neighbour(lab: Booted) -> None:
    """One more address of the devices, for those that only do as they have declared."""
    lab.run("sensor1", f"ip address add {NEIGHBOUR}/24 dev lan")


def tunnel_keys(lab: Booted, pairs: dict[str, tuple[str, str]]) -> None:
    """What enrolment and the base role have made; the overlay is the tunnel's from here on."""
    unit = "cat > /etc/systemd/system/vaern-firewall.service; systemctl daemon-reload; systemctl start vaern-firewall"
    lab.run("hub1", f"install -d /etc/vaern/firewall.d; {unit}", stdin=NO_FIREWALL)
    for host, address in OVERLAY.items():
        key = "install -d -m 0700 /etc/wireguard; umask 077; cat > /etc/wireguard/vaern0.key"
        lab.run(host, f"ip address del {address}/48 dev uplink; {key}", stdin=pairs[host][0] + "\n")


@dataclass
class Figures:
    """What one fault did. Times are seconds; `missing` is what the devices sent and the archive does not have."""

    fault: str
    conditions: str
    sent: int = 0
    buffered: int = 0
    buffered_bytes: int = 0
    missing: int = 0
    duplicates: int = 0
    catch_up: float = 0.0
    note: str = ""


@dataclass
class Load:
    """Numbered messages of some devices, for so long at such a rate each; what it sent is known when it has ended."""

    site: Site
    prefix: str
    processes: dict[str, subprocess.Popen[str]] = field(default_factory=dict)

    @property
    def texts(self) -> list[str]:
        """What the messages of each device begin with."""
        return [f"{self.prefix}{way}-" for way in self.processes]

    def start(self, rates: dict[str, float], seconds: float) -> Load:
        """Start one device a protocol; the rate is in messages a second."""
        for way, rate in rates.items():
            device = f"{' '.join(WAYS[way])} {RELAY} {rate} {seconds} {self.prefix}{way}-"
            command = f"python3 /root/device.py steady {device}"
            argv = ["ssh", "-F", str(self.site.lab.config), "sensor1", command]
            self.processes[way] = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def sent(self, seconds: float) -> dict[str, int]:
        """Wait for the end; how many were sent, by the text they begin with."""
        told = {}
        for way, process in self.processes.items():
            out, err = process.communicate(timeout=seconds)
            assert process.returncode == 0, err
            told[f"{self.prefix}{way}-"] = int(json.loads(out)["sent"])
        return told


@dataclass(frozen=True)
class Site(Pipeline):
    """The pipeline, its link, and what the tests of faults measure on it."""

    authority: Authority
    scale: float
    record: Path | None
    begun: float

    def length(self, seconds: float, least: float) -> float:
        """So long at full scale; never below what shows the fault at all."""
        return max(least, seconds * self.scale)

    def nft(self, rules: str, host: str = "gw1") -> None:
        """Rules in the network namespace of a host, from outside of it."""
        argv = ["ip", "netns", "exec", f"{self.lab.lab.name}-{host}", "nft", "-f", "-"]
        subprocess.run(argv, input=rules, text=True, check=True, timeout=30)

    @contextmanager
    def broken(self, condition: str = "") -> Iterator[None]:
        """The link between relay and collector drops what meets the condition, both ways; everything without one."""
        self.nft(RULES.format(drop=TUNNEL.format(condition)))
        try:
            yield
        finally:
            self.nft("delete table inet fault")

    def broken_otherwise(self, condition: str) -> None:
        """Within a block of `broken`: it drops what meets this condition from now on, and nothing passes in between."""
        self.nft("delete table inet fault\n" + RULES.format(drop=TUNNEL.format(condition)))

    def arrived(self, text: str) -> tuple[int, int]:
        """Different messages with that text and a number in the archive, and how many copies of them in all."""
        told = json.loads(self.lab.run("hub1", f"python3 - {text} {self.begun}", stdin=source_of("count_messages.py")))
        return told["different"], told["copies"]

    def spooled(self, text: str) -> int:
        """Messages with that text in the relay's spool."""
        return int(self.lab.run("gw1", f"cat {SPOOL}/segments/*.jsonl | grep -c -F 'app: {text}'", check=False) or 0)

    def spool_bytes(self) -> int:
        """Bytes of the spool."""
        return int(self.lab.run("gw1", f"du -sb {SPOOL}/segments | cut -f1"))

    def bulk(self, way: str, count: int, prefix: str) -> None:
        """So many numbered messages of one device as fast as the relay takes them, and into its spool."""
        argv = ["ssh", "-F", str(self.lab.config), "sensor1"]
        argv.append(f"python3 /root/device.py bulk {' '.join(WAYS[way])} {RELAY} {count} {prefix}")
        subprocess.run(argv, check=True, timeout=900)
        limit = time.monotonic() + 300
        while (held := self.spooled(prefix)) < count and time.monotonic() < limit:
            time.sleep(1)
        assert held == count

    def drained(self, sent: dict[str, int], seconds: float) -> float:
        """Seconds until so many different messages of each text have arrived, or until the time was up."""
        started = time.monotonic()
        for text, count in sent.items():
            while self.arrived(text)[0] < count and time.monotonic() - started < seconds:
                time.sleep(1)
        return round(time.monotonic() - started, 1)

    def balance(self, seconds: float = 240.0) -> dict[str, Any]:
        """The ledger, as soon as nothing is under way or missing, or when the time is up."""
        limit = time.monotonic() + seconds
        while True:
            self.lab.run("gw1", "vaern-spool", check=False)
            told: dict[str, Any] = json.loads(self.lab.run("hub1", "vaern-ledger --code 0710 --confirm", check=False))
            if not column(told, "missing") + column(told, "under_way") or time.monotonic() > limit:
                return told
            time.sleep(2)

    def backlog(self, figures: Figures, texts: list[str]) -> dict[str, int]:
        """What has been spooled of each text so far; the figures learn how much of it is not in the archive."""
        held = {text: self.spooled(text) for text in texts}
        figures.buffered = sum(held.values()) - sum(self.arrived(text)[0] for text in texts)
        figures.buffered_bytes = self.spool_bytes()
        return held

    def settled(self, figures: Figures, sent: dict[str, int], seconds: float = 300.0) -> Figures:
        """Wait until everything that was sent is there, or so long; fill in what arrived, and keep the figures."""
        self.drained(sent, seconds)
        told = self.balance()
        arrived = [self.arrived(text) for text in sent]
        figures.sent = sum(sent.values())
        figures.missing = figures.sent - sum(different for different, _ in arrived)
        figures.duplicates = sum(copies - different for different, copies in arrived)
        self.keep(figures)
        assert told["gaps"] == [], "the ledger and the devices must come to the same"
        return figures

    def keep(self, figures: Figures) -> None:
        """Write the figures down for whoever asked for them."""
        if self.record:
            with self.record.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(figures)) + "\n")


def column(told: dict[str, Any], name: str) -> int:
    """The sum of a column of the ledger."""
    return sum(row[name] for row in told["rows"])
