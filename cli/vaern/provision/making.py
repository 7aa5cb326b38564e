"""Makes, previews, refreshes, adopts and removes one stack: `shared` for the collectors, or a municipality's slug."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from vaern.errors import ProvisionError, UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.outputs import MunicipalityOutputs, SharedOutputs
from vaern.model.vocabulary import Target
from vaern.provision.engines import engine_of, lab_of, remote_of, target_of
from vaern.provision.outputs import any_kept, forget, keep, ssh_config
from vaern.runtime.paths import Project
from vaern_stacks.changes import Change, Step
from vaern_stacks.drift import Moved
from vaern_stacks.lab import sweep
from vaern_stacks.lab.records import recorded

OnEvent = Callable[[Step], None]
NAMESPACE = "azure-native:eventhub:Namespace"
"""A resource that a connected municipality has on Azure, and an offboarded one does not."""


def provision_shared(project: Project, deployment: Deployment, on_event: OnEvent | None = None) -> SharedOutputs:
    """Make or repair the shared collectors. Raises ProvisionError, SetupError."""
    from vaern_stacks.collector import collector_program

    made: list[SharedOutputs] = []
    program = collector_program(target_of(project, deployment.target), deployment, made.append)
    engine_of(project, SHARED, deployment).up(program, on_event)
    keep(project, SHARED, made[-1], deployment)
    return made[-1]


def provision_municipality(
    project: Project, deployment: Deployment, municipality: Municipality, slug: str, on_event: OnEvent | None = None
) -> MunicipalityOutputs:
    """Make or repair one municipality's connection; the shared collectors must exist. Raises ProvisionError."""
    from vaern_stacks.municipality import municipality_program

    made: list[MunicipalityOutputs] = []
    target = target_of(project, municipality.target)
    program = municipality_program(target, deployment, municipality, slug, made.append)
    engine_of(project, slug, deployment).up(program, on_event)
    keep(project, slug, made[-1], deployment)
    return made[-1]


def adopt(project: Project, fleet: Fleet, stack: str, name: str, identity: str) -> None:
    """Add the resource with that Azure id to the state of one stack (`shared` or a slug). Raises UsageError."""
    from vaern_stacks.collector import collector_program
    from vaern_stacks.municipality import municipality_program

    deployment = fleet.deployment
    target = target_of(project, deployment.target)
    if stack == SHARED:
        program = collector_program(target, deployment, lambda _: None)
    else:
        program = municipality_program(target, deployment, fleet.municipalities[stack], stack, lambda _: None)
    engine_of(project, stack, deployment).adopt(program, name, identity)


def preview_shared(project: Project, deployment: Deployment, *, made: bool | None = None) -> list[Change]:
    """What `provision_shared` would change. `made` says whether the stack exists; None asks the backend."""
    from vaern_stacks.collector import collector_program

    program = collector_program(target_of(project, deployment.target), deployment, lambda _: None)
    return engine_of(project, SHARED, deployment).preview(program, made=made)


def preview_municipality(
    project: Project, deployment: Deployment, municipality: Municipality, slug: str, *, made: bool | None = None
) -> list[Change]:
    """What `provision_municipality` would change."""
    from vaern_stacks.municipality import municipality_program

    target = target_of(project, municipality.target)
    program = municipality_program(target, deployment, municipality, slug, lambda _: None)
    return engine_of(project, slug, deployment).preview(program, made=made)


def arm_template(
    deployment: Deployment, municipality: Municipality | None = None, slug: str = SHARED
) -> dict[str, Any]:
    """The declared resources of one stack as an ARM template; Azure is not contacted. Raises UsageError in the lab."""
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
    """Update the state of one stack (`shared` or a slug) from what really exists; the next `up` repairs differences."""
    return engine_of(project, stack, deployment).refresh(on_event)


def drift(project: Project, stack: str, deployment: Deployment) -> list[Moved]:
    """What has changed in one stack since its last run; changes neither the state nor the resources."""
    return engine_of(project, stack, deployment).drift()


def retention_days(municipality: Municipality) -> int:
    """For how many days the archive of a municipality keeps everything."""
    from vaern_stacks.azure.municipality import kept_days

    return kept_days(municipality)


