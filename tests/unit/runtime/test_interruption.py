"""A signal is an exception in the main thread: at once, or when what must be heard to its end has ended."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from vaern.errors import ExitCode
from vaern.runtime import interruption
from vaern.runtime.interruption import Interrupted, deferred


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(interruption, "_state", interruption._State())
    before = {number: signal.getsignal(number) for number in (*interruption.SIGNALS, signal.SIGALRM)}
    # Whoever started the tests may ignore some of them, as nohup does.
    for number in interruption.SIGNALS:
        signal.signal(number, signal.SIG_DFL)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def send(number: int) -> None:
    os.kill(os.getpid(), number)


@pytest.mark.parametrize(
    ("number", "code"),
    [
        (signal.SIGINT, ExitCode.INTERRUPTED),
        (signal.SIGTERM, ExitCode.TERMINATED),
        (signal.SIGHUP, ExitCode.TERMINATED),
    ],
)
def test_a_signal_is_raised_and_decides_the_exit_code(number: int, code: ExitCode) -> None:
    interruption.install_handlers()
    assert not interruption.is_interrupted()
    with pytest.raises(Interrupted):
        send(number)
    assert interruption.is_interrupted()
    assert interruption.exit_code() is code


def test_a_declined_question_ends_as_interrupted() -> None:
    assert interruption.exit_code() is ExitCode.INTERRUPTED


def work(heard: list[str], *numbers: int, error: Exception | None = None) -> None:
    """Work that must be heard to its end, is sent signals, and may fail for them."""
    with deferred():
        for number in numbers:
            send(number)
            heard.append("went on")
        if error:
            raise error


def test_it_waits_for_the_end_of_what_must_be_heard() -> None:
    interruption.install_handlers()
    heard: list[str] = []
    with pytest.raises(Interrupted):
        work(heard, signal.SIGTERM)
    assert heard == ["went on"]


def test_the_interruption_says_more_than_the_error_it_has_caused() -> None:
    interruption.install_handlers()
    with pytest.raises(Interrupted):
        work([], signal.SIGINT, error=RuntimeError("the engine was cancelled"))


def test_an_error_alone_is_raised_as_it_is() -> None:
    interruption.install_handlers()
    with pytest.raises(RuntimeError):
        work([], error=RuntimeError("no quota"))


def test_a_second_signal_does_not_wait() -> None:
    interruption.install_handlers()
    heard: list[str] = []
    with pytest.raises(Interrupted):
        work(heard, signal.SIGINT, signal.SIGINT)
    assert heard == ["went on"]


def test_a_second_signal_is_not_raised_where_somebody_else_decides() -> None:
    interruption.install_handlers(once=True)
    with pytest.raises(Interrupted):
        send(signal.SIGINT)
    send(signal.SIGINT)


def test_what_was_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    interruption.install_handlers()
    send(signal.SIGHUP)
    assert signal.SIGHUP not in interruption.handled_signals()
    assert not interruption.is_interrupted()


class Swallowing:
    """Meets the signal where Python can raise nothing, as in a validator that is called from C."""

    def __del__(self) -> None:
        send(signal.SIGTERM)
        time.sleep(0)


def test_where_it_cannot_be_raised_it_is_raised_right_after(capsys: pytest.CaptureFixture[str]) -> None:
    interruption.install_handlers(once=True)

    def work() -> None:
        Swallowing()
        time.sleep(5)

    with pytest.raises(Interrupted):
        work()
    assert "Traceback" not in capsys.readouterr().err
