"""What the plays of a run hold: all that Ansible needs, as computed and read, and nothing that was left somewhere."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from support.paths import ROOT
from support.yaml_text import read_yaml

from vaern.configure import Configured, Play, environment
from vaern.configure.playbooks import INVENTORY, PLAYBOOK, rendered
from vaern.declaration import load_fleet
from vaern.model.fleet import Fleet
from vaern.runtime.paths import Project
from vaern.runtime.role_files import role_files
from vaern.workflows import offboarding, plays
from vaern.workflows.sources import Sources


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The repository's declarations with roles, and a tar in place of Kafka's."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "roles").symlink_to(ROOT / "roles")
    shutil.copytree(ROOT / "inventories", folder / "inventories", ignore=shutil.ignore_patterns("*.lab.yml"))
    return Project(folder, folder / "state")


@pytest.fixture(scope="module")
def fleet(project: Project) -> Fleet:
    return load_fleet(project)


@pytest.fixture
def own(project: Project, fleet: Fleet) -> Play:
    sources = Sources(role_files(project), {"vaern-programs_1_all.deb": b"a package"})
    return plays.municipality_play(project, fleet, "favrskov", sources)


def syntax(project: Project, play: Play) -> subprocess.CompletedProcess[str]:
    """What Ansible says of the folder of a run, before it would connect to a host."""
    with rendered(play) as folder:
        command = ["ansible-playbook", "--syntax-check", "-e", f"@{folder / 'variables.json'}"]
        command += ["-i", str(folder / INVENTORY / "hosts.yml"), str(folder / PLAYBOOK)]
        settings = os.environ | environment(project, folder)
        return subprocess.run(command, env=settings, cwd=folder, capture_output=True, text=True, check=False)


def test_the_inventory_is_that_of_the_declaration_whatever_the_folder_holds(project: Project, fleet: Fleet) -> None:
    path = project.inventories / "favrskov" / "host_vars" / "favrskov-gw1.yml"
    before = path.read_text(encoding="utf-8")
    path.write_text("log_shipper_privacy: {cpr: keep}\n", encoding="utf-8")
    try:
        play = plays.municipality_play(project, fleet, "favrskov", Sources({}, {}))
    finally:
        path.write_text(before, encoding="utf-8")
    assert set(play.inventory) == {
        *("hosts.yml", "group_vars/all/baseline.yml"),
        *("host_vars/favrskov-gw1.yml", "host_vars/favrskov-sensor1.yml"),
    }
    assert play.inventory["host_vars/favrskov-gw1.yml"] == before
    assert play.hosts == ("favrskov-gw1", "favrskov-sensor1")


def test_the_hubs_are_given_every_enrolled_municipality(
    project: Project, fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plays, "enrolled_slugs", lambda *_: ["favrskov"])
    monkeypatch.setattr(Project, "kafka_archive", lambda self: Path("/nowhere/kafka-3.9.0.tar"))
    play = plays.shared_play(project, fleet, Sources(role_files(project), {}))
    tenants = read_yaml(play.inventory["group_vars/hubs/tenants.lab.yml"])
    assert [one["slug"] for one in tenants["collector_tenants"]] == ["favrskov"]
    done = syntax(project, play)
    assert done.returncode == 0, done.stderr


def test_ansible_finds_all_it_needs_in_the_folder_of_the_run(project: Project, own: Play) -> None:
    done = syntax(project, own)
    assert done.returncode == 0, done.stderr
    without = replace(own, roles={path: text for path, text in own.roles.items() if not path.startswith("vpn_link/")})
    assert "vpn_link" in syntax(project, without).stderr, "no role is found elsewhere"


def test_leaving_runs_its_own_playbook_on_the_same_hosts(
    project: Project, own: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Play] = []

    def run(project: Project, play: Play, tell: object) -> Configured:
        ran.append(play)
        return Configured(play.name, (), 1, skipped=False)

    monkeypatch.setattr("vaern.configure.run_play", run)
    assert offboarding._stop(project, own, lambda text: None) == "0 changes"
    (stop,) = ran
    assert (stop.playbook, stop.hosts, stop.variables) == ("offboard.yml", own.hosts, {})
    done = syntax(project, stop)
    assert done.returncode == 0, done.stderr
