"""Locks of dead runs, and what a killed engine leaves half written, go; what is another's stays."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from vaern.errors import BusyError
from vaern_stacks import engine_locks


def lock(backend: Path, pid: int, hostname: str) -> Path:
    path = backend / ".pulumi" / "locks" / "organization" / "vaern" / "favrskov" / "one.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"pid": pid, "hostname": hostname, "username": "root"}))
    return path


@pytest.fixture
def dead() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_dead_engines_lock_is_removed(tmp_path: Path, dead: int) -> None:
    path = lock(tmp_path, dead, socket.gethostname())
    engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path)
    assert not path.exists()


def test_a_lock_whose_id_another_program_got_is_removed(tmp_path: Path) -> None:
    path = lock(tmp_path, os.getpid(), socket.gethostname())
    engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path)
    assert not path.exists()


def test_a_lock_of_another_machine_is_left_and_reported(
    tmp_path: Path, dead: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_locks, "PATIENCE_SECONDS", 0.0)
    path = lock(tmp_path, dead, "elsewhere.example")
    with pytest.raises(BusyError, match=str(dead)):
        engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path)
    assert path.exists()


def test_a_living_engines_lock_is_left_and_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_locks, "PATIENCE_SECONDS", 0.0)
    told = "print(flush=True); import time; time.sleep(60)"
    with subprocess.Popen(["pulumi", "-c", told], executable=sys.executable, stdout=subprocess.PIPE) as engine:
        try:
            # The kernel shows a new program's name a moment after it was started.
            assert engine.stdout is not None
            engine.stdout.readline()
            path = lock(tmp_path, engine.pid, socket.gethostname())
            with pytest.raises(BusyError, match=str(engine.pid)):
                engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path)
            assert path.exists()
        finally:
            engine.kill()


def test_a_provider_whose_engine_died_is_ended_and_others_are_not(tmp_path: Path) -> None:
    sleep = ["python", "-c", "print(flush=True); import time; time.sleep(60)", "pulumi.dynamic"]

    def provider(stack: str) -> subprocess.Popen[bytes]:
        home = {"PULUMI_HOME": str(tmp_path / stack / "home")}
        process = subprocess.Popen(sleep, executable=sys.executable, env=home, stdout=subprocess.PIPE)
        # The kernel shows a new program's words and environment a moment after it was started.
        assert process.stdout is not None
        process.stdout.readline()
        return process

    ours, theirs = provider("favrskov"), provider("other")
    try:
        engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path / "favrskov")
        assert ours.wait(timeout=60) == -9
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.communicate()


def test_torn_files_go_and_the_others_stay(tmp_path: Path) -> None:
    stacks = tmp_path / ".pulumi" / "stacks" / "vaern"
    stacks.mkdir(parents=True)
    kept = {
        "favrskov.json": "{}",
        "favrskov.json.bak": "{}",
        "favrskov.json.bak.attrs": "{}",
        "samsoe.json.77.tmp": "{",
    }
    torn = {"favrskov.json.attrs": "", "samsoe.json.attrs": "", "favrskov.json.18ebc5aace9af9a5.tmp": "{"}
    for name, text in (kept | torn).items():
        (stacks / name).write_text(text)
    (tmp_path / ".pulumi" / "meta.yaml.attrs").touch()
    engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path / "work")
    assert {path.name for path in tmp_path.rglob("*") if path.is_file()} == set(kept)
