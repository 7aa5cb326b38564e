"""What Azure Resource Manager (ARM) calls a resource: type, name, id, api version and the form of its body.

The SDK knows the api version of each resource and says it in its documentation; types and forms are in `arm.yml`.
"""

from __future__ import annotations

import importlib
import re
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PACKAGE = "azure-native"
DATA = Path(__file__).parent / "arm.yml"
BESIDE = frozenset({"id", "name", "identity"})
"""Fields that stay beside the `properties` of an object inside a resource."""


@dataclass(frozen=True, slots=True)
class ArmType:
    """One row of `arm.yml`, which says what each of these means."""

    token: str
    type: str
    names: tuple[str, ...]
    envelope: frozenset[str]
    scope: str = ""
    within: str = ""
    inside: tuple[str, ...] = ()
    refer: tuple[str, ...] = ()
    wrap: tuple[str, ...] = ()
    rename: Mapping[str, str] = field(default_factory=dict)
    answers: tuple[str, ...] = ()

    def _names(self, inputs: Mapping[str, Any]) -> list[str]:
        return [part[1:] if part.startswith("=") else str(inputs[part]) for part in self.names]

    def name(self, inputs: Mapping[str, Any]) -> str:
        """The name with those of its parents, as a template has it."""
        return "/".join(self._names(inputs)[bool(self.within) :])

    def relative(self, inputs: Mapping[str, Any]) -> str:
        """Type and name in turn, as at the end of an id: `Microsoft.Storage/storageAccounts/x/blobServices/default`."""
        provider, *kinds = self.type.split("/")
        names = self.name(inputs).split("/")
        return "/".join([provider, *(part for pair in zip(kinds, names, strict=True) for part in pair)])

    def belongs_to(self, inputs: Mapping[str, Any], subscription: str) -> str:
        """Id of the resource or group this one is below."""
        if self.scope:
            return str(inputs[self.scope])
        group = f"/subscriptions/{subscription}/resourceGroups/{inputs['resourceGroupName']}"
        return f"{group}/providers/{self.within}/{self._names(inputs)[0]}" if self.within else group

    def id(self, inputs: Mapping[str, Any], subscription: str) -> str:
        """The whole id."""
        if self.type == "Microsoft.Resources/resourceGroups":
            return f"/subscriptions/{subscription}/resourceGroups/{self.name(inputs)}"
        return f"{self.belongs_to(inputs, subscription)}/providers/{self.relative(inputs)}"

    def body(self, inputs: Mapping[str, Any]) -> dict[str, Any]:
        """The resource without its name: fields beside `properties`, and everything else in it."""
        spoken = {*self.names, self.scope, "resourceGroupName"}
        given = {key: value for key, value in inputs.items() if key not in spoken}
        for path in self.refer:
            given = _changed(given, path.split("."), lambda found: {"id": found["id"]})
        for path in self.wrap:
            given = _changed(given, path.split("."), _wrapped)
        for path, name in self.rename.items():
            *way, old = path.split(".")
            given = _changed(given, way, lambda found, old=old, new=name: _renamed(found, old, new))
        outside = self.envelope - {*self.inside}
        own = {key: value for key, value in given.items() if key not in outside}
        own = {**own.pop("properties", {}), **own}
        beside = {key: value for key, value in given.items() if key in outside}
        return {**beside, "properties": own} if own or self.type.count("/") > 1 else beside


def _wrapped(found: dict[str, Any]) -> dict[str, Any]:
    beside = {key: value for key, value in found.items() if key in BESIDE}
    own = {key: value for key, value in found.items() if key not in BESIDE}
    return {**beside, "properties": own} if own else beside


def _renamed(found: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    return {new if key == old else key: value for key, value in found.items()}


def _changed(value: Any, way: list[str], change: Any) -> Any:
    """The value with everything at the end of the way changed; what is not there is left out."""
    if not way:
        return change(value)
    step, many = way[0].removesuffix("[]"), way[0].endswith("[]")
    found = value.get(step) if isinstance(value, dict) else None
    if found is None:
        return value
    after = [_changed(one, way[1:], change) for one in found] if many else _changed(found, way[1:], change)
    return {**value, step: after}


@cache
def arm_types() -> dict[str, ArmType]:
    """Every row of `arm.yml` by token, such as `storage:StorageAccount`."""
    from vaern.runtime.yaml_text import load

    data = load(DATA.read_text(encoding="utf-8"))
    envelope = frozenset(data["envelope"])
    return {token: _row(token, row, envelope) for token, row in data["types"].items()}


def arm_type(token: str) -> ArmType:
    """The row of a token with its package. Raises LookupError, saying where to add one."""
    known = arm_types().get(token.removeprefix(f"{PACKAGE}:"))
    if known is None:
        raise LookupError(f"{DATA.name} says nothing about {token}")
    return known


def _row(token: str, row: Mapping[str, Any], envelope: frozenset[str]) -> ArmType:
    listed: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in row.items()}
    return ArmType(token=token, envelope=envelope, **listed)


@cache
def api_version(token: str) -> str:
    """The version of Azure's interface the SDK uses for a resource, such as `2024-01-01`.

    Raises LookupError when its documentation does not say, so that no version is ever guessed.
    """
    module, kind = token.removeprefix(f"{PACKAGE}:").split(":")
    resource = getattr(importlib.import_module(f"pulumi_azure_native.{module}"), kind)
    for text in _documentation(resource):
        found = re.search(r"Uses Azure REST API version (\d{4}-\d{2}-\d{2}(?:-[a-z]+)?)\.", text)
        if found:
            return found[1]
    raise LookupError(f"the SDK does not say which version of Azure's interface {token} uses")


def _documentation(resource: type) -> Iterator[str]:
    # The SDK documents the overloads of the constructor, not the class.
    for overload in typing.get_overloads(resource.__init__):  # type: ignore[misc]
        yield overload.__doc__ or ""
