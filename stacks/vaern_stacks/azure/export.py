"""The stacks of Azure as ARM templates, for eyes and tools that read those: `vaern preview --arm`."""

from __future__ import annotations

from typing import Any

from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern_stacks.azure.armtemplate import template
from vaern_stacks.azure.municipality import municipality_stack
from vaern_stacks.azure.recording import record
from vaern_stacks.azure.shared import shared_stack


def shared_template(deployment: Deployment) -> dict[str, Any]:
    """What the shared stack declares."""
    settings = deployment.on_azure
    declared = record(lambda: shared_stack(deployment), settings.subscription)
    return template(declared)


def municipality_template(deployment: Deployment, municipality: Municipality, slug: str) -> dict[str, Any]:
    """What a municipality's stack declares."""
    settings = deployment.on_azure
    declared = record(lambda: municipality_stack(deployment, municipality, slug), settings.subscription)
    return template(declared)
