"""Raises an alarm when something is silent or about to be, and clears it; runs as vaern-alarms.service.

It reads what the archiver reports of each municipality (/run/vaern-archiver/<code>.json, and of the lines of its
sources <code>.sources.json), how the ledger fares (/run/vaern-ledger/health.json), whether people can be told
(/run/vaern-notify/health.json) and what this host reports of itself, and compares these with
/etc/vaern/collector/collector.json. Every change is written to /var/lib/vaern/alarms, to the journal with priority
alert, and to the municipality's own topic as an event. /run/vaern-alarms/open.json lists what is open now, who sends
to relays undeclared and whom their firewalls drop, for `vaern status`, and sources.json how each source was judged. It
reaches the broker of this host and no network.
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

from vaern_programs.monitoring.alarms.channels import conditions_of_channels
from vaern_programs.monitoring.alarms.events import Publisher, producer
from vaern_programs.monitoring.alarms.heartbeats import HostReport, conditions_of_hub, from_line
from vaern_programs.monitoring.alarms.judging import Judgement, Look, judge
from vaern_programs.monitoring.alarms.log import AlarmLog, Condition, Key, Record, changes
from vaern_programs.monitoring.alarms.memory import Memory
from vaern_programs.monitoring.alarms.pace import Pace
from vaern_programs.monitoring.alarms.records import raised_record
from vaern_programs.monitoring.alarms.sources import SourceAlarms, Taken, Words
from vaern_programs.monitoring.paths import ALARMS, NOTIFY_HEALTH, NOTIFY_SETTINGS, WATCH_SETTINGS
from vaern_programs.shared import health, observed
from vaern_programs.shared.collector_paths import REPORTS, SETTINGS
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import HEARTBEAT_FILE, SHARED
from vaern_programs.shared.systemd import alarm, notify, say
from vaern_programs.shared.times import stamp, unix_or

HEARTBEATS = Path(HEARTBEAT_FILE)
MEMORY = Path("/var/lib/vaern-alarms/memory.json")
PUBLISHED = Path("/var/lib/vaern-alarms/told.json")
OPEN = Path("/run/vaern-alarms/open.json")
JUDGED = Path("/run/vaern-alarms/sources.json")
VOLUMES = Path("/var/lib/vaern-alarms")
JUDGED_SECONDS = 5.0
TEXTS = Path(__file__).with_name("texts.json")
LOOK_SECONDS = 1.0
KEEP_SECONDS = 10.0
FORGET_SECONDS = 3600.0
LINE_BYTES = 65536
DAY = 86400
SAY_AGAIN_SECONDS = 60.0
WARNING, NOTICE = 4, 5


class AlarmService:
    """What is known, and the alarms that are open."""

    def __init__(self) -> None:
        """Take up where the last one stopped. Raises OSError."""
        self.log = AlarmLog(ALARMS)
        self.memory = Memory.restored(read_json(MEMORY, {}))
        self.texts = read_json(TEXTS, {})
        self.publisher = Publisher(self.log, PUBLISHED, own_name(), producer)
        self.kept = time.monotonic()
        self.forgotten = -FORGET_SECONDS
        self.pace = Pace()
        self.said: dict[str, float] = {}
        self.sources: SourceAlarms | None = None
        self.limits: Any = None
        """Settings that `sources` was made with."""
        self.observed: dict[str, tuple[int, Taken | None]] = {}
        """Code to when the archiver's file of its sources was written, and what it says."""
        self.words: dict[str, Words] = {}
        self.judged = -JUDGED_SECONDS
        self.started = time.time()
        if self.log.damaged:
            say(WARNING, f"{self.log.damaged} lines in {ALARMS} are no records of alarms; they are left out")
        self.stopping = False

    def run(self) -> None:
        """Look until stopped."""
        while not self.stopping:
            self.look(time.time())
            notify("READY=1\nWATCHDOG=1")
            time.sleep(LOOK_SECONDS)
        self.publisher.close()
        self.keep()

    def look(self, now: float) -> None:
        """Judge everything once, write what changed, and say what is open."""
        settings = read_json(SETTINGS, None)
        if settings is None:
            return
        opened = {key: unix_or(record.get("since"), now) for key, record in self.log.open.items()}
        archive = {tenant["code"]: read_json(REPORTS / f"{tenant['code']}.json", {}) for tenant in settings["tenants"]}
        seen = {tenant["code"]: self.seen(tenant["code"]) for tenant in settings["tenants"]}
        look = Look(archive, settings, opened, now, health.read(), self.started, self.sources_by(settings), seen)
        judgement = judge(self.memory, look)
        for code, fault in judgement.faults.items():
            self.say_fault(code, f"cannot be judged: {fault}")
        self.shared(judgement, {tenant["code"] for tenant in settings["tenants"]}, settings, now)
        judgement.conditions |= conditions_of_channels(
            read_json(NOTIFY_SETTINGS, None), read_json(NOTIFY_HEALTH, None), self.started, now
        )
        for code in self.pace.exceeded(time.monotonic()):
            judgement.conditions[Key(code, "unsteady", code)] = Condition(now)
        self.write_changes(judgement, now)
        open_now = {
            "time": stamp(now),
            "alarms": [self.log.open[key] for key in sorted(self.log.open)],
            "unknown_senders": judgement.unknown_senders,
            "dropped_by_firewall": judgement.dropped_by_firewall,
        }
        replace(OPEN, json.dumps(open_now, ensure_ascii=False))
        if judgement.words != self.words or time.monotonic() - self.judged >= JUDGED_SECONDS:
            self.words, self.judged = judgement.words, time.monotonic()
            replace(JUDGED, json.dumps({"time": stamp(now), "municipalities": judgement.words}), durable=False)
        self.publisher.look(settings["tenants"], time.monotonic())
        if time.monotonic() - self.forgotten > FORGET_SECONDS:
            self.forget(settings["tenants"], now)
        if time.monotonic() - self.kept > KEEP_SECONDS:
            self.keep()

    def sources_by(self, settings: Any) -> SourceAlarms:
        """Who judges single sources; begun anew when the limits have changed."""
        if self.sources is None or self.limits != settings["alarms"]:
            self.sources, self.limits = SourceAlarms(settings, VOLUMES), settings["alarms"]
        self.sources.forget({tenant["code"] for tenant in settings["tenants"]})
        return self.sources

    def seen(self, code: str) -> Taken | None:
        """What the archiver tells of the sources of a municipality, read when it was written anew."""
        path = REPORTS / observed.name_of(code)
        try:
            written = path.stat().st_mtime_ns
        except OSError:
            return None
        if self.observed.get(code, (0, None))[0] != written:
            self.observed[code] = (written, observed.taken(read_json(path, None)))
        return self.observed[code][1]

    def write_changes(self, judgement: Judgement, now: float) -> None:
        """Raise and clear what has changed. What fails for one municipality is said, and tried again at the next look.

        A municipality that changes too much waits; that it does is an alarm, which does not wait.
        """
        raised, cleared = changes(self.log.open, judgement.conditions, judgement.unknown)
        for key in [*sorted(raised), *cleared]:
            waits = key.municipality != SHARED and key.kind != "unsteady"
            if waits and not self.pace.allows(key.municipality, time.monotonic()):
                continue
            try:
                if key in raised:
                    self.write(raised_record(self.texts, key, raised[key], now))
                else:
                    self.write({**self.log.open[key], "time": stamp(now), "state": "cleared"})
            except Exception as error:  # noqa: BLE001 whatever it is, the alarms of the others are written
                self.say_fault(key.municipality, f"an alarm of kind {key.kind} cannot be written: {error}")

    def say_fault(self, municipality: str, fault: str) -> None:
        """A line in the journal for whoever mends the service, at most once a minute for each municipality."""
        if time.monotonic() - self.said.get(municipality, -SAY_AGAIN_SECONDS) >= SAY_AGAIN_SECONDS:
            self.said[municipality] = time.monotonic()
            alarm("".join(letter for letter in f"{municipality}: {fault}" if letter.isprintable())[:500])

    def shared(self, judgement: Judgement, codes: set[str], settings: Any, now: float) -> None:
        """The host of the collector itself: its heartbeat is a file, and its age is that of the last line."""
        watched = read_json(WATCH_SETTINGS, None)
        if watched is None:
            return
        host, limit = watched["host"], settings["alarms"]["heartbeat_seconds"]
        report = last_heartbeat(HEARTBEATS)
        at = unix_or(report.time, 0.0)
        if now - at > limit:
            since = max(at, self.memory.counting.setdefault(SHARED, now))
            if now - since > limit:
                judgement.conditions[Key(SHARED, "heartbeat", host)] = Condition(since, round(now - since), limit)
            judgement.unknown |= {key for key in self.log.open if key.municipality == SHARED or key.kind == "tunnel"}
            return
        self.memory.counting[SHARED] = at
        peers = {peer["name"]: peer["municipality"] for peer in watched["tunnel"]["peers"]}
        judgement.conditions |= conditions_of_hub(host, report.findings, peers, codes)

    def write(self, record: Record) -> None:
        """One change: on the disk, then in the journal."""
        self.publisher.take(self.log.append(record))
        line = f"{record['municipality']}: {record['text']['en']}"
        if record["state"] == "raised":
            alarm(line)
        else:
            say(NOTICE, f"Over: {line}")

    def forget(self, tenants: list[dict[str, Any]], now: float) -> None:
        """Alarms are kept as long as the events of their municipality; those of shared hosts as long as any."""
        self.forgotten = time.monotonic()
        kept = {tenant["code"]: tenant["retention_days"] for tenant in tenants}
        if kept:
            kept[SHARED] = max(kept.values())
        for municipality, days in kept.items():
            try:
                self.log.forget(municipality, stamp(now - days * DAY))
            except OSError as error:
                self.say_fault(municipality, f"old alarms cannot be dropped: {error}")

    def keep(self) -> None:
        """Write the memory down."""
        self.kept = time.monotonic()
        replace(MEMORY, json.dumps(asdict(self.memory), ensure_ascii=False))

    def stop(self, *_: object) -> None:
        """End after this look; a signal handler."""
        self.stopping = True


def own_name() -> str:
    """The name of this host in the inventory, else its own."""
    return str(read_json(WATCH_SETTINGS, {}).get("host") or socket.gethostname().partition(".")[0].lower())


def last_heartbeat(path: Path) -> HostReport:
    """That in the last complete line of a file; without a time and findings when there is none."""
    try:
        with path.open("rb") as file:
            file.seek(max(0, path.stat().st_size - LINE_BYTES))
            return from_line(file.read().rpartition(b"\n")[0].rpartition(b"\n")[2])
    except (OSError, UnfitError):
        return HostReport("", [], 0)


def main(_: list[str]) -> int:
    """Run as a service."""
    os.umask(0o027)
    service = AlarmService()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, service.stop)
    service.run()
    return 0
