from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vaern import provision
from vaern.errors import ProvisionError, UsageError
from vaern.model.outputs import HostOutput, MunicipalityOutputs, SharedOutputs
from vaern.paths import Project
from vaern_stacks.lab import access
from vaern_stacks.lab.records import Kind, Record, record
from vaern_stacks.lab.spec import Lab


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / "state")


def keep(project: Project, stack: str, outputs: object) -> None:
    folder = project.state / "outputs"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stack}.json").write_text(json.dumps(outputs))


def test_outputs_of_the_last_run_are_read_without_the_engine(project: Project) -> None:
    host = {"name": "a-gw1", "address": "198.19.0.10", "host_key": "ssh-ed25519 A"}
    keep(project, "a", {"hosts": [host], "device_namespaces": {"raadhus": "v1-a--raadhus"}})
    keep(project, "shared", {"hosts": [{**host, "name": "hub1"}]})
    assert provision.municipality_outputs(project, "a") == MunicipalityOutputs(
        (HostOutput(**host),), {"raadhus": "v1-a--raadhus"}
    )
    assert provision.shared_outputs(project) == SharedOutputs((HostOutput("hub1", "198.19.0.10", "ssh-ed25519 A"),))


@pytest.mark.parametrize(("stack", "fix"), [("shared", "vaern up"), ("a", "vaern onboard a")])
def test_a_stack_that_is_not_made_says_which_command_makes_it(project: Project, stack: str, fix: str) -> None:
    read = provision.shared_outputs if stack == "shared" else lambda p: provision.municipality_outputs(p, stack)
    with pytest.raises(ProvisionError) as raised:
        read(project)
    assert fix in raised.value.fix


def test_one_ssh_configuration_holds_every_stack(project: Project) -> None:
    for stack, name in (("shared", "hub1"), ("a", "a-gw1")):
        keep(project, stack, {"hosts": [{"name": name, "address": "198.18.0.10", "host_key": "ssh-ed25519 A"}]})
    try:
        text = provision.ssh_config(project).read_text()
    finally:
        access.close_connections(Lab(project.lab_name, str(project.lab), str(project.tools)))
    assert "Host hub1\n" in text
    assert "Host a-gw1\n" in text
    assert "Host a-gw1 hub1\n" in text


def test_collectors_in_use_are_not_removed_even_when_half_made(project: Project) -> None:
    lab = Lab(project.lab_name, str(project.lab), str(project.tools))
    record(lab, Record("favrskov", Kind.HOST, "favrskov-gw1"))
    assert provision.stacks(project) == ["favrskov"]
    assert provision.lab_hosts(project) == {"favrskov-gw1": False}
    with pytest.raises(ProvisionError) as raised:
        provision.destroy_shared(project)
    assert "vaern offboard favrskov" in raised.value.fix


def test_a_shell_in_a_dead_host_is_refused(project: Project) -> None:
    with pytest.raises(UsageError, match="hub9"):
        provision.shell_argv(project, "hub9")


def test_without_root_it_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    for operation in (lambda: provision.refresh(project, "shared"), lambda: provision.down(project)):
        with pytest.raises(ProvisionError, match="root") as raised:
            operation()
        assert "sudo" in raised.value.fix


def test_the_engine_is_imported_only_when_used_and_the_lab_never_imports_azure() -> None:
    program = (
        "import sys, vaern.provision; print('pulumi' in sys.modules);"
        "import vaern_stacks.engine, vaern_stacks.lab.target;"
        "print('pulumi' in sys.modules, 'pulumi_azure_native' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["False", "True False"]
