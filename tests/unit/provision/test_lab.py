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


def test_a_shell_in_a_dead_host_is_refused(project: Project) -> None:
    with pytest.raises(UsageError, match="hub9"):
        provision.shell_argv(project, "hub9")


def test_without_root_it_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for operation in (lambda: provision.refresh(project, "shared"), lambda: provision.down(project)):
        with pytest.raises(ProvisionError, match="root") as raised:
            operation()
        assert "sudo" in raised.value.fix
