"""What is made of Ansible's events, when a play is left out, and where its secrets go."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from vaern.configure import Configured, Play, host_state, playbooks
from vaern.errors import ConfigureError, UnreachableError
from vaern.runtime.paths import Project

LOG = Path("ansible.log")


def event(kind: str, host: str = "hub1", task: str = "a task", **res: Any) -> Mapping[str, Any]:
    return {"event": kind, "event_data": {"host": host, "task": task, "res": res}}


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, tmp_path / ".vaern")


@pytest.fixture
def play() -> Play:
    return Play(
        name="shared",
        playbook="shared.yml",
        roles={"shared.yml": b"- hosts: all\n", "base/tasks/main.yml": b"---\n"},
        inventory={"hosts.yml": "all: {}\n", "host_vars/hub1.yml": "x: 1\n"},
        hosts=("hub1",),
        variables={"vpn_preshared_keys": {"a/b": "s3cr3t"}},
        packages={"vaern-programs_1_all.deb": b"a package"},
    )


def test_changes_are_counted_by_host_and_task() -> None:
    told: list[str] = []
    recorder = playbooks._Recorder(told.append)
    recorder.handle(event("runner_on_ok", changed=True))
    recorder.handle(event("runner_on_ok", host="gw1", changed=False))
    recorder.handle(event("playbook_on_stats"))
    assert recorder.changes == ["hub1: a task"]
    assert told == ["hub1: a task", "gw1: a task"]
    recorder.raise_for("successful", LOG)


def test_a_failed_task_is_named_with_its_message() -> None:
    recorder = playbooks._Recorder(lambda text: None)
    recorder.handle(event("runner_on_failed", task="Install the packages", msg="No package\n  matching 'x'"))
    with pytest.raises(ConfigureError, match="hub1: Install the packages: No package matching 'x'") as raised:
        recorder.raise_for("failed", LOG)
    assert "ansible.log" in raised.value.fix


def test_an_ignored_failure_is_none() -> None:
    recorder = playbooks._Recorder(lambda text: None)
    failed = event("runner_on_failed", msg="no")
    failed["event_data"]["ignore_errors"] = True
    recorder.handle(failed)
    recorder.raise_for("successful", LOG)


def test_an_unreachable_host_is_another_error() -> None:
    recorder = playbooks._Recorder(lambda text: None)
    recorder.handle(event("runner_on_unreachable", msg="timed out"))
    with pytest.raises(UnreachableError, match="hub1: timed out"):
        recorder.raise_for("failed", LOG)


def test_an_end_nobody_explained_is_an_error_too() -> None:
    with pytest.raises(ConfigureError, match="ended as timeout"):
        playbooks._Recorder(lambda text: None).raise_for("timeout", LOG)


def test_the_message_of_a_hidden_result_is_hidden() -> None:
    assert playbooks._message({"censored": "the output has been hidden"}) == "the output has been hidden"


def test_variables_are_private_and_gone_afterwards(play: Play) -> None:
    with playbooks.rendered(play) as folder:
        told = json.loads((folder / "variables.json").read_text())
        assert told["vpn_preshared_keys"] == {"a/b": "s3cr3t"}
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


class FakeRunner:
    """Stands for ansible-runner: its output is the command line it was given."""

    status = "successful"

    def __init__(self, **arguments: Any) -> None:
        self.config = SimpleNamespace(command=[], env={})
        self.stdout = StringIO(arguments["cmdline"])

    def run(self) -> None:
        """Nothing to run."""


def test_no_run_overwrites_the_log_of_another(project: Project, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run wrote over the log of the real one, and the second play of a rotation over the first."""
    monkeypatch.setattr("ansible_runner.interface.init_runner", FakeRunner)
    monkeypatch.setattr(playbooks.ssh, "require_made", lambda *_: None)
    made = []
    for run in "20261129T100000Z-7", "20261129T110000Z-8":
        monkeypatch.setattr("vaern.runtime.paths.RUN", run)
        made += [playbooks.run_play(project, play, lambda _: None, check=check).log for check in (False, True)]
    assert [path.relative_to(project.state / "logs") for path in made if path] == [
        Path(f"{run}/ansible-shared{number}.log")
        for run in ("20261129T100000Z-7", "20261129T110000Z-8")
        for number in ("", "-2")
    ]
    assert ["--check" in path.read_text() for path in made if path] == [False, True, False, True]


