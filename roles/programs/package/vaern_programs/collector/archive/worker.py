"""A process that archives one municipality, with bounds of its own: what goes wrong in it ends this process alone.

It is forked from the archiver, with memory that it cannot exceed, and says now and then through a pipe that it goes on
and which batch it tries. How it ended decides how the next one reads (restarts.py).
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from vaern_programs.collector.archive.archiver import Archiver
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.reading import DamagedError, FastReader
from vaern_programs.collector.archive.safe_reading import Broker, SafeReader
from vaern_programs.shared.systemd import say

MEMORY_BYTES = 256 * 2**20
"""Of one worker, without the programs and libraries that all share. One that keeps up takes 45 MB."""
SAFE_SECONDS = 60.0
"""So long after the last batch that could not be read, reading goes on as usual, also when much is left to read."""
ALIVE_SECONDS = 1.0
ENDED_WELL, FAILED, DAMAGED = 0, 1, 3
"""Exit codes: done or told to stop; an error; something to be read batch by batch."""
ENDING = (signal.SIGTERM, signal.SIGINT)
WARNING, ERROR = 4, 3


class Speaker:
    """The worker's end of the pipe; never waits for whoever listens."""

    def __init__(self, pipe: int) -> None:
        """`pipe` is where to write."""
        os.set_blocking(pipe, False)
        self.pipe = pipe
        self.spoken = 0.0

    def alive(self) -> None:
        """It goes on."""
        if time.monotonic() - self.spoken >= ALIVE_SECONDS:
            self._write(b"\n")

    def tries(self, place: Place) -> None:
        """It is about to unpack that batch."""
        self._write(json.dumps(place).encode() + b"\n")

    def _write(self, line: bytes) -> None:
        self.spoken = time.monotonic()
        with suppress(BlockingIOError):
            os.write(self.pipe, line)


def fork(code: str, topics: Collection[str], *, safe: bool, skipped: Collection[Place]) -> tuple[int, int]:
    """Start a worker; its process and the end of the pipe to read from. Raises OSError.

    Args:
        code: of the municipality.
        topics: those of it that the broker has.
        safe: whether to read batch by batch.
        skipped: batches to leave unread then.
    """
    gc.collect()
    gc.freeze()
    reading, writing = os.pipe()
    # A worker must not be asked to end while it still has the handlers of the one that forks.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        process = os.fork()
        if not process:
            _become_worker(code, topics, writing, safe=safe, skipped=skipped)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(writing)
    return process, reading


def _become_worker(
    code: str, topics: Collection[str], pipe: int, *, safe: bool, skipped: Collection[Place]
) -> NoReturn:
    status = FAILED
    try:
        for number in ENDING:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
        os.closerange(3, pipe)
        os.closerange(pipe + 1, os.sysconf("SC_OPEN_MAX"))
        status = work(code, topics, Speaker(pipe), safe=safe, skipped=skipped)
    finally:
        with suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


def work(code: str, topics: Collection[str], speaker: Speaker, *, safe: bool, skipped: Collection[Place]) -> int:
    """Archive until told to stop; the exit code."""
    bound()
    try:
        archiver = Archiver(code, topics)
        for number in ENDING:
            signal.signal(number, archiver.stop)
        if safe:
            _safely(archiver, speaker, skipped)
        else:
            archiver.run(FastReader(), speaker.alive, lambda: False)
    except DamagedError as error:
        say(WARNING, f"{code}: is read batch by batch from now on: {error}")
        return DAMAGED
    except (OSError, MemoryError) as error:
        say(ERROR, f"{code}: {type(error).__name__}: {error}")
        return FAILED
    except Exception:  # noqa: BLE001 - whatever it is, it ends this worker alone
        # Anything else is a fault of this program, and only its place in the program tells which.
        traceback.print_exc()
        return FAILED
    return ENDED_WELL


def _safely(archiver: Archiver, speaker: Speaker, skipped: Collection[Place]) -> None:
    """Read batch by batch until all has been read, or nothing was wrong for a while."""
    found_at = time.monotonic()

    def quarantine(place: Place, reason: str, content: bytes) -> None:
        nonlocal found_at
        found_at = time.monotonic()
        archiver.skip(place, reason, content)

    reader = SafeReader(Broker(), speaker.tries, quarantine, skipped)
    archiver.run(
        reader,
        speaker.alive,
        lambda: (bool(reader.offsets) and reader.is_done()) or time.monotonic() - found_at > SAFE_SECONDS,
    )


def bound() -> None:
    """Set the bounds of this process."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with suppress(OSError):
        # When the whole service has too little, the kernel ends a worker and not the one that starts them.
        Path("/proc/self/oom_score_adj").write_text("500", encoding="ascii")
