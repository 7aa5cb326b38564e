"""Provision: make, preview, refresh and remove the stacks, and hand typed outputs to the later stages.

One stack `shared` for the collectors, one a municipality under its slug. What a stack gave last is kept in
`<state>/outputs/`, and the ssh configuration of all of them is written anew whenever one changes.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaern.errors import ProvisionError, UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.outputs import EventHubsOutput, HostOutput, MunicipalityOutputs, SendingKey, SharedOutputs
from vaern.model.vocabulary import Target
from vaern.paths import Project
from vaern_stacks.azure import access as azure_access
from vaern_stacks.changes import Change, Step
from vaern_stacks.drift import Moved
from vaern_stacks.lab import access, machine, sweep
from vaern_stacks.lab.records import Kind, recorded
from vaern_stacks.lab.spec import Lab

if TYPE_CHECKING:
    from vaern_stacks.azure.target import AzureTarget
    from vaern_stacks.engine import Engine
    from vaern_stacks.lab.target import LabTarget
    from vaern_stacks.workspace import Remote

OnEvent = Callable[[Step], None]
NAMESPACE = "azure-native:eventhub:Namespace"
"""What a connected municipality has on Azure, and an offboarded one has not."""


def provision_shared(project: Project, deployment: Deployment, on_event: OnEvent | None = None) -> SharedOutputs:
    """Make or mend the shared collectors. Raises ProvisionError, SetupError."""
    from vaern_stacks.collector import collector_program

    made: list[SharedOutputs] = []
    program = collector_program(_target(project, deployment.target), deployment, made.append)
    _engine(project, SHARED, deployment).up(program, on_event)
    _keep(project, SHARED, made[-1], deployment)
    return made[-1]


def provision_municipality(
    project: Project, deployment: Deployment, municipality: Municipality, slug: str, on_event: OnEvent | None = None
) -> MunicipalityOutputs:
    """Make or mend one municipality's connection; the shared collectors must be there. Raises ProvisionError."""
    from vaern_stacks.municipality import municipality_program

    made: list[MunicipalityOutputs] = []
    target = _target(project, municipality.target)
    program = municipality_program(target, deployment, municipality, slug, made.append)
    _engine(project, slug, deployment).up(program, on_event)
    _keep(project, slug, made[-1], deployment)
    return made[-1]


def adopt(project: Project, fleet: Fleet, stack: str, name: str, identity: str) -> None:
    """Take what is there under that id into the state of one stack (`shared` or a slug). Raises UsageError."""
    from vaern_stacks.collector import collector_program
    from vaern_stacks.municipality import municipality_program

    deployment = fleet.deployment
    target = _target(project, deployment.target)
    if stack == SHARED:
        program = collector_program(target, deployment, lambda _: None)
    else:
        program = municipality_program(target, deployment, fleet.municipalities[stack], stack, lambda _: None)
    _engine(project, stack, deployment).adopt(program, name, identity)


def preview_shared(project: Project, deployment: Deployment, *, made: bool | None = None) -> list[Change]:
    """What `provision_shared` would change. `made` says whether the stack is there; without it the backend is asked."""
    from vaern_stacks.collector import collector_program

    program = collector_program(_target(project, deployment.target), deployment, lambda _: None)
    return _engine(project, SHARED, deployment).preview(program, made=made)


def preview_municipality(
    project: Project, deployment: Deployment, municipality: Municipality, slug: str, *, made: bool | None = None
) -> list[Change]:
    """What `provision_municipality` would change."""
    from vaern_stacks.municipality import municipality_program

    target = _target(project, municipality.target)
    program = municipality_program(target, deployment, municipality, slug, lambda _: None)
    return _engine(project, slug, deployment).preview(program, made=made)


def arm_template(
    deployment: Deployment, municipality: Municipality | None = None, slug: str = SHARED
) -> dict[str, Any]:
    """The declared graph of one stack as an ARM template; nobody is asked. Raises UsageError on another target."""
    if deployment.target is not Target.AZURE:
        raise UsageError(
            f"the target is {deployment.target.value}, which has no ARM template",
            fix="declare `target: azure` (docs/azure.md), or run `vaern preview` without --arm",
        )
    from vaern_stacks.azure import export

    if municipality is None:
        return export.shared_template(deployment)
    return export.municipality_template(deployment, municipality, slug)


def refresh(
    project: Project, stack: str, on_event: OnEvent | None = None, *, deployment: Deployment | None = None
) -> list[Change]:
    """Read what is really there into the state of one stack (`shared` or a slug); the next `up` mends it."""
    return _engine(project, stack, deployment).refresh(on_event)


def drift(project: Project, stack: str, deployment: Deployment) -> list[Moved]:
    """What of one stack is not as it was left; neither the state nor the world is changed."""
    return _engine(project, stack, deployment).drift()


