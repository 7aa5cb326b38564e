"""The last outputs of each stack, for later stages, and the ssh configuration made from them."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vaern.errors import ProvisionError
from vaern.model.deployment import Deployment
from vaern.model.naming import SHARED
from vaern.model.outputs import EventHubsOutput, HostOutput, MunicipalityOutputs, SendingKey, SharedOutputs
from vaern.model.vocabulary import Target
from vaern.provision.engines import lab_of
from vaern.runtime.paths import Project
from vaern.runtime.state_file import damaged, read_object
from vaern_stacks.azure import access as azure_access
from vaern_stacks.lab import access


def shared_outputs(project: Project) -> SharedOutputs:
    """The last outputs of the shared stack. Raises ProvisionError when it has not been made."""
    return SharedOutputs(_hosts_of(project, SHARED, _kept(project, SHARED)))


def municipality_outputs(project: Project, slug: str) -> MunicipalityOutputs:
    """The last outputs of a municipality's stack. Raises ProvisionError when it has not been made."""
    kept = _kept(project, slug)
    try:
        event_hubs = _event_hubs(kept.get("event_hubs"))
        return MunicipalityOutputs(_hosts_of(project, slug, kept), dict(kept["device_namespaces"]), event_hubs)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise damaged(_outputs(project) / f"{slug}.json", str(error), fix=_again(slug)) from error


def _hosts_of(project: Project, stack: str, kept: dict[str, Any]) -> tuple[HostOutput, ...]:
    try:
        return tuple(HostOutput(**host) for host in kept["hosts"])
    except TypeError as error:
        raise damaged(_outputs(project) / f"{stack}.json", str(error), fix=_again(stack)) from error


def keep(
    project: Project, stack: str, outputs: SharedOutputs | MunicipalityOutputs, deployment: Deployment | None = None
) -> None:
    """Store the outputs of a stack as a whole, and rewrite the ssh configuration."""
    path = _outputs(project) / f"{stack}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(outputs), indent=1))
    fresh.replace(path)
    ssh_config(project, deployment)


def ssh_config(project: Project, deployment: Deployment | None = None) -> Path:
    """Write `ssh_config` and `known_hosts` for every host of every stack, and return the first's path."""
    with _alone(project):
        paths = sorted(_outputs(project).glob("*.json"))
        stacks = {path.stem: _hosts_of(project, path.stem, _kept(project, path.stem)) for path in paths}
        if deployment is not None and deployment.target is Target.AZURE:
            program = Path(__file__).parent / "bastion_tunnel.py"
            places = azure_access.SshFiles(project.inventories, project.state, program)
            return azure_access.write_access(deployment, stacks, places)
        every = [host for hosts in stacks.values() for host in hosts]
        return access.write_access(lab_of(project), every, project.state)


def forget(project: Project, stack: str) -> None:
    """Delete the stored outputs of a stack, if there are any."""
    (_outputs(project) / f"{stack}.json").unlink(missing_ok=True)


def forget_everything(project: Project) -> None:
    """Delete the stored outputs of every stack, and the ssh configuration."""
    shutil.rmtree(_outputs(project), ignore_errors=True)
    for written in ("ssh_config", "known_hosts"):
        (project.state / written).unlink(missing_ok=True)


def any_kept(project: Project) -> bool:
    """Whether outputs of any stack are stored in this state directory."""
    return _outputs(project).is_dir()


def _event_hubs(kept: dict[str, Any] | None) -> EventHubsOutput | None:
    if kept is None:
        return None
    # A stack that an earlier version made has no others.
    others = {relay: _keys(keys) for relay, keys in kept.get("others", {}).items()}
    return EventHubsOutput(kept["endpoint"], _keys(kept["keys"]), others)


def _keys(kept: dict[str, dict[str, str]]) -> dict[str, SendingKey]:
    return {name: SendingKey(**key) for name, key in kept.items()}


def _outputs(project: Project) -> Path:
    return project.state / "outputs"


def _kept(project: Project, stack: str) -> dict[str, Any]:
    path = _outputs(project) / f"{stack}.json"
    if not path.exists():
        wanted = "vaern up" if stack == SHARED else f"vaern onboard {stack}"
        raise ProvisionError(f"the stack {stack} is not made", fix=f"run `{wanted}`")
    return read_object(path, fix=_again(stack), needs=("hosts",))


def _again(stack: str) -> str:
    """What writes the outputs of a stack anew; the engine's own state is elsewhere, and is not lost with them."""
    made_by = "vaern up" if stack == SHARED else f"vaern onboard {stack}"
    return f"remove the file and run `{made_by}`, which writes it anew"


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """One writer at a time: two municipalities may be provisioned at once."""
    project.state.mkdir(parents=True, exist_ok=True)
    with (project.state / "ssh_config.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