def test_a_run_sees_what_the_play_holds_and_nothing_else(play: Play) -> None:
    with playbooks.rendered(play) as folder:
        found = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
        (package,) = json.loads((folder / "variables.json").read_text())["programs_packages"]
        assert Path(package).read_bytes() == b"a package"
    assert found == {
        *("inventory/hosts.yml", "inventory/host_vars/hub1.yml", "roles/shared.yml", "roles/base/tasks/main.yml"),
        *("packages/vaern-programs_1_all.deb", "playbook/playbook.yml", "variables.json"),
    }


def variables_ansible_reads(project: Project, play: Play, beside: str) -> dict[str, Any]:
    """Of hub1, as ansible-inventory reads them for a playbook in that place of the folder of the run."""
    with playbooks.rendered(play) as folder:
        words = ["ansible-inventory", "-i", str(folder / "inventory/hosts.yml"), "--playbook-dir", str(folder / beside)]
        environment = os.environ | playbooks.environment(project, folder)
        told = subprocess.run([*words, "--host", "hub1"], capture_output=True, check=True, env=environment, cwd=folder)
    found: dict[str, Any] = json.loads(told.stdout)
    return {name: value for name, value in found.items() if not name.startswith("ansible_")}


def test_ansible_takes_no_variable_from_beside_the_playbook(play: Play, project: Project) -> None:
    """Seen: `host_vars/favrskov-gw1/keys.yml` turned the masking off; `roles/group_vars` is the same kind."""
    planted = {"group_vars/all.yml": b"planted: 1\n", "host_vars/hub1.yml": b"planted: 1\n"}
    reviewed = {"hosts.yml": "all: {hosts: {hub1: }}\n", "host_vars/hub1.yml": "reviewed: 1\n"}
    play = replace(play, roles={**play.roles, **planted}, inventory=reviewed)
    run = str(Path(playbooks.PLAYBOOK).parent)
    assert variables_ansible_reads(project, play, run) == {"reviewed": 1}
    assert variables_ansible_reads(project, play, playbooks.ROLES) == {"reviewed": 1, "planted": 1}, "as it was"


