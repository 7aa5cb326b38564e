"""Which roles run where: as Ansible would decide it from the playbooks, for every host that is declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jinja2 import Environment

from vaern import inventory
from vaern.configure.host_roles import roles_by_host
from vaern.declaration import load_fleet
from vaern.model.naming import SHARED
from vaern.runtime.paths import Project
from vaern.runtime.yaml_text import load

ROOT = Path(__file__).resolve().parents[3]
PLAYBOOKS = {"shared": ROOT / "roles/shared.yml", "municipality": ROOT / "roles/municipality.yml"}
FLEET = load_fleet(Project(ROOT, ROOT / ".vaern"))


def hosts_of(folder: str) -> str:
    files = (
        inventory.shared_files(FLEET.deployment) if folder == SHARED else inventory.municipality_files(FLEET, folder)
    )
    return files[f"{folder}/hosts.yml"]


def as_ansible_decides(playbook: str, groups: dict[str, Any], host: str) -> list[str]:
    """The conditions evaluated by the language they are written in."""
    names = [group for group, content in groups.items() if host in content["hosts"]]
    (play,) = load(playbook)
    return [
        entry["role"]
        for entry in play["roles"]
        if Environment().compile_expression(str(entry.get("when", "true")))(group_names=names)  # noqa: S701 - no HTML
    ]


@pytest.mark.parametrize("folder", [SHARED, *FLEET.municipalities])
def test_every_host_gets_the_roles_of_its_playbook(folder: str) -> None:
    playbook = PLAYBOOKS["shared" if folder == SHARED else "municipality"].read_text(encoding="utf-8")
    groups = load(hosts_of(folder))["all"]["children"]
    hosts = {host for content in groups.values() for host in content["hosts"]}
    found = roles_by_host(playbook, hosts_of(folder))
    assert found == {host: as_ansible_decides(playbook, groups, host) for host in hosts}
    assert all("watch" in roles for roles in found.values())


def test_a_condition_that_only_the_host_can_answer_is_said() -> None:
    playbook = (
        "[{hosts: all, roles: [{role: base}, {role: disk, when: [ansible_facts.devices]}, {role: x, when: a > 1}]}]"
    )
    inventory_text = "{all: {children: {hubs: {hosts: {hub1: null}}, others: {hosts: {}}}}}"
    assert roles_by_host(playbook, inventory_text) == {
        "hub1": ["base", "disk (when ['ansible_facts.devices'])", "x (when a > 1)"]
    }