def lock_retention(project: Project, deployment: Deployment, municipality: Municipality, slug: str) -> list[str]:
    """Lock the write-once policies of a municipality's archive permanently; returns the containers locked now.

    Raises UsageError on another target than Azure, ProvisionError when a policy is not as declared.
    """
    if deployment.target is not Target.AZURE:
        raise UsageError(
            f"the target is {deployment.target.value}, whose archive consists of files that root can remove",
            fix="only an archive on Azure can be locked (docs/azure.md)",
        )
    from vaern_stacks.azure import retention

    declared = retention.policies(deployment, municipality, slug, retention_days(municipality))
    manager = retention.RetentionLocker(retention.login(deployment.on_azure.tenant), retention.ENDPOINT)
    locked = retention.lock_policies(manager, declared)
    if locked:
        # Update the state, so that `vaern drift` does not report the change we made.
        engine_of(project, slug, deployment).refresh(only=f"azure-native:{retention.TOKEN}")
    return locked


def destroy_municipality(
    project: Project, slug: str, on_event: OnEvent | None = None, *, deployment: Deployment | None = None
) -> list[Change]:
    """Remove one municipality's connection, including what a killed run left; on Azure, everything but its evidence."""
    return destroy(project, slug, on_event, deployment)


def destroy_shared(
    project: Project, on_event: OnEvent | None = None, *, deployment: Deployment | None = None
) -> list[Change]:
    """Remove the shared collectors. Raises ProvisionError while a municipality is connected to them.

    On Azure the evidence and what it depends on are kept.
    """
    connected = [stack for stack in stacks(project, deployment) if stack != SHARED]
    if deployment is not None and deployment.target is Target.AZURE:
        # An offboarded municipality's archive stays in its state until the retention is over; that needs no collectors.
        connected = [one for one in connected if NAMESPACE in engine_of(project, one, deployment).kinds()]
    if connected:
        raise ProvisionError(
            f"the collectors are still used by {', '.join(connected)}", fix=f"run `vaern offboard {connected[0]}` first"
        )
    if deployment is not None and deployment.target is Target.AZURE:
        return _reduce_to_kept(project, deployment, on_event)
    return destroy(project, SHARED, on_event, deployment)


def _reduce_to_kept(project: Project, deployment: Deployment, on_event: OnEvent | None) -> list[Change]:
    """Reduce the shared stack to what is kept. A stack that was never completed is removed instead."""
    from vaern_stacks.azure.target import AzureTarget

    engine = engine_of(project, SHARED, deployment)
    if not engine.exists():
        return []

    def program() -> None:
        AzureTarget().declare_kept(deployment)

    if any(change.action == "create" for change in engine.preview(program, made=True)):
        return destroy(project, SHARED, on_event, deployment)
    forget(project, SHARED)
    return engine.up(program, on_event)


def stacks(project: Project, deployment: Deployment | None = None) -> list[str]:
    """Every stack that exists, even half made: `shared` and slugs; from the shared backend when there is one."""
    if deployment is not None and deployment.target is Target.AZURE and remote_of(deployment):
        return engine_of(project, SHARED, deployment).known()
    backend = project.state / "pulumi" / "backend" / ".pulumi" / "stacks" / "vaern"
    known = {path.stem for path in backend.glob("*.json")}
    return sorted(known | {made.stack for made in recorded(lab_of(project))})


def destroy(
    project: Project, stack: str, on_event: OnEvent | None, deployment: Deployment | None = None
) -> list[Change]:
    """Remove one stack, what a killed run left of it, and its recorded outputs; `deployment` is needed on Azure."""
    if deployment is not None and deployment.target is Target.AZURE:
        forget(project, stack)
        return engine_of(project, stack, deployment).destroy(on_event, keep_protected=True)
    changes = engine_of(project, stack).destroy(on_event)
    left = sweep.sweep_stack(lab_of(project), stack)
    forget(project, stack)
    if any_kept(project):
        ssh_config(project)
    return changes + [Change("delete", made.kind.value.capitalize(), made.name) for made in left]
