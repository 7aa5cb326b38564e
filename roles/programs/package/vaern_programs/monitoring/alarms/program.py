"""Raises an alarm when something is silent or about to be, and clears it; runs as vaern-alarms.service.

It reads what the archiver heard of each municipality (/run/vaern-archiver/<code>.json) and what this host says of
itself, holds both against /etc/vaern/collector/collector.json, and writes every change to /var/lib/vaern/alarms and to
the journal with priority alert. Each change is an event in the municipality's own topic too. What is open now is in
/run/vaern-alarms/open.json, for `vaern status`. It reaches the broker of this host and no network.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.alarms.judging import Judgement, Memory, found_in_archive, heard_in, judge, moment, own
from vaern_programs.monitoring.alarms.log import SHARED, AlarmLog, Condition, Key, Record, changes
from vaern_programs.monitoring.alarms.telling import Teller, producer
from vaern_programs.shared.collector_paths import REPORTS, SETTINGS
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.systemd import alarm, notify, say
from vaern_programs.shared.times import stamp, utc

WATCHED = Path("/etc/vaern/watch/watch.json")
HEARTBEATS = Path("/var/lib/vaern-watch/heartbeat.jsonl")
ALARMS = Path("/var/lib/vaern/alarms")
MEMORY = Path("/var/lib/vaern-alarms/memory.json")
TOLD = Path("/var/lib/vaern-alarms/told.json")
OPEN = Path("/run/vaern-alarms/open.json")
TEXTS = Path(__file__).with_name("texts.json")
LOOK_SECONDS = 1.0
KEEP_SECONDS = 10.0
FORGET_SECONDS = 3600.0
LINE_BYTES = 65536
DAY = 86400
NOTICE = 5


class AlarmService:
    """What is known, and the alarms that are open."""

    def __init__(self) -> None:
        """Take up where the last one stopped. Raises OSError."""
        self.log = AlarmLog(ALARMS)
        self.memory = Memory(**read_json(MEMORY, {}))
        self.texts = read_json(TEXTS, {})
        self.teller = Teller(self.log, TOLD, own_name(), producer)
        self.kept = time.monotonic()
        self.forgotten = -FORGET_SECONDS
        self.stopping = False

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopping:
            self.look(time.time())
            notify("READY=1\nWATCHDOG=1")
            time.sleep(LOOK_SECONDS)
        self.teller.close()
        self.keep()

    def look(self, now: float) -> None:
        """Judge everything once, write what changed, and say what is open."""
        settings = read_json(SETTINGS, None)
        if settings is None:
            return
        began = {key: moment(record["since"], now) for key, record in self.log.open.items()}
        reports = {tenant["code"]: archive_report(tenant["code"]) for tenant in settings["tenants"]}
        judgement = judge(self.memory, heard_in(reports), settings, began, now)
        judgement.conditions |= found_in_archive(reports)
        self.shared(judgement, {tenant["code"] for tenant in settings["tenants"]}, settings, now)
        raised, cleared = changes(self.log.open, judgement.conditions, judgement.unknown)
        for key, condition in sorted(raised.items()):
            self.write(self.raised(key, condition, now))
        for key in cleared:
            self.write({**self.log.open[key], "time": stamp(now), "state": "cleared"})
        said = {"time": stamp(now), "alarms": [self.log.open[key] for key in sorted(self.log.open)]}
        replace(OPEN, json.dumps(said, ensure_ascii=False))
        self.teller.look(settings["tenants"], time.monotonic())
        if time.monotonic() - self.forgotten > FORGET_SECONDS:
            self.forget(settings["tenants"], now)
        if time.monotonic() - self.kept > KEEP_SECONDS:
            self.keep()

    def shared(self, judgement: Judgement, codes: set[str], settings: Any, now: float) -> None:
        """The host of the collector itself: its heartbeat is a file, and its age is that of the last line."""
        watched = read_json(WATCHED, None)
        if watched is None:
            return
        host, limit = watched["host"], settings["alarms"]["heartbeat_seconds"]
        heartbeat = last_line(HEARTBEATS)
        at = moment(heartbeat.get("time"), 0.0)
        if now - at > limit:
            since = max(at, self.memory.counting.setdefault(SHARED, now))
            if now - since > limit:
                judgement.conditions[Key(SHARED, "heartbeat", host)] = Condition(since, round(now - since), limit)
            judgement.unknown |= {key for key in self.log.open if key.municipality == SHARED or key.kind == "tunnel"}
            return
        self.memory.counting[SHARED] = at
        peers = {peer["name"]: peer["municipality"] for peer in watched["tunnel"]["peers"]}
        judgement.conditions |= own(host, heartbeat, peers, codes)

    def raised(self, key: Key, condition: Condition, now: float) -> Record:
        """The record of a new alarm, with its text in both languages."""
        texts = self.texts.get(f"{key.kind} unknown") if condition.value is None else None
        words = {
            "subject": key.subject,
            "since": utc(condition.since).strftime("%Y-%m-%d %H:%M:%S UTC"),
            "value": f"{condition.value:g}" if condition.value is not None else "?",
            "limit": f"{condition.limit:g}",
            "minutes": f"{condition.limit / 60:g}",
        }
        return {
            "time": stamp(now),
            "municipality": key.municipality,
            "kind": key.kind,
            "subject": key.subject,
            "state": "raised",
            "since": stamp(condition.since),
            "value": condition.value,
            "limit": condition.limit,
            "text": {language: text.format(**words) for language, text in (texts or self.texts[key.kind]).items()},
        }

    def write(self, record: Record) -> None:
        """One change: on the disk, then in the journal."""
        self.teller.take(self.log.append(record))
        told = f"{record['municipality']}: {record['text']['en']}"
        if record["state"] == "raised":
            alarm(told)
        else:
            say(NOTICE, f"Over: {told}")

    def forget(self, tenants: list[dict[str, Any]], now: float) -> None:
        """Alarms are kept as long as the events of their municipality; those of shared hosts as long as any."""
        self.forgotten = time.monotonic()
        kept = {tenant["code"]: tenant["retention_days"] for tenant in tenants}
        if kept:
            kept[SHARED] = max(kept.values())
        for municipality, days in kept.items():
            self.log.forget(municipality, stamp(now - days * DAY))

    def keep(self) -> None:
        """Write the memory down."""
        self.kept = time.monotonic()
        replace(MEMORY, json.dumps(asdict(self.memory), ensure_ascii=False))

    def stop(self, *_: object) -> None:
        """End after this look; a signal handler."""
        self.stopping = True


def archive_report(code: str) -> dict[str, Any]:
    """What the archiver says of a municipality now; nothing when it says nothing."""
    found = read_json(REPORTS / f"{code}.json", {})
    return found if isinstance(found, dict) else {}


def own_name() -> str:
    """The name of this host in the inventory, else its own."""
    return str(read_json(WATCHED, {}).get("host") or socket.gethostname().partition(".")[0].lower())


def last_line(path: Path) -> dict[str, Any]:
    """The last complete line of a file of JSON, empty when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LINE_BYTES))
            found = json.loads(file.read().rpartition(b"\n")[0].rpartition(b"\n")[2])
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and isinstance(found.get("findings"), list) else {}


def main(_: list[str]) -> int:
    """Run as a service."""
    os.umask(0o027)
    service = AlarmService()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, service.stop)
    service.run()
    return 0
