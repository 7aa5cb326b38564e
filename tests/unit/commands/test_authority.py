"""The authority is shown, and given up only by its digest; that is kept as a record."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from vaern import evidence
from vaern.console.command_line import cli
from vaern.enrolment.signer import LocalSigner
from vaern.enrolment.trust import key_digest
from vaern.errors import ExitCode, StateError, UsageError
from vaern.runtime.paths import Project

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    for name in ("pyproject.toml", "roles"):
        (tmp_path / name).symlink_to(ROOT / name)
    shutil.copytree(ROOT / "inventories", tmp_path / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    monkeypatch.setenv("VAERN_PROJECT", str(tmp_path))
    monkeypatch.setenv("VAERN_STATE", str(tmp_path / "state"))
    return Project(tmp_path, tmp_path / "state")


def call(*words: str) -> Result:
    done = CliRunner().invoke(cli, ["authority", *words], standalone_mode=False)
    if done.exception:
        raise done.exception
    assert done.return_value == ExitCode.OK
    return done


def test_it_is_shown_and_makes_nothing(project: Project) -> None:
    assert "has not been made" in call().stdout
    assert not project.state.exists()
    made = key_digest(LocalSigner(project.state / "pki", b"right").authority())
    assert call().stdout == f"authority: {made}\n"


def test_its_certificate_is_what_senders_trust(project: Project) -> None:
    with pytest.raises(UsageError, match="has not been made"):
        call("--certificate")
    certificate = LocalSigner(project.state / "pki", b"right").authority()
    assert call("--certificate").stdout == certificate


def test_one_that_is_lost_is_given_up_by_its_digest(project: Project) -> None:
    pki = project.state / "pki"
    lost = key_digest(LocalSigner(pki, b"right").authority())
    (pki / "ca.key").unlink()
    with pytest.raises(StateError, match=lost):
        call()
    with pytest.raises(UsageError, match="is no digest"):
        call("--replace", "SHA256:x", "--yes")
    assert f"given up: {lost}\nput aside: " in call("--replace", lost, "--yes").stdout
    kept = evidence.read(project, "shared")
    assert kept is not None
    assert lost in " ".join(kept.record.run.command)
    assert key_digest(LocalSigner(pki, b"right").authority()) != lost
    assert lost in call("--json").stdout
