"""Stacks: what may be removed, and what is imported before one is made."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vaern import provision
from vaern.errors import ProvisionError
from vaern.runtime.paths import Project
from vaern_stacks.lab.records import Kind, Record, record
from vaern_stacks.lab.spec import Lab


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / "state")


def test_collectors_in_use_are_not_removed_even_when_half_made(project: Project) -> None:
    lab = Lab(project.lab_name, str(project.lab), str(project.tools))
    record(lab, Record("favrskov", Kind.HOST, "favrskov-gw1"))
    assert provision.stacks(project) == ["favrskov"]
    assert provision.lab_hosts(project) == {"favrskov-gw1": False}
    with pytest.raises(ProvisionError) as raised:
        provision.destroy_shared(project)
    assert "vaern offboard favrskov" in raised.value.fix


def test_the_engine_is_imported_only_when_used_and_the_lab_never_imports_azure() -> None:
    program = (
        "import sys, vaern.provision; print('pulumi' in sys.modules);"
        "import vaern_stacks.engine, vaern_stacks.lab.target;"
        "print('pulumi' in sys.modules, 'pulumi_azure_native' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "True False"]
