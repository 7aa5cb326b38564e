"""Sends reports as a relay in the hands of an attacker would: with its own key, past every program that checks them.

hostile_reports.py heartbeats | statements | names | withheld
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vaern_programs.relay.broker import send

SETTINGS = json.loads(Path("/etc/vaern/log_shipper/spool.json").read_text(encoding="utf-8"))
NOW = datetime.now(UTC).isoformat(timespec="microseconds")
BOOT = "f" * 32
"""No relay has it: the archiver takes these for the heartbeats of a relay that was started anew."""
LOOK_SECONDS = 2.5
NAMES, STARTS = 20_000, 11_000
FINDING = {"kind": "spool", "subject": "", "value": 93, "limit": 80, "since": NOW}
FINDINGS = (
    FINDING | {"kind": ["spool"]},
    FINDING | {"value": 10**400},
    FINDING | {"since": "9999-12-31T23:59:59-23:59"},
)


def event(source: str, number: int, rest: str, boot: str = BOOT) -> tuple[str, bytes]:
    """Key and line of an event; `rest` is its other members, as JSON."""
    line = (
        f'{{"time":"{NOW}","received":"{NOW}","municipality":"{SETTINGS["municipality"]}","relay":"{SETTINGS["relay"]}",'
        f'"boot":"{boot}","sequence":{number},"site":"s","source":"{source}",{rest}}}'
    )
    return source, line.encode()


def heartbeats() -> Iterator[tuple[str, bytes]]:
    """One for each finding that ended the alarms of everybody; only the newest is judged."""
    for number, finding in enumerate(FINDINGS, 1):
        heartbeat = json.dumps({"host": "gw1", "time": NOW, "readings": {}, "findings": [finding]})
        yield event("vaern-gw1", number, f'"message":{json.dumps(heartbeat)}')


def statements() -> Iterator[tuple[str, bytes]]:
    """Two that ended the ledger of everybody."""
    yield event("vaern.statement", 1, '"statement":{"sent":5,"given_up":[],"spool":{}}')
    yield event("vaern.statement", 2, f'"statement":{"[" * 20_000}{"]" * 20_000}')


def withheld() -> Iterator[tuple[str, bytes]]:
    """A line that its reader could not work on, as it is sent then; no input of ours makes the reader fail."""
    yield event("firewall2", 1, '"message":"<13>[withheld: could not be read]","parsed":false,"ecs":{}')


def names() -> Iterator[tuple[str, bytes]]:
    """More sources than a municipality may have, and starts of one source."""
    for number in range(NAMES):
        yield event(f"invented{number}", 1, '"message":"m"')
    for number in range(STARTS):
        yield event("restarted", 1, '"message":"m"', f"{number:032x}")


def main(what: str) -> None:
    """Send them; heartbeats so far apart that each is looked at."""
    if what == "heartbeats":
        for one in heartbeats():
            send(SETTINGS, [one])
            time.sleep(LOOK_SECONDS)
        return
    kinds: dict[str, Any] = {"statements": statements, "names": names, "withheld": withheld}
    send(SETTINGS, kinds[what]())


main(sys.argv[1])
