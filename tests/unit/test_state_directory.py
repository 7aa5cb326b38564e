"""Every file of the state may be damaged, and the directory full or read-only: each is said, and none is unknown."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from vaern.configure import host_state
from vaern.console import failures
from vaern.declaration import load_fleet
from vaern.enrolment import authority, preshared_keys
from vaern.enrolment.trust import Replaced
from vaern.errors import ExitCode, VaernError
from vaern.model.finding import Finding, Outcome
from vaern.model.fleet import Fleet
from vaern.model.outputs import HostOutput, MunicipalityOutputs, SharedOutputs
from vaern.provision import outputs
from vaern.report import read_report
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.run_lock import exclusive
from vaern_stacks.engine import Engine

ROOT = Path(__file__).resolve().parents[2]
HOST = HostOutput("favrskov-gw1", "198.51.100.10", "ssh-ed25519 AAAA")
FOUND = Finding("favrskov", "BASE-01", "hub1", Outcome.PASSED, "a", "b", "", "2026-11-24T12:00:00Z")
REPORT = dict.fromkeys(("slug", "code", "deployment", "version", "name"), "favrskov") | {
    "schema": 1,
    "time": FOUND.time,
    "durations": {},
    "proofs": [],
}
DAMAGES = {
    "empty": b"",
    "cut off": b'{"hosts": [{"name": "favrs',
    "binary": bytes(range(256)),
    "a list": b"[1, 2]",
    "nested": b"[" * 20_000,
    "keys of others": b'{"other": 1, "hosts": 5, "checkpoint": [], "schema": []}',
}


def engine(project: Project) -> Engine:
    return Engine(project.state / "pulumi", project.tools, "shared")


def held(project: Project, _: Fleet) -> None:
    with exclusive(project, "favrskov"):
        pass


def keys_of_tunnels(project: Project, fleet: Fleet) -> object:
    return preshared_keys(authority.secrets(project, fleet.deployment), ["a/hub1"])


READERS: dict[str, Callable[[Project, Fleet], object]] = {
    "outputs/shared.json": lambda project, _: outputs.shared_outputs(project),
    "outputs/favrskov.json": lambda project, _: outputs.municipality_outputs(project, "favrskov"),
    "ssh_config": lambda project, _: ssh.require_made(project, ["favrskov-gw1"]),
    "reports/favrskov/latest/findings.json": lambda project, _: read_report(project, "favrskov"),
    "pki/ca.key": lambda project, fleet: authority.signer(project, fleet.deployment).authority(),
    "pki/ca.crt": lambda project, fleet: authority.signer(project, fleet.deployment).authority(),
    "pki/passphrase": lambda project, fleet: authority.signer(project, fleet.deployment).authority(),
    "pki/secrets": keys_of_tunnels,
    "pki/replaced.json": lambda project, _: Replaced(project.state / "pki").digests(),
    "pulumi/backend/.pulumi/stacks/vaern/shared.json": lambda project, _: engine(project).kinds(),
}
"""What of the state is relied on, and who reads it."""
MADE_ANEW: dict[str, Callable[[Project, Fleet], object]] = {
    "configured/shared.json": lambda project, _: host_state.remembered(project, "shared"),
    "locks/favrskov.lock": held,
    "pki/secrets.names": lambda project, fleet: preshared_keys(
        authority.secrets(project, fleet.deployment), ["a/hub1"]
    ),
}
"""What is only a help: damaged, it is as if it were not there."""


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet(Project(ROOT, ROOT / ".vaern"), ["favrskov"])


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, fleet: Fleet) -> Path:
    """The state of an onboarded lab, as far as it can be made without hosts."""
    made = Project(ROOT, tmp_path_factory.mktemp("whole") / "state")
    files = {
        "outputs/shared.json": asdict(SharedOutputs((HOST,))),
        "outputs/favrskov.json": asdict(MunicipalityOutputs((HOST,), {})),
        "reports/favrskov/latest/findings.json": REPORT | {"findings": [asdict(FOUND)]},
        "pki/replaced.json": [],
        "pulumi/backend/.pulumi/stacks/vaern/shared.json": {"version": 3, "checkpoint": {"latest": {"resources": []}}},
        "configured/shared.json": {"inputs": "x"},
    }
    for name, content in files.items():
        (made.state / name).parent.mkdir(parents=True, exist_ok=True)
        (made.state / name).write_text(json.dumps(content))
    (made.state / "ssh_config").write_text("Host favrskov-gw1\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("VAERN_PASSPHRASE", raising=False)
        patch.setenv("VAERN_STATE", str(made.state))
        authority.signer(made, fleet.deployment).authority()
        preshared_keys(authority.secrets(made, fleet.deployment), ["a/hub1"])
        held(made, fleet)
    return made.state


@pytest.fixture
def project(tmp_path: Path, whole: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A copy of that state, to be damaged."""
    monkeypatch.delenv("VAERN_PASSPHRASE", raising=False)
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    shutil.copytree(whole, tmp_path / "state")
    return Project(ROOT, tmp_path / "state")


