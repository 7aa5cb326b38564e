"""One worker for each municipality: real processes that end, die and hang, and never stop another."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from vaern_programs.collector.archive import workers as module
from vaern_programs.collector.archive.alarms import Alarms
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.workers import Workers

LIVE = "import os, time\nwhile True: os.write(1, b'\\n'); time.sleep(0.02)"
TOPICS = frozenset({"logs.0710"})


class Bench:
    """Workers that run a line of Python, by code."""

    def __init__(self) -> None:
        self.programs: dict[str, str] = {}
        self.started: list[tuple[str, bool, set[Place]]] = []
        self.workers = Workers(Alarms(), self.start)
        self.now = 0.0

    def start(self, code: str, _: frozenset[str], *, safe: bool, skipped: set[Place]) -> tuple[int, int]:
        self.started.append((code, safe, set(skipped)))
        reading, writing = os.pipe()
        process = subprocess.Popen([sys.executable, "-I", "-S", "-c", self.programs[code]], stdout=writing)
        process.returncode = 0  # Workers waits for it, and nobody else is to.
        os.close(writing)
        return process.pid, reading

    def until(self, holds: Callable[[], Any], step: float = 0.0) -> None:
        """Look until something holds. `step` passes for the workers at each look while one of them is not running.

        While all run it does not: on a busy machine one that only begins would hang by their clock.
        """
        limit = time.monotonic() + 120
        while not holds():
            assert time.monotonic() < limit
            self.now += step if self.workers.wanted.keys() - self.workers.running.keys() else 0.0
            self.workers.look(self.now)
            time.sleep(0.01)


@pytest.fixture
def bench() -> Iterator[Bench]:
    made = Bench()
    yield made
    made.workers.stop(0.0)


def test_one_that_dies_is_started_again_in_a_while_and_others_go_on(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    bench.programs = {
        "0710": "import os; os.write(1, b'[\"logs.0710\", 0, 7, 9]\\n'); os.kill(os.getpid(), 6)",
        "0751": LIVE,
    }
    bench.workers.wanted = {"0710": TOPICS, "0751": frozenset({"logs.0751"})}
    bench.until(lambda: bench.workers.restarts.get("0710") and bench.workers.restarts["0710"].safe)
    other = bench.workers.running["0751"].process
    assert bench.started == [("0710", False, set()), ("0751", False, set())]
    assert "0710: its worker was ended by SIGABRT" in capfd.readouterr().err
    bench.until(lambda: bench.workers.restarts["0710"].skipped, step=0.5)
    assert bench.started[-1][:2] == ("0710", True)
    assert bench.workers.restarts["0710"].skipped == {Place("logs.0710", 0, 7, 9)}
    assert bench.workers.running["0751"].process == other
    assert [code for code, *_ in bench.started].count("0751") == 1


def test_one_that_hangs_is_ended(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    bench.programs = {"0710": "import time; time.sleep(60)"}
    bench.workers.wanted = {"0710": TOPICS}
    bench.until(lambda: bench.workers.running)
    bench.now += module.HANG_SECONDS + 1
    bench.until(lambda: not bench.workers.running)
    assert "its worker did not go on for 60 s" in capfd.readouterr().err
    assert bench.workers.restarts["0710"].safe


def heard(bench: Bench) -> bool:
    """Whether the worker has said something, at a later look than the one that started it."""
    one = bench.workers.running.get("0710")
    return one is not None and one.last_sign > one.started


def hear(bench: Bench) -> None:
    """Wait until the worker has said something."""
    bench.until(lambda: bench.workers.running)
    bench.now += 1
    bench.until(lambda: heard(bench))


def test_one_with_another_topic_starts_anew_and_one_that_is_gone_ends(bench: Bench) -> None:
    bench.programs = {
        "0710": "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); print(flush=True)\n" + LIVE
    }
    bench.workers.wanted = {"0710": TOPICS}
    hear(bench)
    first = bench.workers.running["0710"].process
    bench.workers.wanted = {"0710": TOPICS | {"logs.0710.health"}}
    bench.until(lambda: bench.workers.running.get("0710") and bench.workers.running["0710"].process != first)
    assert bench.started[-1] == ("0710", False, set())
    hear(bench)
    bench.workers.wanted = {}
    bench.until(lambda: not bench.workers.running)


def test_a_worker_that_cannot_be_started_is_an_alarm(bench: Bench, capfd: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> tuple[int, int]:
        raise BlockingIOError("no more processes")

    bench.workers.start = fail
    bench.workers.wanted = {"0710": TOPICS}
    bench.workers.look(0.0)
    assert "0710: no worker can be started: no more processes" in capfd.readouterr().err
    assert bench.workers.restarts["0710"].start_at == 1.0


@pytest.mark.parametrize(("code", "text"), [(3, "cannot be read"), (1, "exit code 1"), (-signal.SIGKILL, "SIGKILL")])
def test_how_a_worker_ended_is_said(code: int, text: str) -> None:
    assert text in module.how(code)
