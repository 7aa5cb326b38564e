"""A playbook ends with the process that started it, however soon that one is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from vaern.configure.playbooks import ending_with

pytestmark = pytest.mark.processes
PARENT = """
import os, subprocess, sys
from vaern.configure.playbooks import ending_with
started = subprocess.Popen([*ending_with(os.getpid()), "sleep", "60"], stdout=subprocess.DEVNULL)
print(started.pid, flush=True)
started.wait()
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = Path(f"/proc/{parent.stdout.readline().strip()}")
    limit = time.monotonic() + 10
    while "sleep" not in (begun := (child / "comm").read_text()):
        assert time.monotonic() < limit, begun
        time.sleep(0.01)
    parent.kill()
    parent.communicate()
    while child.exists():
        assert time.monotonic() < limit, (child / "stat").read_text()
        time.sleep(0.01)


def test_it_is_not_begun_when_its_parent_is_dead_already(tmp_path: Path) -> None:
    """A parent that was killed before the kernel was asked for the signal: the program has another parent then."""
    dead = subprocess.Popen(["true"])
    dead.wait()
    begun = tmp_path / "begun"
    assert subprocess.run([*ending_with(dead.pid), "touch", str(begun)], check=False).returncode == 1
    assert not begun.exists()
    assert subprocess.run([*ending_with(os.getpid()), "touch", str(begun)], check=False).returncode == 0
    assert begun.exists()
