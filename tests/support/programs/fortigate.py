"""Runs on a lab host and acts as a FortiGate, until the file of its state is gone.

fortigate.py ADDRESS RELAY STATE

The file STATE says how it is, and may be changed at any time:
well      traffic lines, fifty a second, as its vendor documents them
trickle   the same, two a second
changed   lines of another format, with another header and a clock that is two hours behind
poor      traffic lines that do not say who sent
long      one line that is longer than a relay takes; then as before
"""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

EVERY_SECONDS = {"trickle": 0.5}
TRAFFIC = (
    '<189>date={day} time={clock} devname="fw1" eventtime={nanoseconds} tz="+0000" logid="0000000013" type="traffic" '
    'subtype="forward" {source}dstip=198.51.100.80 dstport=443 sessionid={number} proto=6 action="close" policyid=12 '
    "sentbyte=4521 rcvdbyte=39122"
)
SOURCE = "srcip=10.10.0.5 srcport=51000 "
BEHIND_SECONDS = 7200
LONGEST = 65536


def line(state: str, number: int, now: float) -> bytes:
    """The next line."""
    if state == "changed":
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - BEHIND_SECONDS))
        return f"<189>1 {stamp} fw1 fgt - - - traffic of 10.10.0.5 was closed, session {number}".encode()
    day, clock = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(now)).split()
    text = TRAFFIC.format(
        day=day, clock=clock, nanoseconds=int(now * 1e9), number=number, source="" if state == "poor" else SOURCE
    )
    return (text.ljust(LONGEST + 1000, "x") if state == "long" else text).encode()


def main(address: str, relay: str, path: Path) -> None:
    """Send until the file is gone."""
    number = 0
    with socket.create_connection((relay, 514), timeout=60, source_address=(address, 0)) as sender:
        while path.exists():
            state = path.read_text(encoding="ascii").strip()
            number += 1
            sender.sendall(line(state, number, time.time()) + b"\n")
            if state == "long":
                path.write_text("changed", encoding="ascii")
            time.sleep(EVERY_SECONDS.get(state, 0.02))


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
