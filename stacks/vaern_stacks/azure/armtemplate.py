"""An ARM template of declared resources: pure. One deployment for the subscription, with one inside it for each group.

Resources of two groups wait for each other in turn (the archive's reader is an identity of the other group), and
deployments cannot. So a group has a deployment for each time the order comes back to it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from vaern_stacks.azure.armtypes import api_version, arm_type
from vaern_stacks.azure.recording import EXPRESSION, Declared, Secret

SCHEMAS = "https://schema.management.azure.com/schemas"
OUTER = f"{SCHEMAS}/2018-05-01/subscriptionDeploymentTemplate.json#"
INNER = f"{SCHEMAS}/2019-04-01/deploymentTemplate.json#"
DEPLOYMENTS = "2022-09-01"
"""Api version of nested deployments; they are no resource of the SDK's."""
Step = tuple[str, int]
"""One deployment: the name of its group, and how often the order went to another group before it."""


@dataclass
class _Parameters:
    """Secrets a deployment has to be given."""

    named: dict[str, dict[str, Any]] = field(default_factory=dict)

    def of(self, resource: Declared, path: tuple[str, ...]) -> str:
        """The expression in place of a secret."""
        name = "-".join([resource.name, *path])
        self.named[name] = {"type": "securestring", "metadata": {"description": f"Secret of {resource.name}"}}
        return f"[parameters('{name}')]"


def template(declared: Sequence[Declared]) -> dict[str, Any]:
    """The template of one stack, the same for the same declarations."""
    by_urn = {one.urn: one for one in declared}
    groups = [one for one in declared if _is_group(one)]
    steps = _steps(by_urn)
    inside: dict[Step, list[Declared]] = defaultdict(list)
    for urn, step in steps.items():
        inside[step].append(by_urn[urn])
    parameters = _Parameters()
    nested = [_deployment(step, inside[step], steps, groups, parameters) for step in sorted(inside, key=_order)]
    made = [_resource(one, set(), parameters) for one in groups]
    return {
        "$schema": OUTER,
        "contentVersion": "1.0.0.0",
        "metadata": {"description": "Exported by vaern to be read and checked; vaern itself deploys with Pulumi"},
        "parameters": parameters.named,
        "variables": {},
        "resources": [*made, *nested],
        "outputs": {},
    }


def _is_group(one: Declared) -> bool:
    return one.token.endswith(":ResourceGroup")


def _order(step: Step) -> tuple[int, str]:
    return step[1], step[0]


def _steps(by_urn: Mapping[str, Declared]) -> dict[str, Step]:
    """The deployment of every resource but the groups; one only waits for earlier ones, so none wait in a ring."""
    steps: dict[str, Step] = {}

    def step_of(urn: str) -> Step:
        if urn not in steps:
            group = by_urn[urn].id.split("/")[4]
            before = [step_of(other) for other in _awaited(by_urn[urn], by_urn)]
            steps[urn] = (group, max([turn + (where != group) for where, turn in before], default=0))
        return steps[urn]

    for urn, one in by_urn.items():
        if not _is_group(one):
            step_of(urn)
    return steps


def _awaited(one: Declared, by_urn: Mapping[str, Declared]) -> list[str]:
    return sorted(urn for urn in one.after if urn in by_urn and not _is_group(by_urn[urn]))


def _deployment(
    step: Step,
    resources: Sequence[Declared],
    steps: Mapping[str, Step],
    groups: Iterable[Declared],
    parameters: _Parameters,
) -> dict[str, Any]:
    group, _ = step
    own = _Parameters()
    here = {one.urn: one for one in resources}
    found = [_resource(one, {here[urn].id for urn in _nearest(one, here)}, own) for one in resources]
    parameters.named.update(own.named)
    earlier = {steps[urn] for one in resources for urn in one.after if urn in steps} - {step}
    needed = [one.id for one in groups if one.id.endswith(f"/{group}")]
    return {
        "type": "Microsoft.Resources/deployments",
        "apiVersion": DEPLOYMENTS,
        "name": _deployment_name(step),
        "resourceGroup": group,
        "dependsOn": [*needed, *(_deployment_id(other, resources[0]) for other in sorted(earlier, key=_order))],
        "properties": {
            "mode": "Incremental",
            "expressionEvaluationOptions": {"scope": "inner"},
            "parameters": {name: {"value": f"[parameters('{name}')]"} for name in own.named},
            "template": {
                "$schema": INNER,
                "contentVersion": "1.0.0.0",
                "parameters": own.named,
                "resources": found,
            },
        },
    }


def _nearest(one: Declared, here: Mapping[str, Declared]) -> frozenset[str]:
    """What it waits for in the same deployment, without what those wait for in turn."""
    awaited = one.after & here.keys()
    return awaited - {urn for other in awaited for urn in here[other].after}


def _deployment_name(step: Step) -> str:
    return f"{step[0]}-{step[1] + 1}"[-64:]


def _deployment_id(step: Step, of: Declared) -> str:
    subscription = "/".join(of.id.split("/")[:3])
    return f"{subscription}/resourceGroups/{step[0]}/providers/Microsoft.Resources/deployments/{_deployment_name(step)}"


def _resource(one: Declared, after: set[str], parameters: _Parameters) -> dict[str, Any]:
    known = arm_type(one.token)
    written = {
        "type": known.type,
        "apiVersion": api_version(one.token),
        "name": known.name(one.inputs),
        "comments": one.name,
    }
    above = one.id.rpartition(f"/providers/{known.relative(one.inputs)}")[0]
    scope = above.partition("/providers/")[2]  # nothing when it is the group itself
    if scope:
        written["scope"] = scope
    body = _filled(known.body(one.inputs), lambda path: parameters.of(one, path))
    return {**written, **body, **({"dependsOn": sorted(after)} if after else {})}


def _filled(value: Any, secret: Callable[[tuple[str, ...]], str], path: tuple[str, ...] = ()) -> Any:
    """The value as a template has it: secrets are parameters, identities a mapping, and text is no expression."""
    if isinstance(value, Secret):
        return secret(path[1:] if path[0] == "properties" else path)
    if isinstance(value, dict):
        filled = {key: _filled(item, secret, (*path, key)) for key, item in sorted(value.items())}
        if isinstance(filled.get("userAssignedIdentities"), list):
            filled["userAssignedIdentities"] = {one: {} for one in filled["userAssignedIdentities"]}
        return filled
    if isinstance(value, list):
        return [_filled(item, secret, (*path, str(number))) for number, item in enumerate(value)]
    if isinstance(value, str) and value.startswith("[") and not value.startswith(EXPRESSION):
        return f"[{value}"
    return value
