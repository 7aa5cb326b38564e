"""Nothing of a run outlives it: signals, kills of any of its three processes, and children that do not want to end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.interruption import (
    BETWEEN_SECONDS,
    CTRL_C,
    WAYS,
    Run,
    below,
    folders_of,
    left_of,
    run,
    taking_in_orphans,
)

BEGIN = """
import contextlib, os, signal, subprocess, sys, time
from pathlib import Path
from vaern.runtime import interruption, keeper, process_tree, supervision
from vaern.runtime.private_folder import private_folder

def start(*words, **more):
    return subprocess.Popen(words, **more)

def said(word):
    print(word, flush=True)

def names_below():
    listed = process_tree.descendants(os.getpid(), process_tree.parents())
    return [Path(f"/proc/{pid}/comm").read_text().strip() for pid in listed]

interruption.install_handlers(once=True)
supervision.supervise(keeper.Patience(PATIENCE))
try:
"""
HURRIED = "work=0.4, hurried=0.2, rest=0.2, killed=10.0"
"""For what would never end by itself."""
PATIENT = "work=15.0, hurried=5.0, rest=0.2, killed=10.0"
"""For what is seen to end by itself, however slow the machine is."""
END = """
except KeyboardInterrupt:
    supervision.leave(interruption.exit_code())
"""
ROOT = Path(__file__).resolve().parents[2]
WITHIN_SECONDS = 30.0
"""Longer than any patience of these tests, and shorter than what they start would run by itself."""
pytestmark = pytest.mark.processes


@pytest.fixture(autouse=True)
def orphans() -> Iterator[None]:
    with taking_in_orphans():
        yield


def program(work: str, patience: str = HURRIED) -> list[str]:
    begin = BEGIN.replace("PATIENCE", patience)
    return [sys.executable, "-c", begin + "\n".join(f"    {line}" for line in work.strip().splitlines()) + END]


def wait_for(started: Run, word: str) -> None:
    limit = time.monotonic() + WITHIN_SECONDS
    while word.encode() not in started.output:
        assert time.monotonic() < limit, f"never said {word}: {bytes(started.output)!r}"
        time.sleep(0.01)
    started.look()


def interrupted(
    work: str, way: str, folder: Path, *, within: float = WITHIN_SECONDS, patience: str = HURRIED
) -> tuple[Run, dict[int, str]]:
    """Interrupt a program that has said that it is ready; the run, and what was left of it."""
    before = below(os.getpid())
    act, code = WAYS[way]
    with run(program(work, patience), cwd=folder, environment=os.environ) as started:
        wait_for(started, "ready")
        act(started)
        assert started.wait(WITHIN_SECONDS) == code
        return started, left_of(before, hosts_of="", within=within)


STUBBORN = """
with private_folder() as folder:
    (folder / "secret").write_text("s3cr3t")
    start("sh", "-c", "trap '' HUP INT TERM; sleep 60 & wait", start_new_session=True)
    start("sh", "-c", "setsid sh -c 'sleep 61 & sleep 62' & wait")
    stopped = start("sleep", "63")
    stopped.send_signal(signal.SIGSTOP)
    while len(names_below()) < 6:
        time.sleep(0.01)
    said("ready")
    stopped.wait()
"""


@pytest.mark.parametrize("way", WAYS)
def test_the_exit_code_says_how_it_was_interrupted(way: str, tmp_path: Path) -> None:
    _, left = interrupted("said('ready'); time.sleep(60)", way, tmp_path)
    assert left == {}


@pytest.mark.parametrize("way", ["Ctrl-C", "SIGKILL"])
def test_what_does_not_want_to_end_is_ended(way: str, tmp_path: Path) -> None:
    """A child that ignores signals, a grandchild in a session of its own, and a child that is stopped."""
    started, left = interrupted(STUBBORN, way, tmp_path)
    assert left == {}
    assert len(started.pids) > 6
    assert folders_of(started.pids) == []


@pytest.mark.parametrize("killed", [("guard",), ("work",), ("vaern", "work")])
def test_whichever_is_killed_the_rest_ends(killed: tuple[str, ...], tmp_path: Path) -> None:
    before = below(os.getpid())
    work = f"said(f'at {{os.getppid()}} {{os.getpid()}} work')\n{STUBBORN}"
    with run(program(work), cwd=tmp_path, environment=os.environ) as started:
        wait_for(started, "ready")
        words = bytes(started.output).split()
        guard, worker = (int(word) for word in words[words.index(b"work") - 2 : words.index(b"work")])
        pids = {"vaern": started.process.pid, "guard": guard, "work": worker}
        # Each gets SIGTERM when the one above it dies: halted first, none is gone before it is killed.
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for name in killed:
                os.kill(pids[name], number)
        code = started.wait(WITHIN_SECONDS)
        assert code == (-signal.SIGKILL if "vaern" in killed else 128 + signal.SIGKILL)
        assert left_of(before, hosts_of="", within=WITHIN_SECONDS) == {}
        assert folders_of(started.pids) == []


CLEANING = """
try:
    said("ready")
    time.sleep(60)
finally:
    said("cleaning")
    time.sleep({})
    said("cleaned")
