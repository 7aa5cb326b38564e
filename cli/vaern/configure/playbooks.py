"""Configure: runs the roles on the hosts with ansible-runner, reports every task, and counts what changed.

Ansible sees a folder of the run and nothing else: the inventory as it was computed, and the roles, the playbook and the
host packages as they were read. What stands beside the committed files, or is changed after it was compared with the
approval, is not in it.

Finished work is not done again: after a run, the state of each host (all of /etc, packages, units, firewall, peers) is
read as one digest. As long as the inputs and that digest stay the same, nothing has to change and the play is not run.
After any other change, whoever made it, the whole play is run.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vaern.configure import acceleration, host_state
from vaern.errors import ConfigureError, UnreachableError
from vaern.model.progress import OnProgress
from vaern.runtime import ssh
from vaern.runtime.new_file import write_new
from vaern.runtime.paths import Project
from vaern.runtime.private_folder import private_folder
from vaern.runtime.redaction import redact
from vaern.runtime.role_files import write_below

DATA = Path(__file__).parent
ROLES, INVENTORY, PACKAGES, PLAYBOOK = "roles", "inventory", "packages", "playbook/playbook.yml"
"""Where in the folder of a run its parts are."""
# Ansible keeps whatever a module on a host answers. A process of it needs less than a tenth of this.
BOUNDED = ("prlimit", f"--as={4 << 30}")
TASK_EVENTS = {"runner_on_ok", "runner_on_failed", "runner_on_unreachable", "runner_item_on_failed"}


@dataclass(frozen=True, slots=True)
class Play:
    """One playbook for one inventory. `variables` may hold secrets: they reach Ansible through memory only."""

    name: str
    playbook: str
    """Path of the playbook below roles/."""
    roles: Mapping[str, bytes]
    """Path below roles/ to content."""
    inventory: Mapping[str, str]
    """Path below the inventory's folder to text; `hosts.yml` is the inventory itself."""
    hosts: tuple[str, ...]
    variables: Mapping[str, Any]
    packages: Mapping[str, bytes] = field(default_factory=dict)
    """File name to content of the Debian packages that the role `programs` installs."""


@dataclass(frozen=True, slots=True)
class Configured:
    """What a play did. `changes` names host and task; `skipped` says that nothing had to be run."""

    play: str
    changes: tuple[str, ...]
    tasks: int
    skipped: bool
    log: Path | None = None


def configure(project: Project, play: Play, on_progress: OnProgress, *, full: bool = False) -> Configured:
    """Run a play, unless its inputs and hosts are as its last run left them; with `full`, always run it."""
    inputs = inputs_digest(play)
    known = host_state.remembered(project, play.name)
    if not full and known.get("inputs") == inputs:
        on_progress("comparing the hosts with what the last run left")
        if host_state.read(project, play.hosts) == {host: known.get(host) for host in play.hosts}:
            return Configured(play.name, (), 0, skipped=True)
    host_state.forget(project, play.name)
    configured = run_play(project, play, on_progress)
    host_state.remember(project, play.name, inputs, host_state.read(project, play.hosts))
    return configured


def run_play(project: Project, play: Play, on_progress: OnProgress, *, check: bool = False) -> Configured:
    """Run a play. With `check`, change nothing and return what would change.

    Raises ConfigureError naming host, task and message; UnreachableError when a host does not answer, ProvisionError
    when one has not been made.
    """
    from ansible_runner.interface import init_runner

    ssh.require_made(project, play.hosts)

    recorder = _Recorder(on_progress)
    with rendered(play) as folder:
        arguments = [f"-e @{folder / 'variables.json'}", *(["--check", "--diff"] if check else [])]
        if project.accelerated:
            arguments.append(f"-e strategy_family={acceleration.FAMILY}")
        runner = init_runner(
            private_data_dir=str(folder),
            playbook=str(folder / PLAYBOOK),
            inventory=str(folder / INVENTORY / "hosts.yml"),
            limit=",".join(play.hosts),
            cmdline=" ".join(arguments),
            envvars=environment(project, folder),
            event_handler=recorder.handle,
            quiet=True,
        )
        runner.config.command = [*BOUNDED, *ending_with(os.getpid()), *runner.config.command]
        runner.config.env = without_operators_settings(runner.config.env, os.environ, environment(project, folder))
        runner.run()
        log = write_new(project.logs / f"ansible-{play.name}.log", redact(runner.stdout.read()))
    recorder.raise_for(runner.status, log)
    return Configured(play.name, tuple(recorder.changes), recorder.tasks, skipped=False, log=log)


