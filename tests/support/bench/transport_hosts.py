"""A relay and a collector for the transport bench: the pipeline of the tests, through a WireGuard tunnel."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.bench.transport_site import BESIDE, OTHER, Site
from support.lab.hosts import Booted, lab_hosts
from support.lab.pipeline import (
    COLLECTOR,
    DHCP,
    OVERLAY,
    RELAY,
    SPOOL,
    Pipeline,
    collector_play,
    prepare,
    relay_play,
    source,
)
from support.programs import source_of

HOSTS = {"hub1": {"uplink": "198.18.0.10/15"}, "gw1": {"uplink": "198.19.50.10/15", "lan": f"{RELAY}/24@lan1"}}
UPLINK = {host: links["uplink"].partition("/")[0] for host, links in HOSTS.items()}
PROGRAMS = ("arrival.py", "load.py", "processor.py")
OPEN_PORT = 9096
"""Of the listener without TLS, which only the bench has."""
PLAIN_PORT = 5514
KEYS = "umask 077; mkdir -p /etc/wireguard; wg genkey > /etc/wireguard/key; wg pubkey < /etc/wireguard/key"
TUNNEL = """umask 077
cat > /etc/wireguard/vaern0.conf <<END
[Interface]
Address = {address}/128
ListenPort = 51820
MTU = 1420
PostUp = wg set %i private-key /etc/wireguard/key
[Peer]
PublicKey = {peer}
AllowedIPs = {other}/128
Endpoint = {endpoint}:51820
PersistentKeepalive = 25
END
wg-quick up vaern0"""
WITHOUT_TLS = f"""cd /etc/vaern/collector
sed -i -E \\
  -e 's!^(listeners=.*)!\\1,OPEN://[{OVERLAY["hub1"]}]:{OPEN_PORT}!' \\
  -e 's!^(advertised.listeners=.*)!\\1,OPEN://{COLLECTOR}:{OPEN_PORT}!' \\
  -e 's!^(listener.security.protocol.map=.*)!\\1,OPEN:PLAINTEXT!' \\
  -e 's!^(super.users=.*)!\\1;User:ANONYMOUS!' server.properties
systemctl restart vaern-kafka"""
RECEIVER = f"""apt-get -q -y install rsyslog >/dev/null
systemctl disable --now syslog.socket rsyslog
mkdir -p /var/log/bench
cat > /root/plain.conf <<'END'
global(workDirectory="/var/log/bench")
main_queue(queue.size="100000" queue.dequeueBatchSize="2048")
module(load="imtcp")
input(type="imtcp" address="{UPLINK["hub1"]}" port="{PLAIN_PORT}")
action(type="omfile" file="/var/log/bench/plain.log")
END
systemd-run --unit bench-plain rsyslogd -n -iNONE -f /root/plain.conf"""


def plays(parser: str, privacy: str) -> list[dict[str, Any]]:
    """Collector and relay; one firewall, with its parser."""
    firewall = source("firewall1", "firewall", "administration", "syslog_tcp", DHCP)
    return [
        collector_play(),
        relay_play(
            log_shipper_spool={"directory": SPOOL, "max_bytes": 2**31},
            log_shipper_privacy={"cpr": privacy},
            log_shipper_sources=[firewall | {"parser": parser, "timezone": "Europe/Copenhagen"}],
        ),
    ]


@contextmanager
def site(folder: Path, count: int, share: float) -> Iterator[Site]:
    """The hosts with the roles on them, the tunnel, a load of so many events, and a plain receiver."""
    with lab_hosts(HOSTS, folder) as lab:
        prepare(lab, HOSTS)
        lab.run("gw1", f"ip address add {DHCP}/32 dev lan")
        for host in HOSTS:
            for program in PROGRAMS:
                lab.run(host, f"cat > /root/{program}", stdin=source_of(program))
        connect(lab)
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"]}, folder)
        (folder / "plays.json").write_text(json.dumps(plays("fortigate", "mask")), encoding="utf-8")
        pipeline = Pipeline(lab, folder)
        pipeline.apply()
        lab.run("gw1", f"systemctl stop vaern-spool.timer; python3 /root/load.py write /root/load {count} {share}")
        lab.run("hub1", "systemctl stop vaern-ledger.timer")
        lab.run("hub1", WITHOUT_TLS)
        lab.run("hub1", RECEIVER)
        yield Site(pipeline, count)


def connect(lab: Booted) -> None:
    """The tunnel, as the roles configure it: the overlay addresses move into it."""
    keys = {}
    for host in HOSTS:
        lab.run(host, "apt-get -q -y install wireguard-tools wireguard-go >/dev/null")
        keys[host] = lab.run(host, KEYS).strip()
        lab.run(host, f"ip address del {OVERLAY[host]}/48 dev uplink")
        lab.run(host, f"ip address add {BESIDE[host]}/64 dev uplink nodad")
    for host, other in OTHER.items():
        given = {"address": OVERLAY[host], "peer": keys[other], "other": OVERLAY[other], "endpoint": UPLINK[other]}
        lab.run(host, TUNNEL.format(**given))
    limit = time.monotonic() + 30
    while "64 bytes" not in lab.run("gw1", f"ping -c 1 -W 1 {OVERLAY['hub1']}", check=False):
        assert time.monotonic() < limit, "no way through the tunnel"
