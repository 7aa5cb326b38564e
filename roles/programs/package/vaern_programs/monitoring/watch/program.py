"""Looks at its host every few seconds, and reports what it found in a heartbeat; runs as vaern-watch.service.

A heartbeat is one line of JSON: {"host", "time", "readings": {...}, "findings": [{kind, subject, value, limit,
since}]}, and of a relay `unknown_senders` and `dropped_by_firewall`. It travels as an event of the host's own source:
numbered, spooled and encrypted like every other. What opens and closes is also in the journal, with priority alert, for
a host whose heartbeats reach nobody.
"""

from __future__ import annotations

import json
import signal
import sys
import time
from pathlib import Path
from typing import Any

from vaern_programs.monitoring.paths import WATCH_SETTINGS
from vaern_programs.monitoring.watch import findings, host, readings, sending
from vaern_programs.monitoring.watch.firewall import Drops
from vaern_programs.monitoring.watch.strangers import Strangers
from vaern_programs.shared.files import read_json
from vaern_programs.shared.path_state import LEAST
from vaern_programs.shared.systemd import alarm, say
from vaern_programs.shared.times import stamp

DECLARED = Path("/var/lib/vaern-watch/peers.json")
WARNING, NOTICE = 4, 5


class Watch:
    """One host and what is known about it."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Nothing is looked at yet."""
        self.settings = settings
        self.limits: dict[str, float] = settings["limits"]
        self.held = findings.Held(self.limits["hold_seconds"])
        self.counted: readings.Counters | None = None
        self.dropped: dict[str, int] = {}
        self.killed: int | None = None
        self.evicted: int | None = None
        self.clock_known = time.monotonic()
        self.names_known = time.monotonic()
        self.strangers = Strangers()
        self.drops = Drops()

    def look(self) -> dict[str, Any]:
        """One look: the heartbeat to send."""
        now, monotonic = time.time(), time.monotonic()
        seen: dict[str, Any] = {}
        bad: dict[findings.Subject, findings.Bad] = {}
        for part in (self.clock, self.certificates, self.tunnel, self.storage, self.datagrams, self.names):
            bad |= part(seen, now)
        opened, closed = self.held.look(bad, now, monotonic)
        for subject in opened:
            reading = bad[subject]
            what = f"{subject.kind} {subject.name}".strip()
            alarm(f"{what}: {reading.value}, limit {reading.limit:g}")
        for subject in closed:
            say(NOTICE, f"Over: {subject.kind} {subject.name}".rstrip())
        heartbeat = {
            "host": self.settings["host"],
            "time": utc(now),
            "readings": seen,
            "findings": self.held.report(utc),
        }
        return heartbeat | self.unknown_senders(monotonic) | self.dropped_by_firewall(monotonic, now)

    def unknown_senders(self, now: float) -> dict[str, Any]:
        """Of a relay, who sends and is not declared; nothing where that is not counted."""
        if self.counted is None or self.counted.undeclared is None:
            return {}
        return {"unknown_senders": self.strangers.look(self.counted.undeclared, self.counted.uncounted, now)}

    def dropped_by_firewall(self, monotonic: float, now: float) -> dict[str, Any]:
        """Of a relay, whom its firewall drops where logs come in; nothing where that is not counted."""
        found = host.dropped_senders() if self.settings["spool"]["directory"] else None
        if found is None:
            return {}
        packets = host.firewall_counter("strangers")
        return {"dropped_by_firewall": self.drops.look(found, packets, monotonic, now)}

    def clock(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """The clock against its time sources. A daemon that has just begun to ask is given the time to."""
        if not self.settings["clock"]:
            return {}
        error = readings.clock_error(host.answer("chronyc", "-n", "-c", "sources"))
        seen["clock_seconds"] = error
        if error is not None:
            self.clock_known = time.monotonic()
        elif time.monotonic() - self.clock_known < self.limits["hold_seconds"]:
            return {}
        return findings.clock(error, self.limits)

    def certificates(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """The certificates of this host."""
        found = {Path(path).name: host.certificate(path) for path in self.settings["certificates"]}
        seen["certificate_days"] = {name: one and round((one.ends - now) / 86400, 1) for name, one in found.items()}
        return findings.certificates(found, now, self.limits)

    def tunnel(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """The peers this host should hear from."""
        declared = self.settings["tunnel"]
        if not declared["peers"]:
            return {}
        last = readings.handshakes(host.answer("wg", "show", declared["interface"], "latest-handshakes"))
        peers = {peer["name"]: peer["public_key"] for peer in declared["peers"]}
        ages = {name: round(now - last[key]) if last.get(key) else None for name, key in peers.items()}
        seen["handshake_seconds"] = ages
        silent = findings.tunnels(last, peers, self.declared(peers, now), now, self.limits)
        if not host.follows_path():
            return silent
        seen["path_bytes"] = passed = host.path_bytes()
        heard = [name for name in peers if ages[name] is not None and findings.Subject("tunnel", name) not in silent]
        return silent | findings.paths(passed, heard, LEAST)

    def declared(self, peers: dict[str, str], now: float) -> dict[str, float]:
        """Since when each peer is declared; kept over a restart, so that an alarm does not end by one."""
        known: dict[str, float] = read_json(DECLARED, {})
        since = {name: known.get(name, now) for name in peers}
        if since != known:
            DECLARED.write_text(json.dumps(since), encoding="utf-8")
        return since

    def storage(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """Spool, queues and counters of a relay."""
        bounds = self.settings["spool"]
        if not bounds["directory"]:
            return {}
        # A file of counters that was just moved aside says nothing; what was known before still holds.
        before, self.counted = self.counted, host.counters() or self.counted
        spool = readings.percent(host.undelivered(Path(bounds["directory"])), bounds["max_bytes"])
        queues = host.queue_shares(
            Path(bounds["directory"], "queue"), {one["name"]: one["max_bytes"] for one in bounds["queues"]}
        )
        seen |= {"spool_percent": spool, "queue_percent": queues}
        seen["discarded"] = self.counted and self.counted.discarded
        seen["overflowed"] = self.counted and self.counted.overflowed
        seen["framing"] = self.counted and self.counted.framing
        killed, self.killed = self.killed, host.killed()
        seen["killed_events"] = self.killed
        counted = findings.discards(before, self.counted) | findings.framing(before, self.counted)
        counted |= findings.killed(killed, self.killed)
        fits, unread, gone = host.unread(Path(bounds["directory"], "unread"))
        seen["unread_bytes"] = unread
        counted |= findings.evicted(self.evicted, gone) | findings.unread(fits=fits, waiting_bytes=unread)
        self.evicted = gone
        return findings.storage(spool, queues, self.limits) | counted

    def datagrams(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """What came by UDP and was not taken in. No program can count it but the kernel."""
        ports = self.settings["datagram_ports"]
        if not ports:
            return {}
        before, counted = self.dropped, host.datagrams_dropped(ports)
        self.dropped = before | counted
        seen["datagrams_dropped"] = sum(self.dropped.values())
        return findings.datagrams(before, counted)

    def names(self, seen: dict[str, Any], now: float) -> dict[findings.Subject, findings.Bad]:
        """The sources that are declared by their DNS name. Whoever looks them up is given the time to begin."""
        if not host.looks_up_names():
            self.names_known = time.monotonic()
            return {}
        good = host.names_good()
        seen["name_minutes"] = good and {source: round((now - at) / 60) for source, at in good.items()}
        if good is not None:
            self.names_known = time.monotonic()
        elif time.monotonic() - self.names_known < host.PATH_SECONDS:
            return {}
        return findings.names(good, now)

    def send(self, heartbeat: dict[str, Any]) -> None:
        """Send it. One that cannot be sent is not kept: the next reports the same and more. Raises OSError."""
        line, output = json.dumps(heartbeat, separators=(",", ":")), self.settings["output"]
        if output["mode"] == "file":
            sending.to_file(line)
        else:
            name = self.settings["host"]
            sending.to_relay(sending.as_syslog(line, name, output["source"], heartbeat["time"]), output)


def utc(seconds: float) -> str:
    """A Unix time as a heartbeat has it, to the second."""
    return stamp(seconds, "seconds")


def main(_: list[str]) -> int:
    """Look and report until stopped."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = json.loads(WATCH_SETTINGS.read_text(encoding="utf-8"))
    watch = Watch(settings)
    while True:
        began = time.monotonic()
        heartbeat = watch.look()
        try:
            watch.send(heartbeat)
        except OSError as error:
            say(WARNING, f"The heartbeat was not taken: {error}")
        time.sleep(max(0.1, settings["interval_seconds"] - (time.monotonic() - began)))
