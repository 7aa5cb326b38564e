"""The state of a host as one digest, read by one ssh command, which shows whether work is already finished."""

from __future__ import annotations

import json
from pathlib import Path

from vaern.errors import StateError
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.state_file import read_object
from vaern.runtime.whole_file import replace_whole

SCRIPT = Path(__file__).parent / "host_state.sh"


def read(project: Project, hosts: tuple[str, ...]) -> dict[str, str]:
    """Digest of the state of each host. Raises UnreachableError naming the first that does not answer."""
    script = SCRIPT.read_text(encoding="ascii")
    return ssh.on_each(hosts, lambda host: ssh.run(project, host, "sh -s", stdin=script).stdout.strip())


def remembered(project: Project, play: str) -> dict[str, str]:
    """The record of a play's last run: `inputs` and one digest for each host; empty when there is no record."""
    try:
        return read_object(_record(project, play), fix="")
    except (FileNotFoundError, StateError):
        return {}  # the play is run in full


def remember(project: Project, play: str, inputs: str, states: dict[str, str]) -> None:
    """Record that these inputs left the hosts in these states."""
    replace_whole(_record(project, play), json.dumps({"inputs": inputs, **states}, indent=1).encode())


def forget(project: Project, play: str) -> None:
    """Delete the record of a play, so that it runs in full next time."""
    _record(project, play).unlink(missing_ok=True)


def _record(project: Project, play: str) -> Path:
    return project.state / "configured" / f"{play}.json"
