"""What the pulumi-azure-native SDK declares about a resource, read from its generated classes.

Names on the wire, types and what is required come from the getters of the argument classes, which is where Pulumi
itself takes them from. A resource's declaration is kept as JSON, since importing a module of the SDK takes seconds.
"""

from __future__ import annotations

import collections.abc
import enum
import importlib
import json
import os
import sys
import threading
import typing
from pathlib import Path
from typing import Any

from pulumi import _types

Shape = dict[str, Any]
"""One type: `kind` is text, boolean, integer, number, any, list, map, object, enum or either."""
SCALARS = {str: "text", bool: "boolean", int: "integer", float: "number"}
PACKAGE = "pulumi_azure_native"


class UnknownTokenError(LookupError):
    """The SDK has no such resource or function."""


class Sdk:
    """Declarations by token (`azure-native:storage:StorageAccount`), remembered in `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._known: dict[str, Shape] = {}
        # Several engines ask one process at the same time, and a module that is half imported has half its classes.
        self._one_at_a_time = threading.Lock()
        folder.mkdir(parents=True, exist_ok=True)

    def resource(self, token: str) -> Shape:
        """`inputs` and `outputs` of a resource, each an object shape. Raises UnknownTokenError."""
        with self._one_at_a_time:
            return self._resource(token)

    def _resource(self, token: str) -> Shape:
        if token not in self._known:
            path = self.folder / f"{token.replace(':', '.').replace('/', '.')}.json"
            if path.exists():
                self._known[token] = json.loads(path.read_text())
            else:
                self._known[token] = _declared(token)
                fresh = path.with_suffix(f".{os.getpid()}")
                fresh.write_text(json.dumps(self._known[token]))
                fresh.replace(path)
        return self._known[token]

    def has_function(self, token: str) -> bool:
        """Whether the SDK has that function."""
        module, name = _parts(token)
        python = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)
        return hasattr(module, python)


def _parts(token: str) -> tuple[Any, str]:
    try:
        package, module, name = token.split(":")
    except ValueError:
        raise UnknownTokenError(token) from None
    if package != "azure-native":
        raise UnknownTokenError(token)
    try:
        return importlib.import_module(f"{PACKAGE}.{module}"), name
    except ImportError:
        raise UnknownTokenError(token) from None


def _declared(token: str) -> Shape:
    module, name = _parts(token)
    resource = getattr(module, name, None)
    if not isinstance(resource, type):
        raise UnknownTokenError(token)
    home = sys.modules[resource.__module__]
    arguments = getattr(home, next(public for public in home.__all__ if public.endswith("Args")))
    return {"inputs": _object(arguments, ()), "outputs": _object(resource, ())}


def _object(cls: type, inside: tuple[type, ...]) -> Shape:
    """The properties of one generated class; a class inside itself is not followed again."""
    if cls in inside:
        return {"kind": "any"}
    fields = {}
    for _, wire, getter in _types._py_properties(cls):
        found = getter.fget.__annotations__.get("return", Any)
        shape, optional = _shape(found, cls, (*inside, cls))
        fields[wire] = {"shape": shape, "required": not optional}
    return {"kind": "object", "name": cls.__name__, "fields": fields}


def _shape(annotation: Any, owner: type, inside: tuple[type, ...]) -> tuple[Shape, bool]:
    """The shape an annotation stands for, and whether None is allowed."""
    if isinstance(annotation, str):
        annotation = typing.ForwardRef(annotation)
    if isinstance(annotation, typing.ForwardRef):
        annotation = _resolved(annotation.__forward_arg__, owner)
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Union:
        return _either(arguments, owner, inside)
    if origin in {collections.abc.Sequence, list}:
        return {"kind": "list", "of": _shape(arguments[0], owner, inside)[0]}, False
    if origin in {collections.abc.Mapping, dict}:
        return {"kind": "map", "of": _shape(arguments[1], owner, inside)[0]}, False
    if getattr(origin, "__name__", "") == "Output":
        return _shape(arguments[0], owner, inside)
    if annotation in SCALARS:
        return {"kind": SCALARS[annotation]}, False
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return {"kind": "enum", "name": annotation.__name__, "values": [member.value for member in annotation]}, False
    if isinstance(annotation, type) and (_types.is_input_type(annotation) or _types.is_output_type(annotation)):
        return _object(annotation, inside), False
    return {"kind": "any"}, False


def _either(arguments: tuple[Any, ...], owner: type, inside: tuple[type, ...]) -> tuple[Shape, bool]:
    optional, shapes = False, []
    for argument in arguments:
        if argument is type(None):
            optional = True
        elif typing.get_origin(argument) is not collections.abc.Awaitable and not _is_output(argument):
            shape, also = _shape(argument, owner, inside)
            optional = optional or also
            shapes += shape["of"] if shape["kind"] == "either" else [shape]
    return (shapes[0] if len(shapes) == 1 else {"kind": "either", "of": shapes}), optional


def _is_output(argument: Any) -> bool:
    return isinstance(argument, typing.ForwardRef) and argument.__forward_arg__.startswith("Output[")


def _resolved(name: str, owner: type) -> Any:
    names = vars(sys.modules[owner.__module__])
    return eval(name, dict(names))  # noqa: S307 - text of the SDK's own annotations, as typing would evaluate it
