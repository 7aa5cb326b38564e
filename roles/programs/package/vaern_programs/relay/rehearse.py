"""Runs on a relay as root: cuts its connection to the brokers for a while, and nothing else.

    cut SECONDS    starts now, and ends by itself after that time
    mend           ends it now

The cut is an nftables table that exists as long as a transient systemd unit: the unit adds it before it sleeps, and
removes it when it ends for any reason. After a reboot neither is there.
"""

from __future__ import annotations

import json
import socket
import subprocess
from pathlib import Path

from vaern_programs.relay.paths import SETTINGS

UNIT = "vaern-rehearsal.service"
TABLE = "inet vaern_rehearsal"
RULES = Path("/run/vaern-rehearsal.nft")
SLACK_SECONDS = 5
"""Time after which a sleep that has not ended is killed."""


def brokers() -> list[tuple[str, int]]:
    """Address and port of every broker this relay sends to."""
    found = set()
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))["librdkafka"]
    for broker in settings["bootstrap.servers"].split(","):
        name, _, port = broker.rpartition(":")
        for answer in socket.getaddrinfo(name.strip("[]"), int(port), type=socket.SOCK_STREAM):
            found.add((str(answer[4][0]), int(port)))
    return sorted(found)


def rules(ways: list[tuple[str, int]]) -> str:
    """The nftables rules that drop every packet to and from those brokers, and no others."""
    leaving, coming = [], []
    for address, port in ways:
        family = "ip6" if ":" in address else "ip"
        leaving.append(f"{family} daddr {address} tcp dport {port} drop;")
        coming.append(f"{family} saddr {address} tcp sport {port} drop;")
    return (
        f"table {TABLE} {{\n"
        f"  chain leaving {{ type filter hook output priority -300; {' '.join(leaving)} }}\n"
        f"  chain coming {{ type filter hook input priority -300; {' '.join(coming)} }}\n"
        "}\n"
    )


def cut(seconds: float) -> None:
    """Start the unit; fails when it is already running."""
    RULES.write_text(rules(brokers()), encoding="ascii")
    properties = {
        "ExecStartPre": f"/usr/sbin/nft -f {RULES}",
        "ExecStopPost": f"/usr/sbin/nft delete table {TABLE}",
        "RuntimeMaxSec": str(seconds + SLACK_SECONDS),
        "Description": "Rehearsed outage: the way to the brokers is cut",
    }
    words = [f"--property={name}={value}" for name, value in properties.items()]
    subprocess.run(
        ["systemd-run", "--quiet", "--collect", f"--unit={UNIT}", *words, "/usr/bin/sleep", str(seconds)], check=True
    )


def mend() -> None:
    """End the unit, and with it the cut; no error when there is none."""
    subprocess.run(["systemctl", "stop", UNIT], check=False, stderr=subprocess.DEVNULL)
    # Also remove a table that was left behind by a unit that no longer exists.
    subprocess.run(["nft", "delete", "table", *TABLE.split()], check=False, stderr=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Do what was asked. Raises CalledProcessError when the way is cut already."""
    if arguments[0] == "cut":
        cut(float(arguments[1]))
    else:
        mend()
    return 0
