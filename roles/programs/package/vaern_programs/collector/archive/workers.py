"""The workers of all municipalities: starts them, listens to them, and notices when one has ended or hangs."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.restarts import Restarts
from vaern_programs.collector.archive.worker import DAMAGED, ENDED_WELL, fork
from vaern_programs.shared.systemd import say

HANG_SECONDS = 60.0
"""A worker that was not heard for so long is ended."""
PIPE_BYTES = 65536
NOTICE = 5


@dataclass
class Running:
    """One worker that runs."""

    process: int
    pipe: int
    topics: frozenset[str]
    started: float
    last_sign: float
    """When it said something last, on a clock that never goes back."""
    tried: Place | None = None
    """The batch that it announced last."""
    rest: bytes = b""
    """The beginning of a line."""
    ending: bool = False
    """Whether it has been asked to end."""


class Workers:
    """One worker for each municipality that is wanted. `start` starts one, as worker.fork does."""

    def __init__(self, alarms: Alarms, start: Callable[..., tuple[int, int]] = fork) -> None:
        """None yet."""
        self.alarms, self.start = alarms, start
        self.wanted: dict[str, frozenset[str]] = {}
        """Code to topics; a municipality that is not in it any more has no worker."""
        self.running: dict[str, Running] = {}
        self.restarts: dict[str, Restarts] = {}

    def pipes(self) -> list[int]:
        """What to wait for."""
        return [one.pipe for one in self.running.values()]

    def look(self, now: float) -> None:
        """Bring the workers to what is wanted; `now` is on a clock that never goes back."""
        for code, one in list(self.running.items()):
            self._read_pipe(one, now)
            if not self._ended(code, one, now):
                self._end(code, one, now)
        for code, topics in self.wanted.items():
            restarts = self.restarts.setdefault(code, Restarts())
            if code not in self.running and now >= restarts.start_at:
                self._start(code, topics, restarts, now)

    def stop(self, seconds: float) -> None:
        """Ask all to end, and kill those that have not after so many seconds."""
        self.wanted = {}
        limit = time.monotonic() + seconds
        while self.running:
            now = time.monotonic()
            if now > limit:
                for one in self.running.values():
                    _kill(one.process, signal.SIGKILL)
            self.look(now)
            time.sleep(0.02)

    def _start(self, code: str, topics: frozenset[str], restarts: Restarts, now: float) -> None:
        try:
            process, pipe = self.start(code, topics, safe=restarts.safe, skipped=restarts.skipped)
        except OSError as error:
            self.alarms.raise_alarm(f"{code} start", f"{code}: no worker can be started: {error}")
            restarts.ended(well=False, lived=0.0, tried=None, now=now)
            return
        os.set_blocking(pipe, False)
        self.running[code] = Running(process, pipe, topics, now, now)

    def _read_pipe(self, one: Running, now: float) -> None:
        with suppress(BlockingIOError):
            while content := os.read(one.pipe, PIPE_BYTES):
                one.last_sign = now
                *lines, one.rest = (one.rest + content).split(b"\n")
                places = [line for line in lines if line]
                if places:
                    one.tried = Place(*json.loads(places[-1]))

    def _end(self, code: str, one: Running, now: float) -> None:
        """End a worker that is not wanted as it is, or that hangs."""
        if now - one.last_sign > HANG_SECONDS:
            self.alarms.raise_alarm(f"{code} hangs", f"{code}: its worker did not go on for {HANG_SECONDS:.0f} s")
            _kill(one.process, signal.SIGKILL)
        elif self.wanted.get(code) != one.topics and not one.ending:
            one.ending = True
            _kill(one.process, signal.SIGTERM)

    def _ended(self, code: str, one: Running, now: float) -> bool:
        """Whether it has ended; then it is known when and how the next one starts."""
        process, status = os.waitpid(one.process, os.WNOHANG)
        if not process:
            return False
        self._read_pipe(one, now)
        os.close(one.pipe)
        del self.running[code]
        ended = os.waitstatus_to_exitcode(status)
        restarts = self.restarts[code]
        restarts.ended(well=ended == ENDED_WELL, lived=now - one.started, tried=one.tried, now=now)
        if ended != ENDED_WELL:
            self.alarms.raise_alarm(f"{code} worker", f"{code}: {how(ended)}; the other municipalities are archived")
        elif code in self.wanted:
            say(NOTICE, f"{code}: is read as usual again")
        return True


def how(ended: int) -> str:
    """How a worker ended, for people; `ended` is an exit code, or a signal's number with a minus."""
    if ended == DAMAGED:
        return "something that cannot be read is in its events, which are read batch by batch"
    if ended < 0:
        return f"its worker was ended by {signal.Signals(-ended).name}; its events are read batch by batch"
    return f"its worker ended with exit code {ended}; its events are read batch by batch"


def _kill(process: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, number)
