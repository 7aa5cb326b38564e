"""What a manifest covers: the declaration, what is generated from it, who receives, the roles and the host packages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from vaern.approval.manifest import PATH, Contents
from vaern.errors import ApprovalError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.receiving import receivers

NOT_DECIDING: dict[str, bool | dict[str, set[str]]] = {
    "soc_profiles": True,
    "azure": True,
    "notify": True,
    "hubs": {"__all__": {"archive_gib"}},
}
"""Parts of the deployment that are not taken whole: `receiving` has the profiles that this municipality chose, and of
Azure only where data are kept decides for a municipality; size of machines, disks and budgets do not, nor who in the
joint organisation is told of alarms: each new colleague would need a signature of all."""
PLACE_ON_AZURE = ("subscription", "tenant", "location", "environment", "admin_group")


def contents(
    deployment: Deployment,
    municipality: Municipality,
    files: Mapping[str, bytes],
    packages: Mapping[str, bytes],
) -> Contents:
    """Everything that decides for one municipality.

    `files` maps a path below the project to content: the declaration, generated files, who may sign, host keys and
    roles. `packages` maps the name of a host package to its content; it is built by set-up, and no file of the project.
    Raises ApprovalError for a path that `sha256sum --check` would not read as it is written.
    """
    for path in files:
        if not PATH.fullmatch(path):
            raise ApprovalError(
                f"{path!r} has a name that a manifest cannot hold",
                fix="rename it: letters, digits and . _ @ + = - only",
            )
    return Contents(
        facts=dict(_facts(deployment, municipality, packages)),
        files={path: hashlib.sha256(content).hexdigest() for path, content in files.items()},
    )


def _facts(
    deployment: Deployment, municipality: Municipality, packages: Mapping[str, bytes]
) -> Iterator[tuple[str, str]]:
    """Name and JSON of each value, in the order of the declarations."""
    yield from _flat("declared", municipality.model_dump(mode="json"))
    shared = deployment.model_dump(mode="json", exclude=NOT_DECIDING)
    yield from _flat("shared", shared)
    if deployment.azure:
        place = deployment.azure.model_dump(mode="json", include=set(PLACE_ON_AZURE))
        yield from _flat("shared", {"azure": place})
    profiles = {one.profile for one in receivers(deployment, municipality)} | set(municipality.soc.values())
    chosen = {name: deployment.soc_profiles[name].model_dump(mode="json") for name in sorted(profiles)}
    yield from _flat("receiving", chosen)
    for name, content in sorted(packages.items()):
        yield f"package {name}", json.dumps(hashlib.sha256(content).hexdigest())


def _flat(kind: str, value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every value below, by its key as messages about declarations write it; nothing is left out, not what is empty."""
    if isinstance(value, dict) and value:
        for name, below in value.items():
            yield from _flat(kind, below, f"{key}.{name}" if key else str(name))
    elif isinstance(value, list) and value:
        for label, below in zip(_labels(value), value, strict=True):
            yield from _flat(kind, below, f"{key}[{label}]")
    else:
        yield f"{kind} {key}", json.dumps(value, ensure_ascii=False)


def _labels(items: list[Any]) -> list[str]:
    """How the items of a list are told apart: by name where each has its own, so that one more moves no other."""
    names = [item.get("name") if isinstance(item, dict) else None for item in items]
    plain = all(isinstance(name, str) and " " not in name for name in names)
    if plain and len(set(names)) == len(names):
        return [str(name) for name in names]
    return [str(position) for position in range(len(items))]
