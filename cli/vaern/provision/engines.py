"""Chooses the engine, backend and target for a stack."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from vaern.errors import ProvisionError
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern_stacks.lab.spec import Lab

if TYPE_CHECKING:
    from vaern_stacks.azure.target import AzureTarget
    from vaern_stacks.engine import Engine
    from vaern_stacks.lab.target import LabTarget
    from vaern_stacks.workspace import Remote


def lab_of(project: Project) -> Lab:
    """The lab of this state directory."""
    return Lab(project.lab_name, str(project.lab), str(project.tools))


def target_of(project: Project, target: Target) -> LabTarget | AzureTarget:
    """The target that makes the resources of a stack."""
    if target is Target.AZURE:
        from vaern_stacks.azure.target import AzureTarget

        return AzureTarget()
    from vaern_stacks.lab.target import LabTarget

    return LabTarget(lab_of(project))


def engine_of(project: Project, stack: str, deployment: Deployment | None = None) -> Engine:
    """The engine for one stack; on Azure, with the backend the deployment names."""
    from vaern_stacks.engine import Engine

    folder = project.state / "pulumi"
    if deployment is not None and deployment.target is Target.AZURE:
        from vaern_stacks.azure.faults import advice

        return Engine(folder, project.tools, stack, remote_of(deployment), advice)
    require_root()
    return Engine(folder, project.tools, stack)


def remote_of(deployment: Deployment) -> Remote | None:
    """The backend the environment or the declaration names."""
    from vaern_stacks.workspace import Remote

    settings = deployment.on_azure
    url = os.environ.get("VAERN_BACKEND") or settings.backend
    return Remote(url, settings.secrets_provider) if url else None


def require_root() -> None:
    """Raise ProvisionError unless the user is root."""
    if os.geteuid() != 0:
        raise ProvisionError(
            "the lab makes network namespaces and mounts, which needs root", fix="run the same command with sudo"
        )