def test_what_is_whole_is_read(project: Project, fleet: Fleet) -> None:
    for name, read in (READERS | MADE_ANEW).items():
        assert (project.state / name).exists(), name
        read(project, fleet)


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", READERS)
def test_a_damaged_file_is_named_with_what_to_do(project: Project, fleet: Fleet, name: str, damage: str) -> None:
    (project.state / name).write_bytes(DAMAGES[damage])
    with pytest.raises(VaernError) as said:
        READERS[name](project, fleet)
    error = said.value
    assert error.exit_code not in {ExitCode.INTERNAL, ExitCode.FINDINGS}, error
    assert error.fix
    # A passphrase is any text, so another one is found out by the key; without hosts in it, a host is not made.
    also = {"pki/passphrase": "ca.key", "ssh_config": "favrskov-gw1"}.get(name, "\0")
    assert Path(name).name in error.what or also in error.what, error.what


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", MADE_ANEW)
def test_what_is_only_a_help_is_made_anew(project: Project, fleet: Fleet, name: str, damage: str) -> None:
    (project.state / name).write_bytes(DAMAGES[damage])
    MADE_ANEW[name](project, fleet)


@pytest.fixture(params=["full", "read-only"])
def refusing(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Path]:
    """A state directory in which nothing can be kept any more, on a file system of its own."""
    state = tmp_path / "refusing"
    state.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", state], check=False, capture_output=True
        ).returncode
    ):
        pytest.skip("a file system of its own needs root, and the right to mount")
    try:
        (state / "logs").mkdir()
        if request.param == "full":
            subprocess.run(["dd", "if=/dev/zero", f"of={state}/rest"], check=False, capture_output=True)
        else:
            subprocess.run(["mount", "-o", "remount,ro", state], check=True)
        yield state
    finally:
        subprocess.run(["umount", state], check=True)


def test_a_directory_that_takes_nothing_is_said_and_nothing_is_a_traceback(refusing: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "vaern", "onboard", "favrskov"],
        cwd=ROOT,
        env=os.environ | {"VAERN_STATE": str(refusing)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (ExitCode.STATE, False), done.stderr
    assert f"the state directory {refusing} cannot be used" in done.stderr
    assert "VAERN_STATE" in done.stderr


def test_an_unknown_failure_is_said_where_its_log_cannot_be_kept(
    refusing: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This was a traceback with exit code 1: a finding, to whoever looked at the exit code."""
    monkeypatch.setenv("VAERN_STATE", str(refusing))
    assert failures.unforeseen(RuntimeError("x")) == ExitCode.INTERNAL
    assert "RuntimeError" in capsys.readouterr().err
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(refusing))
    assert failures.unforeseen(RuntimeError("x")) == ExitCode.INTERNAL
    assert "its log could not be kept" in capsys.readouterr().err


@pytest.mark.parametrize("number", [28, 30, 13, 122])
def test_a_refusal_that_a_library_wraps_is_seen_through(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VAERN_STATE", str(tmp_path))
    wrapped = RuntimeError("engine")
    wrapped.__cause__ = OSError(number, os.strerror(number), str(tmp_path / "pulumi" / "x"))
    known = failures.refused_by_disk(wrapped)
    assert known is not None
    assert known.exit_code == ExitCode.STATE
