"""One run a municipality: refused while it is held, free again when its process is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from vaern.errors import BusyError
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import exclusive, queued

HOLD = """
import sys, time
from pathlib import Path
from vaern.runtime.run_lock import exclusive
from vaern.runtime.paths import Project
with exclusive(Project(Path(sys.argv[1]), Path(sys.argv[1])), "favrskov"):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path)


def test_a_second_run_is_refused_and_told_who_holds_it(project: Project) -> None:
    refused = pytest.raises(BusyError, match=f"process {os.getpid()}")
    with exclusive(project, "favrskov"), refused, exclusive(project, "favrskov"):
        pass


def test_two_municipalities_do_not_meet(project: Project) -> None:
    with exclusive(project, "favrskov"), exclusive(project, "samsoe"):
        pass


def test_a_killed_run_leaves_the_lock_free(project: Project) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(project.root)], stdout=subprocess.PIPE, text=True)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(BusyError, match=f"process {holder.pid}"), exclusive(project, "favrskov"):
            pass
    finally:
        holder.send_signal(signal.SIGKILL)
        holder.communicate()
    with exclusive(project, "favrskov"):
        pass


def test_a_queued_run_tells_that_it_waits(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vaern.runtime.run_lock.WAIT_SECONDS", 0.03)
    monkeypatch.setattr("vaern.runtime.run_lock.POLL_SECONDS", 0.01)
    told: list[str] = []
    with (
        queued(project, "shared", told.append),
        pytest.raises(BusyError),
        queued(project, "shared", told.append),
    ):
        pass
    assert told == [told[0]]
    assert "works on shared" in told[0]
