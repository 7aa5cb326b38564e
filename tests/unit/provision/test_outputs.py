"""What a stack gave last is read without the engine, and all of it makes one ssh configuration."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from vaern import provision
from vaern.errors import ProvisionError
from vaern.model.outputs import EventHubsOutput, HostOutput, MunicipalityOutputs, SendingKey, SharedOutputs
from vaern.runtime.paths import Project
from vaern_stacks.lab import access
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


KEY = SendingKey("sub", "group", "namespace", "logs.0710", "a-gw1")
NATIONAL = SendingKey("sub", "group", "namespace", "logs.0710.national", "a-gw1")


def test_the_keys_of_every_event_hub_are_read_back(project: Project) -> None:
    sent = EventHubsOutput("e:9093", {"a-gw1": KEY}, {"a-gw1": {"logs.0710.national": NATIONAL}})
    keep(project, "a", asdict(MunicipalityOutputs((), {}, sent)))
    assert provision.municipality_outputs(project, "a").event_hubs == sent


def test_a_stack_that_an_earlier_version_made_has_one_event_hub(project: Project) -> None:
    """So do its relays, until the next `vaern onboard` has made what is declared."""
    there = {"hosts": [], "device_namespaces": {}, "event_hubs": {"endpoint": "e:9093", "keys": {"a-gw1": asdict(KEY)}}}
    keep(project, "a", there)
    found = provision.municipality_outputs(project, "a").event_hubs
    assert found == EventHubsOutput("e:9093", {"a-gw1": KEY}, {})
    assert found.every() == (KEY,)


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
