"""Runs on the relay: writes the load to a file, and sends from it as one device.

write FILE COUNT SHARE                   writes COUNT lines, SHARE of them with a CPR number
sink PORT                                takes what comes and throws it away; prints the seconds it took
send FILE ADDRESS RELAY PORT FROM COUNT  sends COUNT lines from line FROM on; prints when it began and ended
steady FILE ADDRESS RELAY PORT RATE SECONDS  sends its lines over and over, so many a second; prints how many

Times are CLOCK_MONOTONIC, which the hosts of a lab share.
"""

from __future__ import annotations

import random
import socket
import sys
import time
from pathlib import Path

# Traffic of a FortiGate, each line a little different, as in cli/vaern/data/catalogue/samples/firewall-fortinet.yml.
LINE = (
    '<189>date=2026-11-24 time=03:00:00 devname="fw1" devid="FGT100FTK20000001" eventtime=1795485600{fraction:09d} '
    'tz="+0100" logid="0000000013" type="traffic" subtype="forward" level="notice" vd="root" '
    "srcip=10.10.{a}.{b} srcport={port} "
    'srcintf="lan" dstip=198.51.100.{c} dstport=443 dstintf="wan1" srccountry="Reserved" dstcountry="Denmark" '
    'sessionid={number:08d} proto=6 action="close" policyid=12 policytype="policy" service="HTTPS" trandisp="snat" '
    'duration={d} sentbyte={e} rcvdbyte={f} sentpkt=14 rcvdpkt=22 appcat="unscanned"{more}\n'
)
TICK_SECONDS = 0.02
CPR = ' unauthuser="120345-5678"'


RANGES = {
    "a": (0, 20),
    "b": (1, 255),
    "c": (1, 255),
    "d": (0, 600),
    "e": (60, 99999),
    "f": (60, 999999),
    "port": (20000, 65000),
}


def write(file: str, count: str, share: str) -> None:
    """The same lines for the same arguments; number 0 is the first."""
    chance = random.Random(count)  # noqa: S311 - a load that can be repeated
    every = round(1 / float(share)) if float(share) else 0
    with Path(file).open("w", encoding="ascii", buffering=1 << 20) as lines:
        for number in range(int(count)):
            values = {name: chance.randrange(*limits) for name, limits in RANGES.items()}
            more = CPR if every and number % every == 0 else ""
            lines.write(LINE.format(number=number, fraction=number * 1000, more=more, **values))


def send(file: str, address: str, relay: str, port: str, start: str, count: str) -> None:
    """The kernel copies from the file: the sender costs next to nothing."""
    content = Path(file).read_bytes()
    first = line_start(content, int(start))
    last = line_start(content, int(start) + int(count))
    with socket.create_connection((relay, int(port)), timeout=300, source_address=(address, 0)) as sender:
        began = time.monotonic()
        sender.sendall(memoryview(content)[first:last])
    print(began, time.monotonic())


def steady(file: str, address: str, relay: str, port: str, rate: str, seconds: str) -> None:
    """What the machine was too slow for is made up for."""
    lines = Path(file).read_bytes().splitlines(keepends=True)
    began, sent = time.monotonic(), 0
    with socket.create_connection((relay, int(port)), timeout=300, source_address=(address, 0)) as sender:
        while (passed := time.monotonic() - began) < float(seconds):
            while (left := int(passed * float(rate)) - sent) > 0:
                first = sent % len(lines)
                some = lines[first : first + left]
                sender.sendall(b"".join(some))
                sent += len(some)
            time.sleep(TICK_SECONDS)
    print(sent)


def line_start(content: bytes, number: int) -> int:
    """Where that line begins, or the file ends; lines are found by their number."""
    at = content.find(b" sessionid=%08d " % number)
    return len(content) if at < 0 else content.rfind(b"\n", 0, at) + 1


def sink(port: str) -> None:
    """One connection."""
    buffer = bytearray(1 << 20)
    with socket.create_server(("", int(port))) as server:
        connection, _ = server.accept()
        with connection:
            connection.recv_into(buffer)
            began = time.monotonic()
            while connection.recv_into(buffer):
                pass
    print(time.monotonic() - began)


if __name__ == "__main__":
    {"write": write, "send": send, "steady": steady, "sink": sink}[sys.argv[1]](*sys.argv[2:])
