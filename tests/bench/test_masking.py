"""What masking costs: events a second through the relay's rsyslog into its spool, by share of suspicious lines."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path

import pytest
from support.lab.hosts import lab_hosts
from support.lab.pipeline import DHCP, HOSTS, RELAY, SPOOL, Pipeline, plays, prepare

EVENTS = 60000
ROUNDS = 3
SHARES = (0.0, 0.01, 0.2)
"""Suspicious lines: none, what firewalls send, a journal system that writes the number in every fifth line."""
MODES = ("keep", "mask", "hash")
MEASURE = """
import json, os, socket, sys, time
relay, address, count, share = sys.argv[1], sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
header, body = b"<134>Nov 24 03:00:00 device app: ", b" user logged in from 10.0.0.1, all is well" * 5
every = round(1 / share) if share else 0
lines = []
for number in range(count):
    held = b" cpr 120345-%04d" % (5000 + number % 1000) if every and number % every == 0 else b" session 884422110"
    lines.append(header + b"%d" % number + held + body + b"\\n")

def last():
    with open(sys.argv[5], "rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 65536))
        found = [line for line in file.read().splitlines() if line.endswith(b"}") and b'"source":"dhcp1"' in line]
    return json.loads(found[-1])["sequence"] if found else 0

def sequence():
    try:
        return last()
    except (OSError, ValueError):
        return 0

with socket.create_connection((relay, 514), source_address=(address, 0)) as sender:
    sender.sendall(lines[0])
    before = limit = 0
    while not before:
        time.sleep(0.5)
        before = sequence()
    started = time.monotonic()
    sender.sendall(b"".join(lines))
    while sequence() < before + count and time.monotonic() < started + 120:
        time.sleep(0.02)
    print(json.dumps(count / (time.monotonic() - started)))
"""


def rate(pipeline: Pipeline, share: float) -> float:
    """Events a second; the sender is on the relay itself, with the address of a device."""
    program = f"python3 - {RELAY} {DHCP} {EVENTS} {share} {SPOOL}/segments/open-2.jsonl"
    return float(pipeline.lab.run("gw1", program, stdin=MEASURE))


@pytest.mark.bench
def test_masking(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("the lab needs root: network namespaces and systemd-nspawn")
    with lab_hosts(HOSTS, tmp_path) as lab:
        prepare(lab)
        lab.run("gw1", f"ip address add {DHCP}/24 dev lan")
        lab.inventory({"collectors": ["hub1"], "relays": ["gw1"]}, tmp_path)
        (tmp_path / "plays.json").write_text(json.dumps(plays()[:2]), encoding="utf-8")
        pipeline = Pipeline(lab, tmp_path)
        pipeline.apply()
        show(measured(pipeline))


def measured(pipeline: Pipeline) -> dict[tuple[str, float], list[float]]:
    """Rates of each handling and share, in turn, so that a slow moment of the machine meets all of them."""
    found: dict[tuple[str, float], list[float]] = {(mode, share): [] for mode in MODES for share in SHARES}
    spool = {"directory": SPOOL, "max_bytes": 2**31}
    for _ in range(ROUNDS):
        for mode in MODES:
            chosen = {"log_shipper_privacy": {"cpr": mode}, "log_shipper_spool": spool}
            pipeline.apply("--limit", "gw1", "-e", json.dumps(chosen))
            for share in SHARES:
                found[mode, share].append(rate(pipeline, share))
    return found


def show(found: dict[tuple[str, float], list[float]]) -> None:
    """One line a share; the ratio is taken round by round."""
    print(f"\n{EVENTS} events of 270 bytes over TCP to the spool, median of {ROUNDS} rounds, events/s:")
    for share in SHARES:
        kept = found["keep", share]
        line = f"  {share:4.0%} suspicious: keep {statistics.median(kept):7.0f}"
        for mode in MODES[1:]:
            ratios = [one / other for one, other in zip(found[mode, share], kept, strict=True)]
            line += f", {mode} {statistics.median(found[mode, share]):7.0f} ({statistics.median(ratios):.2f} of keep)"
        print(line)
