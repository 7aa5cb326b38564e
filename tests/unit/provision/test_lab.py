"""The lab as a whole, on a machine that has none."""

from __future__ import annotations

from pathlib import Path

import pytest

from vaern import provision
from vaern.errors import ProvisionError, UsageError
from vaern.runtime.paths import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / "state")


def test_a_shell_in_a_dead_host_is_refused(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ProvisionError, match="no host of this lab has been made") as raised:
        provision.shell_argv(project, "hub9")
    assert "`vaern lab up MUNICIPALITY`" in raised.value.fix
    monkeypatch.setattr("vaern.provision.lab.lab_hosts", lambda _: {"hub1": False})
    with pytest.raises(UsageError, match=r"hub9 is not a running host of this lab \(hub1\)"):
        provision.shell_argv(project, "hub9")


def test_without_root_it_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for operation in (lambda: provision.refresh(project, "shared"), lambda: provision.down(project)):
        with pytest.raises(ProvisionError, match="root") as raised:
            operation()
        assert "sudo" in raised.value.fix