"""


def test_a_second_ctrl_c_does_not_break_off_the_cleaning_up(tmp_path: Path) -> None:
    before = below(os.getpid())
    with run(program(CLEANING.format(0.3), PATIENT), cwd=tmp_path, environment=os.environ) as started:
        wait_for(started, "ready")
        started.press(CTRL_C)
        wait_for(started, "cleaning")
        started.press(CTRL_C)
        assert started.wait(WITHIN_SECONDS) == 130
        assert b"cleaned" in started.output
    assert left_of(before, hosts_of="", within=WITHIN_SECONDS) == {}


def test_a_third_ctrl_c_ends_a_cleaning_up_that_hangs(tmp_path: Path) -> None:
    before = below(os.getpid())
    with run(program(CLEANING.format(60), PATIENT), cwd=tmp_path, environment=os.environ) as started:
        wait_for(started, "ready")
        started.press(CTRL_C)
        wait_for(started, "cleaning")
        for _ in range(2):
            time.sleep(BETWEEN_SECONDS)
            started.press(CTRL_C)
        assert started.wait(WITHIN_SECONDS) == 130
        assert b"cleaned" not in started.output
    assert left_of(before, hosts_of="", within=WITHIN_SECONDS) == {}


def test_what_cleaning_up_starts_is_not_ended_with_the_rest(tmp_path: Path) -> None:
    """Such as the command that ends a rehearsed outage."""
    work = """
    try:
        said("ready")
        time.sleep(60)
    finally:
        said(subprocess.run(["sh", "-c", "sleep 0.3; echo mended"], capture_output=True, text=True).stdout)
    """
    work = "\n".join(line[4:] for line in work.splitlines())
    started, left = interrupted(work, "Ctrl-C", tmp_path, patience=PATIENT)
    assert b"mended" in started.output
    assert left == {}


def test_what_writes_a_state_is_heard_to_its_end(tmp_path: Path) -> None:
    """As the engine, which is asked to end and writes its state first."""
    work = """
    engine = "trap 'sleep 0.3; echo written; exit 1' TERM; echo ready; while :; do sleep 0.05; done"
    with interruption.deferred():
        subprocess.run(["sh", "-c", engine])
        said("heard")
    said("never")
    """
    work = "\n".join(line[4:] for line in work.splitlines())
    started, left = interrupted(work, "Ctrl-C", tmp_path, patience=PATIENT)
    assert started.output.index(b"written") < started.output.index(b"heard")
    assert b"never" not in started.output
    assert left == {}


def test_what_is_made_to_stay_stays(tmp_path: Path) -> None:
    """As a host of the lab, with everything in it."""
    work = """
    from vaern.runtime.process_tree import OUTLIVES
    marked = {**os.environ, OUTLIVES: "a test"}
    start("sh", "-c", "env -i sleep 64 & wait", env=marked, start_new_session=True)
    while "sleep" not in names_below():
        time.sleep(0.01)
    said("ready")
    time.sleep(60)
    """
    _, left = interrupted("\n".join(line[4:] for line in work.splitlines()), "Ctrl-C", tmp_path, within=0.5)
    try:
        assert sorted(command.split()[0] for command in left.values()) == ["sh", "sleep"]
    finally:
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        left_of({}, hosts_of="", within=1.0)


@pytest.mark.parametrize("code", [0, 7])
def test_the_exit_code_is_that_of_the_work(code: int, tmp_path: Path) -> None:
    with run(program(f"sys.exit({code})"), cwd=tmp_path, environment=os.environ) as started:
        assert started.wait(WITHIN_SECONDS) == code


def test_a_signal_that_was_ignored_stays_so(tmp_path: Path) -> None:
    """As for `nohup vaern onboard favrskov &`."""
    work = "said('ready'); time.sleep(0.2); said('done')"
    ignoring = (
        "import os, signal, sys; signal.signal(signal.SIGHUP, signal.SIG_IGN); os.execv(sys.argv[1], sys.argv[1:])"
    )
    with run([sys.executable, "-c", ignoring, *program(work)], cwd=tmp_path, environment=os.environ) as started:
        wait_for(started, "ready")
        os.kill(started.process.pid, signal.SIGHUP)
        assert started.wait(WITHIN_SECONDS) == 0
        assert b"done" in started.output


@pytest.mark.parametrize("answer", [b"n\n", CTRL_C])
def test_a_question_is_asked_and_answered_on_the_terminal(answer: bytes, tmp_path: Path) -> None:
    """Though the work is in another session than the terminal's."""
    environment = {**os.environ, "VAERN_PROJECT": str(ROOT), "VAERN_STATE": str(tmp_path)}
    # Nothing is asked of a municipality that has no stack.
    stacks = tmp_path / "pulumi" / "backend" / ".pulumi" / "stacks" / "vaern"
    stacks.mkdir(parents=True)
    (stacks / "favrskov.json").write_text("{}", encoding="utf-8")
    with run([sys.executable, "-m", "vaern", "offboard", "favrskov"], cwd=ROOT, environment=environment) as started:
        wait_for(started, "[y/N]")
        started.press(answer)
        assert started.wait(WITHIN_SECONDS) == 130
        assert b"run the same command again" in started.output


def test_the_run_lock_names_the_process_that_was_started(tmp_path: Path) -> None:
    """By that number a user finds and ends the run; the process that works below it is nobody's to know."""
    work = f"""
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import exclusive
with exclusive(Project(Path({str(tmp_path)!r}), Path({str(tmp_path)!r})), "favrskov"):
    said((Path({str(tmp_path)!r}) / "locks/favrskov.lock").read_text())
    said("ready")
"""
    with run(program(work), cwd=tmp_path, environment=os.environ) as started:
        wait_for(started, "ready")
        assert f'"pid": {started.process.pid},' in bytes(started.output).decode()
        assert started.wait(WITHIN_SECONDS) == 0
