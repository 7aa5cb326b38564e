"""A worker is a process of its own with bounds of its own, and says how it ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from vaern_programs.collector.archive import worker as module
from vaern_programs.collector.archive.quarantine import Place
from vaern_programs.collector.archive.reading import DamagedError
from vaern_programs.collector.archive.worker import DAMAGED, ENDED_WELL, FAILED, Speaker, fork


class Archiver:
    """Does what a test says, in the place of the real one."""

    does: Callable[[Any], None]

    def __init__(self, code: str, topics: Any) -> None:
        self.stopping = False

    def run(self, reader: object, alive: Callable[[], None], is_done: object) -> None:
        alive()
        type(self).does(self)

    def stop(self, *_: object) -> None:
        self.stopping = True


def fail(error: BaseException) -> Callable[[Any], None]:
    def does(_: Any) -> None:
        raise error

    return does


def until_stopped(archiver: Archiver) -> None:
    while not archiver.stopping:
        time.sleep(0.01)


def too_much(_: Any) -> None:
    os.environ["TOO_MUCH"] = str(len(bytearray(module.MEMORY_BYTES)))


def started(monkeypatch: pytest.MonkeyPatch, does: Callable[[Any], None]) -> tuple[int, int]:
    # A worker closes all files but the first three, and so what pytest has put in the place of this one.
    monkeypatch.setattr(sys, "stderr", sys.__stderr__)
    monkeypatch.setattr(module, "Archiver", Archiver)
    monkeypatch.setattr(module, "FastReader", object)
    monkeypatch.setattr(Archiver, "does", staticmethod(does), raising=False)
    return fork("0710", {"logs.0710"}, safe=False, skipped=())


def ended(process: int, pipe: int) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    os.close(pipe)
    return code


@pytest.mark.parametrize(
    ("does", "code"),
    [
        (lambda _: None, ENDED_WELL),
        (fail(DamagedError("logs.0710: damaged")), DAMAGED),
        (fail(OSError("disk")), FAILED),
        (fail(ValueError("a fault of the program")), FAILED),
        (too_much, FAILED),
    ],
)
def test_how_it_ends_is_its_exit_code(monkeypatch: pytest.MonkeyPatch, does: Callable[[Any], None], code: int) -> None:
    """With more memory than it may have, too."""
    assert ended(*started(monkeypatch, does)) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(monkeypatch: pytest.MonkeyPatch, number: signal.Signals) -> None:
    process, pipe = started(monkeypatch, until_stopped)
    assert os.read(pipe, 1) == b"\n"
    os.kill(process, number)
    assert ended(process, pipe) == ENDED_WELL


def test_one_that_is_told_to_before_it_has_begun_ends_too(monkeypatch: pytest.MonkeyPatch) -> None:
    process, pipe = started(monkeypatch, until_stopped)
    os.kill(process, signal.SIGTERM)
    assert ended(process, pipe) in {ENDED_WELL, -signal.SIGTERM}


def test_it_does_not_go_on_when_nobody_listens_any_more() -> None:
    """The one that started it has died; another must be able to write to the same files."""
    reading, writing = os.pipe()
    os.close(reading)
    with pytest.raises(BrokenPipeError):
        Speaker(writing).tries(Place("logs.0710", 0, 0, 0))
    os.close(writing)


def test_it_never_waits_for_whoever_reads() -> None:
    reading, writing = os.pipe()
    speaker = Speaker(writing)
    for number in range(10_000):
        speaker.tries(Place("logs.0710", 0, number, number))
    assert os.read(reading, 30) == b'["logs.0710", 0, 0, 0]\n["logs.'
    for end in (reading, writing):
        os.close(end)
