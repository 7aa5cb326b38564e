"""Who descends from whom, and who of them is to stay: marked processes, and ssh connections another run uses."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from vaern.runtime import process_tree
from vaern.runtime.process_tree import children, descendants, state_and_parent, to_stay

#  1 -- 2 -- 3 -- 5
#       |
#       4 -- 6
TREE = {2: 1, 3: 2, 4: 2, 5: 3, 6: 4}


@pytest.mark.parametrize("name", ["cat", "(sd-pam)", "a) S 1 (b", "tmux: server"])
def test_the_name_of_a_program_may_hold_anything(name: str) -> None:
    assert state_and_parent(f"4711 ({name}) T 42 4711 4711 0 -1") == ("T", 42)


def test_descendants_are_of_every_generation() -> None:
    assert sorted(descendants(2, TREE)) == [3, 4, 5, 6]
    assert children(2, TREE) == [3, 4]
    assert descendants(5, TREE) == []


def test_what_is_below_a_spared_process_is_spared_with_it() -> None:
    assert sorted(descendants(2, TREE, spared={4})) == [3, 5]
    assert children(2, TREE, spared={4}) == [3]


def test_this_process_is_where_the_kernel_says() -> None:
    assert process_tree.parents()[os.getpid()] == os.getppid()


@contextmanager
def started(*words: str, **more: object) -> Iterator[subprocess.Popen[bytes]]:
    """A process that has become the program asked for."""
    process = subprocess.Popen(words, **more)  # type: ignore[call-overload]
    try:
        limit = time.monotonic() + 60
        # A process has no command line in the middle of an exec.
        while not (words_now := Path(f"/proc/{process.pid}/cmdline").read_bytes()) or b"exec" in words_now:
            assert time.monotonic() < limit
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.wait()


def test_a_process_is_marked_by_its_environment() -> None:
    with (
        started("sleep", "60", env={process_tree.OUTLIVES: "a test"}) as marked,
        started("sleep", "60", env={}) as other,
    ):
        assert to_stay([marked.pid, other.pid], connections=False) == {marked.pid}


def test_a_shared_connection_stays_while_another_run_has_a_command_in_it(tmp_path: Path) -> None:
    """ssh's background process, as it looks in /proc: its title, its socket, and the pipe to its proxy."""
    with ExitStack() as stack:
        listening = stack.enter_context(socket.socket(socket.AF_UNIX))
        listening.bind(str(tmp_path / "control"))
        listening.listen()
        client = stack.enter_context(socket.socket(socket.AF_UNIX))
        client.connect(str(tmp_path / "control"))
        session = stack.enter_context(listening.accept()[0])
        title = ("bash", "-c", f"exec -a 'ssh: {tmp_path}/control [mux]' cat")
        proxy = stack.enter_context(started("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE))
        assert proxy.stdout is not None
        held = (listening.fileno(), proxy.stdout.fileno())
        used = stack.enter_context(started(*title, stdin=subprocess.PIPE, pass_fds=(session.fileno(), *held)))
        idle = stack.enter_context(started(*title, stdin=subprocess.PIPE, pass_fds=(listening.fileno(),)))
        other = stack.enter_context(started("cat", stdin=subprocess.PIPE))
        listed = [used.pid, proxy.pid, idle.pid, other.pid]
        assert to_stay(listed, connections=False) == {used.pid, proxy.pid}
        assert to_stay(listed, connections=True) == {used.pid, proxy.pid, idle.pid}
