"""What surrounds the engine: steps read from events, locks of dead runs, the providers' comparison."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vaern.errors import BusyError, SetupError
from vaern_stacks import engine_locks
from vaern_stacks.changes import Change, Phase, Step, fault_of, step_of
from vaern_stacks.engine import Engine
from vaern_stacks.lab.providers import LabProvider
from vaern_stacks.lab.spec import Host, Lab, Link, plain

URN = "urn:pulumi:favrskov::vaern::pulumi-python:dynamic/lab:Host::favrskov-gw1"


def event(kind: str, operation: str, of_type: str = "pulumi-python:dynamic/lab:Host") -> Any:
    metadata = SimpleNamespace(type=of_type, urn=URN, op=SimpleNamespace(value=operation))
    return SimpleNamespace(**{kind: SimpleNamespace(metadata=metadata)})


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        ("resource_pre_event", Phase.STARTED),
        ("res_outputs_event", Phase.DONE),
        ("res_op_failed_event", Phase.FAILED),
    ],
)
def test_steps_name_what_changes(kind: str, phase: Phase) -> None:
    assert step_of(event(kind, "create")) == Step(Change("create", "Host", "favrskov-gw1"), phase)


def test_what_changes_nothing_is_no_step() -> None:
    assert step_of(event("resource_pre_event", "same")) is None
    assert step_of(event("resource_pre_event", "create", "pulumi:pulumi:Stack")) is None
    assert step_of(event("resource_pre_event", "create", "pulumi:providers:pulumi-python")) is None
    assert step_of(SimpleNamespace()) is None


def test_only_errors_are_faults() -> None:
    assert fault_of(SimpleNamespace(diagnostic_event=SimpleNamespace(severity="error", message=" bad\n"))) == "bad"
    assert fault_of(SimpleNamespace(diagnostic_event=SimpleNamespace(severity="info", message="well"))) == ""
    assert fault_of(SimpleNamespace()) == ""


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
    sleep = ["python", "-c", "import time; time.sleep(60)", "pulumi.dynamic"]

    def provider(stack: str) -> subprocess.Popen[bytes]:
        home = {"PULUMI_HOME": str(tmp_path / stack / "home")}
        return subprocess.Popen(sleep, executable=sys.executable, env=home)

    ours, theirs = provider("favrskov"), provider("other")
    try:
        engine_locks.clear(tmp_path, "vaern", "favrskov", tmp_path / "favrskov")
        assert ours.wait(timeout=10) == -9
        assert theirs.poll() is None
    finally:
        for process in (ours, theirs):
            process.kill()
            process.wait()


def test_without_an_engine_setup_is_asked_for(tmp_path: Path) -> None:
    with pytest.raises(SetupError) as raised:
        Engine(tmp_path / "pulumi", tmp_path / "tools", "shared").preview(lambda: None)
    assert "make setup" in raised.value.fix
    assert not (tmp_path / "pulumi").exists()


class Recorder(LabProvider):
    """The comparison alone, over a machine that is as it is told."""

    def __init__(self, intact: bool, present: bool = True) -> None:
        self.here = (intact, present)

    def ensure(self, lab: Lab, spec: Mapping[str, Any], old: Mapping[str, Any] | None) -> dict[str, Any]:
        return {"address": spec["name"]}

    def intact(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return self.here[0]

    def present(self, lab: Lab, spec: Mapping[str, Any]) -> bool:
        return self.here[1]

    def remove(self, lab: Lab, spec: Mapping[str, Any]) -> None:
        raise AssertionError(spec)


def properties(address: str = "198.18.0.10/15") -> dict[str, Any]:
    host = Host("a", (Link("uplink", "wan", (address,)),))
    return {"lab": plain(Lab("v1", "/lab", "/tools")), "spec": plain(host)}


def test_a_host_changes_when_asked_differently_or_damaged_only() -> None:
    same = {**properties(), "host_key": "ssh-ed25519 A", "alive": True}
    assert Recorder(intact=True).diff("a", same, properties()).changes is False
    assert Recorder(intact=False).diff("a", same, properties()).changes is True
    assert Recorder(intact=True).diff("a", same, properties("198.18.0.11/15")).changes is True


def test_reading_tells_what_lives_and_drops_what_is_gone() -> None:
    state = {**properties(), "host_key": "ssh-ed25519 A", "alive": True, "__provider": "x"}
    found = Recorder(intact=False).read("a", dict(state))
    assert found.id == "a"
    assert found.outs == {**properties(), "host_key": "ssh-ed25519 A", "alive": False}
    assert not Recorder(intact=False, present=False).read("a", dict(state)).id


def test_outputs_hold_what_was_asked_and_what_was_made() -> None:
    made = Recorder(intact=True).create(properties())
    assert made.id == "a"
    assert made.outs == {**properties(), "address": "a", "alive": True}
    assert Recorder(intact=True).update("a", properties(), properties()).outs == made.outs