def ending_with(parent: int) -> tuple[str, ...]:
    """What stands before a command so that it gets SIGTERM when its parent dies, and is not begun when that is dead.

    ansible-runner lets a playbook outlive a run; this ends it even when all of vaern was killed, and nobody else can.
    A parent that dies before setpriv(1) has asked for the signal is noticed by the shell: it has another one then.
    """
    return ("setpriv", "--pdeathsig", "TERM", "sh", "-c", '[ "$PPID" = "$0" ] && exec "$@"', str(parent))


def environment(project: Project, folder: Path) -> dict[str, str]:
    """Settings of Ansible for every run; nothing is read from the operator's own configuration.

    Ansible renders its templates in `folder`, including secrets; a run that is killed leaves them there.
    """
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "ANSIBLE_CONFIG": str(DATA / "ansible.cfg"),
        # ansible-runner turns it off where nobody says so, whatever the configuration says.
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        # Plugins, collections and roles of the operator's home are looked for below it.
        "ANSIBLE_HOME": str(folder / "home"),
        "ANSIBLE_ROLES_PATH": str(folder / ROLES),
        "ANSIBLE_SSH_ARGS": f"-F {project.state / 'ssh_config'}",
        "ANSIBLE_LOCAL_TEMP": str(folder / "rendered"),
        **(acceleration.settings() if project.accelerated else {}),
    }


def without_operators_settings(
    env: Mapping[str, str], operators: Mapping[str, str], ours: Mapping[str, str]
) -> dict[str, str]:
    """The environment of a run without what the operator's own holds for Ansible, which ansible-runner passes on."""
    return {
        name: value
        for name, value in env.items()
        if name in ours or not name.startswith("ANSIBLE_") or operators.get(name) != value
    }


class _Recorder:
    """Handles ansible-runner's events: reports tasks, and keeps changes and failures."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.changes: list[str] = []
        self.failures: list[str] = []
        self.unreachable: list[str] = []
        self.tasks = 0

    def handle(self, event: Mapping[str, Any]) -> bool:
        """Handle one event; returns True, so that ansible-runner keeps it."""
        kind, data = event["event"], event.get("event_data", {})
        if kind not in TASK_EVENTS:
            return True
        where = f"{data.get('host', '')}: {data.get('task', '')}"
        result = data.get("res") or {}
        self.tasks += 1
        if kind == "runner_on_ok":
            self._on_progress(where)
            if result.get("changed"):
                self.changes.append(where)
        elif kind == "runner_on_unreachable":
            self.unreachable.append(f"{data.get('host', '')}: {result.get('msg', 'no answer')}")
        elif not data.get("ignore_errors"):
            self.failures.append(f"{where}: {_message(result)}")
        return True

    def raise_for(self, status: str, log: Path) -> None:
        """Raise UnreachableError or ConfigureError when the play did not succeed."""
        if self.unreachable:
            raise UnreachableError("; ".join(self.unreachable), fix="start the host or mend the link, then run again")
        if self.failures:
            raise ConfigureError("\n  ".join(self.failures), fix=f"the whole run is in {log}")
        if status != "successful":
            raise ConfigureError(f"ansible ended as {status}", fix=f"the whole run is in {log}")


def _message(result: Mapping[str, Any]) -> str:
    text = result.get("msg") or result.get("stderr") or result.get("censored") or "failed"
    return " ".join(str(text).split())[:600]


@contextmanager
def rendered(play: Play) -> Iterator[Path]:
    """A folder in memory, of this user alone, with all that the play is made of; removed afterwards.

    The playbook stands in a folder of its own, since Ansible also reads `group_vars` and plugins beside a playbook.
    """
    with private_folder() as folder:
        variables = dict(play.variables)
        if play.packages:
            variables["programs_packages"] = [str(folder / PACKAGES / name) for name in play.packages]
        write_below(folder / ROLES, play.roles)
        write_below(folder / INVENTORY, {path: text.encode() for path, text in play.inventory.items()})
        write_below(folder / PACKAGES, play.packages)
        write_below(folder, {PLAYBOOK: play.roles[play.playbook], "variables.json": json.dumps(variables).encode()})
        yield folder


def inputs_digest(play: Play) -> str:
    """Digest of everything a play is made of: roles, playbook, inventory, packages, variables."""
    digest = hashlib.sha256(json.dumps(dict(play.variables), sort_keys=True, default=str).encode())
    texts = {path: text.encode() for path, text in play.inventory.items()}
    for kind, files in ((ROLES, play.roles), (INVENTORY, texts), (PACKAGES, play.packages)):
        for path, content in sorted(files.items()):
            digest.update(f"{kind}/{path}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
