"""Archives every municipality in a process of its own; runs as vaern-archiver.service.

This process reads no event. It asks the broker which topics there are, starts a worker for each municipality, and
starts another when one has ended, died, or does not go on any more: after a pause that grows, and reading batch by
batch. So nothing that one municipality sends can stop the others.
"""

from __future__ import annotations

import json
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.capacity import leftovers
from vaern_programs.collector.archive.reading import ANSWER_SECONDS, USER
from vaern_programs.collector.archive.report import LEFTOVERS
from vaern_programs.collector.archive.segments import code_of
from vaern_programs.collector.archive.workers import Workers
from vaern_programs.collector.kafka.broker import Broker
from vaern_programs.collector.kafka.failure import BrokerError
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.files import replace
from vaern_programs.shared.local_broker import ADDRESS, credential
from vaern_programs.shared.systemd import notify

TOPICS_SECONDS = 2.0
LEFTOVERS_SECONDS = 600.0
LOOK_SECONDS = 0.5
STOP_SECONDS = 20.0


class Supervisor:
    """The workers, and which topics they are for."""

    def __init__(self) -> None:
        """Nothing is started before `run`."""
        self.alarms = Alarms()
        self.workers = Workers(self.alarms)
        self.broker: Broker | None = None
        self.stopping = False

    def run(self) -> None:
        """Work until SIGTERM. What is wrong with settings or archive is an alarm, and is looked at again."""
        topics_at = leftovers_at = 0.0
        while not self.stopping:
            now = time.monotonic()
            try:
                if now >= topics_at:
                    topics_at = now + TOPICS_SECONDS
                    self.find_topics()
                if now >= leftovers_at:
                    replace(LEFTOVERS, json.dumps(leftovers(settings())), durable=False)
                    leftovers_at = now + LEFTOVERS_SECONDS
            except (OSError, ValueError) as error:
                self.alarms.raise_alarm("settings", f"The archiver goes on as it was: {error}")
            self.workers.look(time.monotonic())
            select.select(self.workers.pipes(), [], [], LOOK_SECONDS)
        self.workers.stop(STOP_SECONDS)

    def stop(self, *_: object) -> None:
        """Have the workers write what is in memory, and end; a signal handler."""
        self.stopping = True

    def find_topics(self) -> None:
        """Say which topics of which municipality are to be archived; those the broker had last while it is away.

        Raises OSError, ValueError when the settings cannot be read.
        """
        try:
            if self.broker is None:
                self.broker = Broker(ADDRESS, f"local.{USER}", credential(), ANSWER_SECONDS)
            names = self.broker.topics()
        except BrokerError as error:
            self.broker = None
            self.alarms.raise_alarm("broker", f"The broker does not answer: {error}")
            return
        archive = Path(settings()["archive"]["directory"])
        wanted: dict[str, set[str]] = {}
        for name in names:
            code = code_of(name)
            if code is None:
                continue
            if (archive / code).is_dir():
                wanted.setdefault(code, set()).add(name)
            else:
                self.alarms.raise_alarm(name, f"{name} has no directory in the archive; its events wait in the broker")
        self.workers.wanted = {code: frozenset(topics) for code, topics in wanted.items()}


def settings() -> dict[str, Any]:
    """The settings as they are now. Raises OSError, ValueError."""
    found: dict[str, Any] = json.loads(SETTINGS.read_text(encoding="utf-8"))
    return found


def main(_: list[str]) -> int:
    """Run as a service."""
    os.umask(0o027)
    supervisor = Supervisor()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, supervisor.stop)
    notify("READY=1")
    supervisor.run()
    return 0