def test_the_real_ansible_sees_the_play_and_nothing_else(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On this machine: the variables and roles of the play, and no plugin that the operator has set."""
    plugins = tmp_path / "planted"
    plugins.mkdir()
    (plugins / "eve.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    for kind in ("VARS", "FILTER", "STRATEGY", "LOOKUP"):
        monkeypatch.setenv(f"ANSIBLE_{kind}_PLUGINS", str(plugins))
    project.state.mkdir()
    (project.state / "ssh_config").write_text("Host hub1\n")
    seen = tmp_path / "seen"
    task = f"ansible.builtin.copy: {{dest: {seen}, content: '{{{{ said }}}}', mode: '0600'}}"
    play = Play(
        name="one",
        playbook="one.yml",
        roles={
            "one.yml": b"- {hosts: hub1, gather_facts: false, roles: [writes]}\n",
            "writes/tasks/main.yml": f"- {task}\n".encode(),
            "group_vars/all.yml": b"said: planted beside the playbook\n",
        },
        inventory={
            "hosts.yml": "all: {hosts: {hub1: }}\n",
            "host_vars/hub1.yml": f"{{ansible_connection: local, ansible_python_interpreter: {sys.executable}}}\n",
            "group_vars/all/baseline.yml": "said: reviewed\n",
        },
        hosts=("hub1",),
        variables={},
    )
    assert playbooks.run_play(project, play, lambda text: None).changes == ("hub1: ansible.builtin.copy",)
    assert seen.read_text() == "reviewed"
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "change",
    [
        {"roles": {"shared.yml": b"- hosts: all\n", "base/tasks/main.yml": b"---\n# a line\n"}},
        {"roles": {"shared.yml": b"- hosts: all\n", "base/tasks/other.yml": b"---\n"}},
        {"inventory": {"hosts.yml": "all: {}\n", "host_vars/hub1.yml": "x: 2\n"}},
        {"packages": {"vaern-programs_1_all.deb": b"another"}},
        {"variables": {}},
    ],
)
def test_any_input_changes_the_digest(play: Play, change: dict[str, Any]) -> None:
    assert playbooks.inputs_digest(replace(play, **change)) != playbooks.inputs_digest(play)


class Hosts:
    """Stands for hosts whose state a test sets, and for a play that brings them into one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.state, self.runs = "bare", 0
        monkeypatch.setattr(host_state, "read", lambda project, hosts: dict.fromkeys(hosts, self.state))
        monkeypatch.setattr(playbooks, "run_play", self.run)

    def run(self, project: Project, play: Play, tell: object, *, check: bool = False) -> Configured:
        self.runs += 1
        self.state = "as declared"
        return Configured(play.name, ("hub1: a task",), 1, skipped=False)


def test_finished_work_is_left_out_until_something_differs(
    project: Project, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    hosts = Hosts(monkeypatch)
    quiet = lambda text: None  # noqa: E731
    assert not playbooks.configure(project, play, quiet).skipped
    assert playbooks.configure(project, play, quiet).skipped
    hosts.state = "edited by hand"
    assert not playbooks.configure(project, play, quiet).skipped
    assert playbooks.configure(project, play, quiet).skipped
    play = replace(play, roles={**play.roles, "base/tasks/main.yml": b"---\n# changed\n"})
    assert not playbooks.configure(project, play, quiet).skipped
    assert not playbooks.configure(project, play, quiet, full=True).skipped
    assert hosts.runs == 4


def test_a_failed_play_is_run_again(project: Project, play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    Hosts(monkeypatch)
    quiet = lambda text: None  # noqa: E731
    playbooks.configure(project, play, quiet)

    def burst(*arguments: object, **options: object) -> Configured:
        raise ConfigureError("burst")

    with monkeypatch.context() as patch:
        patch.setattr(playbooks, "run_play", burst)
        with pytest.raises(ConfigureError):
            playbooks.configure(project, play, quiet, full=True)
    assert not playbooks.configure(project, play, quiet).skipped


def test_the_operators_own_configuration_is_not_read(project: Project) -> None:
    settings = playbooks.environment(project, project.state)
    assert Path(settings["ANSIBLE_CONFIG"]).name == "ansible.cfg"
    assert Path(settings["ANSIBLE_CONFIG"]).is_file()
    assert str(project.state / "ssh_config") in settings["ANSIBLE_SSH_ARGS"]


def test_a_host_with_another_key_is_not_configured(
    project: Project, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen: ansible-runner had Ansible connect with StrictHostKeyChecking=no, over what ssh_config says."""
    from ansible_runner.interface import init_runner

    monkeypatch.delenv("ANSIBLE_HOST_KEY_CHECKING", raising=False)
    with playbooks.rendered(play) as folder:
        words = {"private_data_dir": str(folder), "playbook": str(folder / playbooks.PLAYBOOK)}
        runner = init_runner(**words, envvars=playbooks.environment(project, folder))
    assert runner.config.env["ANSIBLE_HOST_KEY_CHECKING"] == "True"


def test_neither_is_the_operators_environment(project: Project) -> None:
    """Nor plugins of the operator's home: what stands there is in no approval."""
    operators = {"ANSIBLE_VARS_PLUGINS": "/srv/planted", "ANSIBLE_CONFIG": "/srv/own.cfg", "LANG": "C"}
    ours = playbooks.environment(project, project.state)
    runners = {**operators, "ANSIBLE_CALLBACK_PLUGINS": "/runner", **ours}
    found = playbooks.without_operators_settings(runners, operators, ours)
    assert "ANSIBLE_VARS_PLUGINS" not in found
    assert (found["LANG"], found["ANSIBLE_CALLBACK_PLUGINS"]) == ("C", "/runner")
    assert found["ANSIBLE_CONFIG"] == ours["ANSIBLE_CONFIG"]
    assert Path(found["ANSIBLE_HOME"]).is_relative_to(project.state)


def test_ansible_renders_where_a_killed_run_leaves_nothing_for_long(project: Project, play: Play) -> None:
    """A template with a pre-shared key stayed in the state after kill -9; in the folder of the run it is swept."""
    with playbooks.rendered(play) as folder:
        rendered = Path(playbooks.environment(project, folder)["ANSIBLE_LOCAL_TEMP"])
        assert rendered.is_relative_to(folder)
        assert not rendered.is_relative_to(project.state)
