"""Runs on a relay as root: cuts its way to the brokers for a while, and nothing else.

    cut SECONDS    from now on; it ends by itself, whoever asked for it
    mend           ends it now

The cut is a table of nftables that lives as long as a transient unit of systemd: the unit makes it before it starts to
sleep and takes it away when it ends, however it ends. A relay that is started anew has neither.
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
"""A sleep that does not end is ended."""


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
    """What drops everything to and from those, and no other packet."""
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
    """Start the unit; it fails when one is there already."""
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
    # Nothing is believed: also a table that outlived its unit goes.
    subprocess.run(["nft", "delete", "table", *TABLE.split()], check=False, stderr=subprocess.DEVNULL)


def main(arguments: list[str]) -> int:
    """Do what was asked. Raises CalledProcessError when the way is cut already."""
    if arguments[0] == "cut":
        cut(float(arguments[1]))
    else:
        mend()
    return 0
