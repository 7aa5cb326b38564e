"""Runs on the host of a relay, in a network of its own: an rsyslog with the configuration in FOLDER, and senders.

decided.py FOLDER    events on standard input (JSON), what became of them on standard output. Each ends with its number.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 60.0
AT_ONCE = 50
"""Datagrams between pauses: UDP has no other way not to overrun the receiver."""
READER = {"VAERN_PTCP": "vaernptcp", "VAERN_OSSL": "vaernossl", "VAERN_LINES": "read", "TZ": "UTC", "LC_ALL": "C"}


def with_addresses(addresses: set[str]) -> None:
    """Every address that something is sent from or to is this host's."""
    lines = [
        "link set lo up",
        *(f"address add {one} dev lo {'nodad' if ':' in one else ''}" for one in sorted(addresses)),
    ]
    subprocess.run(["/bin/ip", "-batch", "-"], input="\n".join(lines), text=True, check=True)


def send(events: list[dict[str, Any]]) -> None:
    """Each by its protocol; what one address sends to one port by TCP goes through one connection."""
    streams: dict[tuple[str, str, int], list[bytes]] = {}
    sockets: dict[str, socket.socket] = {}
    for number, event in enumerate(events):
        message = event["message"].encode("latin-1")
        if event["stream"]:
            streams.setdefault((event["from"], event["to"], event["port"]), []).append(message + b"\n")
            continue
        family = socket.AF_INET6 if ":" in event["from"] else socket.AF_INET
        if event["from"] not in sockets:
            sockets[event["from"]] = socket.socket(family, socket.SOCK_DGRAM)
            sockets[event["from"]].bind((event["from"], 0))
        sockets[event["from"]].sendto(message, (event["to"], event["port"]))
        if number % AT_ONCE == 0:
            time.sleep(0.01)
    for (source, target, port), lines in streams.items():
        with socket.create_connection((target, port), source_address=(source, 0), timeout=PATIENCE_SECONDS) as stream:
            stream.sendall(b"".join(lines))


def lines_of(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """Whole lines of JSON in files."""
    found = []
    for path in folder.glob(pattern):
        for line in path.read_text(encoding="utf-8").splitlines():
            with suppress(ValueError):
                found.append(json.loads(line))
    return found


def undeclared(folder: Path, name: str) -> dict[str, int]:
    """The last count, over all inputs."""
    counted = [row for row in lines_of(folder, "impstats.json*") if row.get("name") == name]
    found: Counter[str] = Counter()
    for key, events in (counted[-1]["values"] if counted else {}).items():
        found[key.partition(" ")[2]] += events
    return dict(found)


def taken_in(folder: Path) -> dict[str, dict[str, Any]]:
    """The events in the spool by their numbers."""
    rows = [row for row in lines_of(folder, "spool/segments/*.jsonl") if "message" in row]
    return {row["message"].split()[-1]: row for row in rows if row["message"].split()[-1].isdigit()}


def written(folder: Path) -> int:
    """How many events are in the spool."""
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("spool/segments/*.jsonl"))


def processor_seconds(process: int) -> float:
    """What a process has used until now."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(folder: Path) -> None:
    """Send, wait until what is somebody's is in the spool and the rest is counted, and say so."""
    request = json.load(sys.stdin)
    events = request["events"]
    with_addresses({*request["listening"], *(event["from"] for event in events)})
    settings = os.environ | READER | {"VAERN_READER": f"{folder}/reader.json"}
    command = ["/usr/sbin/rsyslogd", "-n", "-i", f"{folder}/pid", "-f", f"{folder}/rsyslog.conf"]
    running = subprocess.Popen(command, env=settings, stdout=subprocess.DEVNULL, stderr=sys.stderr)
    limit = time.monotonic() + PATIENCE_SECONDS
    try:
        while not undeclared_started(folder):
            if running.poll() is not None or time.monotonic() > limit:
                sys.exit("rsyslogd did not start")
            time.sleep(0.1)
        before = processor_seconds(running.pid)
        send(events)
        while written(folder) < request["taken"] and time.monotonic() < limit:
            time.sleep(0.3)
        used = processor_seconds(running.pid) - before
        while sum(undeclared(folder, "undeclared").values()) < request["counted"] and time.monotonic() < limit:
            time.sleep(0.3)
        time.sleep(request["settle"])
    finally:
        running.terminate()
        running.wait(PATIENCE_SECONDS)
    rows = taken_in(folder)
    answer = {
        "sources": {number: row["source"] for number, row in rows.items()},
        "hosts": {number: row["host"] for number, row in rows.items()},
        "undeclared": undeclared(folder, "undeclared"),
        "undeclared_hosts": undeclared(folder, "undeclared_hosts"),
        "processor_seconds": used,
    }
    json.dump(answer, sys.stdout)


def undeclared_started(folder: Path) -> bool:
    """Whether rsyslog counts, which it does once its inputs are there."""
    return any(row.get("origin") == "impstats" or "name" in row for row in lines_of(folder, "impstats.json*"))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
