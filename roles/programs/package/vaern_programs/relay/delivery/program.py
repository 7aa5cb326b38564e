"""Sends what the relay has spooled to the collector; runs as vaern-delivery.service.

It reads only the spool: an event is stored once, however long the collector is away, and the position in each segment
is what the broker has acknowledged. So whatever this process holds in memory when it ends is read again.

Every ten seconds it writes its statistics, a line of JSON in /var/log/vaern-delivery/delivery.json: events
acknowledged and refused since `started`, `waiting_bytes` of the spool, `behind_seconds` since everything had been
acknowledged, and errors since it started. An error that waiting does not repair is an alarm in the journal, once a
minute.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from vaern_programs.relay.delivery.disk import Disk
from vaern_programs.relay.delivery.records import records_of, singles
from vaern_programs.relay.delivery.segments import CHUNK, Spool
from vaern_programs.relay.delivery.sending import Sender
from vaern_programs.relay.paths import SETTINGS, STATISTICS
from vaern_programs.relay.spool.collector import takes_blocks
from vaern_programs.shared.reports import DeliveryStatistics
from vaern_programs.shared.systemd import alarm
from vaern_programs.shared.times import now

STATISTICS_BYTES = 2**20
LOOK_SECONDS = 0.05
"""How often new lines are looked for, unless the settings say so: shorter than librdkafka waits for a batch."""
DENSE_SECONDS = 0.25
DENSE_BYTES = 64 * 1024
"""Where a look finds so much that is sent in blocks, the next one is when a block is full, at most that much later:
each costs the relay, the broker and the archiver the same however many lines it brings."""
TELL_SECONDS = 10.0
SAVE_SECONDS = 1.0
ALARM_SECONDS = 60.0
FINISH_SECONDS = 5.0
KEPT = "No event is delivered; none is dropped meanwhile."
ALARMS = {
    "key": f"The collector refuses the key of this relay. {KEPT}",
    "tls": f"No TLS with the collector, its certificate or ours is refused. {KEPT}",
    "topic": f"The collector lets this relay in but not into its topic. {KEPT}",
    "size": "The collector refuses an event as too large. It is kept; raise the limit of its topic.",
    "full": "The disk is full, and nothing is taken in until it is not: senders over TCP wait. Make room.",
    "disk": "How far delivery has come cannot be written down, the disk is full or broken. Events are delivered.",
}


class Delivery:
    """One run of the program."""

    def __init__(self, settings: dict[str, Any]) -> None:
        """Nothing is sent yet."""
        self.settings = settings
        self.spool = Spool(Path(settings["directory"]))
        self.blocks = False
        self.look_seconds = float(settings.get("look_seconds", LOOK_SECONDS))
        self.sender = Sender(settings, time.monotonic)
        self.started = now()
        self.stopped = False
        self.disk = Disk(self.spool.segments)
        self.tasks = {
            self.spool.save: SAVE_SECONDS,
            self.check_disk: SAVE_SECONDS,
            self.write_statistics: TELL_SECONDS,
            self.probe_broker: TELL_SECONDS,
            self.learn: SAVE_SECONDS,
        }
        self.due = dict.fromkeys(self.tasks, 0.0)
        self.reported: Counter[str] = Counter()
        self.alarmed: dict[str, float] = {}
        self.acknowledged = 0
        self.found, self.between = 0, 0.0
        """Bytes read since the last look, and seconds between that one and the look before it."""

    def run(self) -> None:
        """Until stopped: look for new lines, read, send, and handle acknowledgements."""
        looked, more = 0.0, False
        while not self.stopped:
            now = time.monotonic()
            if looking := now - looked >= self.pause():
                looked, self.between, self.found = now, now - looked, 0
                self.spool.look(now)
            if looking or more:
                more = self.sender.has_room and self.read()
            self.sender.poll(0 if more else LOOK_SECONDS)
            self.alarm(now)
            self.run_due_tasks(now)
        self.disk.resume()
        self.sender.finish(FINISH_SECONDS)
        self.attempt(self.spool.save)
        self.attempt(self.write_statistics)

    def pause(self) -> float:
        """Seconds from the last look to the next."""
        if not self.blocks or self.found < DENSE_BYTES:
            return self.look_seconds
        return max(self.look_seconds, min(DENSE_SECONDS, self.between * CHUNK / self.found))

    def read(self) -> bool:
        """Send a batch of each priority, and return whether there is more. A few lines wait until they are many."""
        more = False
        for segment in self.spool.turn():
            if text := segment.take():
                self.found += len(text)
                records = records_of(self.settings, text) if self.blocks else singles(self.settings, text)
                self.sender.send(segment.hand_out(len(records)), records)
                more = more or segment.more
        return more

    def run_due_tasks(self, now: float) -> None:
        """Run each periodic task that is due."""
        for task, seconds in self.tasks.items():
            if now >= self.due[task]:
                self.due[task] = now + seconds
                self.attempt(task)

    def attempt(self, task: Callable[[], None]) -> None:
        """Run a task and count a disk error: ending the program would deliver less, and send the same again."""
        try:
            task()
        except OSError:
            self.sender.reasons["disk"] += 1

    def check_disk(self) -> None:
        """Halt rsyslog while the disk has no room for the spool, and count that as a reason."""
        if self.disk.check():
            self.sender.reasons["full"] += 1

    def learn(self) -> None:
        """See whether the collector reads blocks, and this host can make them: until then, each event is a record.

        The library comes with the role, which runs after the programs were upgraded, or not if that run has died.
        """
        self.blocks = takes_blocks(self.settings) and find_spec("zstandard") is not None

    def probe_broker(self) -> None:
        """Request an answer from the broker when nothing was acknowledged since the last time."""
        if self.sender.acknowledged == self.acknowledged:
            self.sender.probe_broker(LOOK_SECONDS * 20)
        self.acknowledged = self.sender.acknowledged

    def alarm(self, now: float) -> None:
        """Raise an alarm for each new error, at most once a minute."""
        reasons = self.sender.reasons
        if reasons == self.reported:
            return
        for reason in reasons.keys() & ALARMS.keys():
            if reasons[reason] > self.reported[reason] and now >= self.alarmed.get(reason, 0.0):
                self.alarmed[reason] = now + ALARM_SECONDS
                alarm(ALARMS[reason])
        self.reported = reasons.copy()

    def write_statistics(self) -> None:
        """Add a line to the statistics; the older half of them is in a second file."""
        statistics: DeliveryStatistics = {
            "time": now(),
            "started": self.started,
            "acknowledged": self.sender.acknowledged,
            "refused": self.sender.refused,
            "waiting_bytes": self.spool.waiting(),
            "behind_seconds": round(time.monotonic() - self.spool.caught_up, 1),
            "errors": self.sender.reasons,
        }
        if STATISTICS.exists() and STATISTICS.stat().st_size > STATISTICS_BYTES:
            STATISTICS.replace(STATISTICS.with_suffix(".json.1"))
        with STATISTICS.open("a", encoding="ascii") as file:
            file.write(json.dumps(statistics) + "\n")

    def stop(self, *_: object) -> None:
        """Stop at the end of the round."""
        self.stopped = True


def main(_: list[str]) -> int:
    """Deliver until SIGTERM."""
    os.umask(0o007)  # The folders say who may read; their group may write too after going back a version.
    delivery = Delivery(json.loads(SETTINGS.read_text(encoding="utf-8")))
    signal.signal(signal.SIGTERM, delivery.stop)
    delivery.run()
    return 0
