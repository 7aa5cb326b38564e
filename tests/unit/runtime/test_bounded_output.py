"""What another program prints is read to a limit, and the program is ended there."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from vaern.runtime import bounded_output
from vaern.runtime.bounded_output import Kept, TooMuchError

ENDLESS = ["sh", "-c", "echo $$; exec yes"]
ENDLESS_ERRORS = ["sh", "-c", "exec yes >&2"]


def test_output_errors_and_exit_code_come_back() -> None:
    output, errors = Kept(100), Kept(100)
    program = ["sh", "-c", "cat; echo wrong >&2; exit 3"]
    assert bounded_output.run(program, output, errors, stdin="ærø".encode()) == 3
    assert (output.text, errors.text) == ("ærø", "wrong\n")


def test_what_is_no_text_is_replaced() -> None:
    output = Kept(100)
    bounded_output.run(["printf", r"a\377b"], output, Kept(100))
    assert output.text == "a\N{REPLACEMENT CHARACTER}b"


@pytest.mark.parametrize("program", [ENDLESS, ENDLESS_ERRORS])
def test_a_program_that_never_stops_is_ended_at_the_limit(program: list[str]) -> None:
    output, errors = Kept(1 << 20), Kept(1 << 20)
    with pytest.raises(TooMuchError, match="more than 1 MiB"):
        bounded_output.run(program, output, errors)
    assert len(output.content) + len(errors.content) == 1 << 20
    if program is ENDLESS:
        with pytest.raises(ProcessLookupError):
            os.kill(int(output.content.split()[0]), 0)


def test_one_that_says_nothing_is_ended_in_time() -> None:
    began = time.monotonic()
    with pytest.raises(subprocess.TimeoutExpired):
        bounded_output.run(["sleep", "60"], Kept(1), Kept(1), seconds=0.2)
    assert time.monotonic() - began < 20


def test_one_that_drips_is_ended_in_time_too() -> None:
    with pytest.raises(subprocess.TimeoutExpired):
        bounded_output.run(["sh", "-c", "while :; do echo x; sleep 0.05; done"], Kept(1 << 20), Kept(1), seconds=0.3)


def test_exactly_the_limit_is_not_too_much() -> None:
    output = Kept(4)
    assert bounded_output.run([sys.executable, "-c", "print('abc')"], output, Kept(0)) == 0
    assert output.content == b"abc\n"