def retention_days(municipality: Municipality) -> int:
    """For how many days the archive of a municipality keeps everything."""
    from vaern_stacks.azure.municipality import kept_days

    return kept_days(municipality)


def lock_retention(project: Project, deployment: Deployment, municipality: Municipality, slug: str) -> list[str]:
    """Lock the write-once policies of a municipality's archive for ever; returns the containers locked now.

    Raises UsageError on another target than Azure, ProvisionError when a policy is not as declared.
    """
    if deployment.target is not Target.AZURE:
        raise UsageError(
            f"the target is {deployment.target.value}, whose archive is made of files that root can remove",
            fix="nothing can be locked here; on Azure (docs/azure.md) the policies of the containers are",
        )
    from vaern_stacks.azure import retention

    declared = retention.policies(deployment, municipality, slug, retention_days(municipality))
    manager = retention.Manager(retention.login(deployment.on_azure.tenant), retention.ENDPOINT)
    locked = retention.lock_all(manager, declared)
    if locked:
        # The state learns of it, so that `vaern drift` does not tell of our own doing.
        _engine(project, slug, deployment).refresh(only=f"azure-native:{retention.TOKEN}")
    return locked


def destroy_municipality(
    project: Project, slug: str, on_event: OnEvent | None = None, *, deployment: Deployment | None = None
) -> list[Change]:
    """Remove one municipality's connection, also what a killed run left of it; on Azure, all but its evidence."""
    return _destroy(project, slug, on_event, deployment)


def destroy_shared(
    project: Project, on_event: OnEvent | None = None, *, deployment: Deployment | None = None
) -> list[Change]:
    """Remove the shared collectors. Raises ProvisionError while a municipality is connected to them.

    On Azure what holds evidence stays, and what that hangs on.
    """
    connected = [stack for stack in stacks(project, deployment) if stack != SHARED]
    if deployment is not None and deployment.target is Target.AZURE:
        # An offboarded municipality's archive stays in its state until the retention is over; that needs no collectors.
        connected = [one for one in connected if NAMESPACE in _engine(project, one, deployment).kinds()]
    if connected:
        raise ProvisionError(
            f"the collectors are used by {', '.join(connected)}", fix=f"run `vaern offboard {connected[0]}` first"
        )
    if deployment is not None and deployment.target is Target.AZURE:
        return _rest(project, deployment, on_event)
    return _destroy(project, SHARED, on_event, deployment)


def _rest(project: Project, deployment: Deployment, on_event: OnEvent | None) -> list[Change]:
    """Make the shared stack what stays of it. One that was never made whole is taken apart instead, not completed."""
    from vaern_stacks.azure.target import AzureTarget

    engine = _engine(project, SHARED, deployment)
    if not engine.exists():
        return []

    def program() -> None:
        AzureTarget().at_rest(deployment)

    if any(change.action == "create" for change in engine.preview(program, made=True)):
        return _destroy(project, SHARED, on_event, deployment)
    (_outputs(project) / f"{SHARED}.json").unlink(missing_ok=True)
    return engine.up(program, on_event)


def stacks(project: Project, deployment: Deployment | None = None) -> list[str]:
    """Every stack that is made, or half made: `shared` and slugs. A shared backend is asked for its own."""
    if deployment is not None and deployment.target is Target.AZURE and _remote(deployment):
        return _engine(project, SHARED, deployment).known()
    backend = project.state / "pulumi" / "backend" / ".pulumi" / "stacks" / "vaern"
    known = {path.stem for path in backend.glob("*.json")}
    return sorted(known | {made.stack for made in recorded(_lab(project))})


def shared_outputs(project: Project) -> SharedOutputs:
    """What the shared stack gave last. Raises ProvisionError when it is not made."""
    return SharedOutputs(tuple(HostOutput(**host) for host in _kept(project, SHARED)["hosts"]))


def municipality_outputs(project: Project, slug: str) -> MunicipalityOutputs:
    """What a municipality's stack gave last. Raises ProvisionError when it is not made."""
    kept = _kept(project, slug)
    hosts = tuple(HostOutput(**host) for host in kept["hosts"])
    return MunicipalityOutputs(hosts, kept["device_namespaces"], _event_hubs(kept.get("event_hubs")))


def _event_hubs(kept: dict[str, Any] | None) -> EventHubsOutput | None:
    if kept is None:
        return None
    return EventHubsOutput(kept["endpoint"], {relay: SendingKey(**key) for relay, key in kept["keys"].items()})


def ssh_config(project: Project, deployment: Deployment | None = None) -> Path:
    """Write `ssh_config` and `known_hosts` for every host of every stack, and return the first's path."""
    with _alone(project):
        paths = sorted(_outputs(project).glob("*.json"))
        stacks = {path.stem: [HostOutput(**host) for host in _hosts(path)] for path in paths}
        if deployment is not None and deployment.target is Target.AZURE:
            program = Path(__file__).parent / "data" / "bastion_tunnel.py"
            places = azure_access.Places(project.inventories, project.state, program)
            return azure_access.write_access(deployment, stacks, places)
        every = [host for hosts in stacks.values() for host in hosts]
        return access.write_access(_lab(project), every, project.state)


def lab_hosts(project: Project) -> dict[str, bool]:
    """Every host of the lab by inventory name, and whether it runs."""
    lab = _lab(project)
    return {made.name: machine.running(lab, made.name) for made in recorded(lab) if made.kind is Kind.HOST}


def shell_argv(project: Project, host: str) -> list[str]:
    """The command that opens a shell in a lab host, past its network. Raises UsageError for a host there is not."""
    lab = _lab(project)
    init = machine.init(lab, host)
    if init is None:
        names_known = ", ".join(lab_hosts(project)) or "none"
        raise UsageError(f"{host} is not a running host of this lab ({names_known})", fix="run `vaern lab list`")
    return ["nsenter", f"--target={init}", "--all", "--wd=/root", "/bin/bash", "--login"]


def down(project: Project, on_event: OnEvent | None = None) -> list[str]:
    """Remove every stack, then whatever of the lab is left, and return what could not be removed."""
    lab = _lab(project)
    _require_root()
    for stack in sorted(stacks(project), key=lambda stack: stack == SHARED):
        _destroy(project, stack, on_event)
    sweep.sweep(lab)
    shutil.rmtree(_outputs(project), ignore_errors=True)
    for written in ("ssh_config", "known_hosts"):
        (project.state / written).unlink(missing_ok=True)
    return sweep.leftovers(lab)


def _destroy(
    project: Project, stack: str, on_event: OnEvent | None, deployment: Deployment | None = None
) -> list[Change]:
    if deployment is not None and deployment.target is Target.AZURE:
        (_outputs(project) / f"{stack}.json").unlink(missing_ok=True)
        return _engine(project, stack, deployment).destroy(on_event, keep_protected=True)
    changes = _engine(project, stack).destroy(on_event)
    left = sweep.sweep_stack(_lab(project), stack)
    (_outputs(project) / f"{stack}.json").unlink(missing_ok=True)
    if _outputs(project).is_dir():
        ssh_config(project)
    return changes + [Change("delete", made.kind.value.capitalize(), made.name) for made in left]


def _lab(project: Project) -> Lab:
    return Lab(project.lab_name, str(project.lab), str(project.tools))


def _target(project: Project, target: Target) -> LabTarget | AzureTarget:
    if target is Target.AZURE:
        from vaern_stacks.azure.target import AzureTarget

        return AzureTarget()
    from vaern_stacks.lab.target import LabTarget

    return LabTarget(_lab(project))


def _engine(project: Project, stack: str, deployment: Deployment | None = None) -> Engine:
    """The engine for one stack; on Azure, with the backend the deployment names."""
    from vaern_stacks.engine import Engine

    folder = project.state / "pulumi"
    if deployment is not None and deployment.target is Target.AZURE:
        from vaern_stacks.azure.faults import advice

        return Engine(folder, project.tools, stack, _remote(deployment), advice)
    _require_root()
    return Engine(folder, project.tools, stack)


def _remote(deployment: Deployment) -> Remote | None:
    """The backend the environment or the declaration names."""
    from vaern_stacks.workspace import Remote

    settings = deployment.on_azure
    url = os.environ.get("VAERN_BACKEND") or settings.backend
    return Remote(url, settings.secrets_provider) if url else None


def _require_root() -> None:
    if os.geteuid() != 0:
        raise ProvisionError(
            "the lab makes network namespaces and mounts, which needs root", fix="run the same command with sudo"
        )


def _outputs(project: Project) -> Path:
    return project.state / "outputs"


def _keep(
    project: Project, stack: str, outputs: SharedOutputs | MunicipalityOutputs, deployment: Deployment | None = None
) -> None:
    path = _outputs(project) / f"{stack}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(f".{os.getpid()}")
    fresh.write_text(json.dumps(asdict(outputs), indent=1))
    fresh.replace(path)
    ssh_config(project, deployment)


def _kept(project: Project, stack: str) -> dict[str, Any]:
    path = _outputs(project) / f"{stack}.json"
    if not path.exists():
        wanted = "vaern up" if stack == SHARED else f"vaern onboard {stack}"
        raise ProvisionError(f"the stack {stack} is not made", fix=f"run `{wanted}`")
    return dict(json.loads(path.read_text()))


def _hosts(path: Path) -> list[dict[str, str]]:
    return list(json.loads(path.read_text())["hosts"])


@contextmanager
def _alone(project: Project) -> Iterator[None]:
    """One writer at a time: two municipalities may be provisioned at once."""
    project.state.mkdir(parents=True, exist_ok=True)
    with (project.state / "ssh_config.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
