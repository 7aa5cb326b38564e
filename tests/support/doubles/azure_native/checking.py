"""Holds the values the engine sends against what the SDK declares: unknown, missing and wrongly typed properties."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key that marks a special value; the next is that of a secret (pulumi, sdk/go/common/resource/properties.go)."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"
UNKNOWN = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
        "030794c1-ac77-496b-92df-f27374a8bd58",
        "e48ece36-62e2-4504-bad9-02848725956a",
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    }
)
"""Stand in for values a preview cannot know, one for each type."""
NOT_THE_WHOLE_LIST = frozenset({"VirtualMachineSizeTypes", "ConditionOperator"})
"""Lists that say nothing about a value outside them: machine sizes are added without a new API version, and the
operator of a log alert (GreaterThan and so on) shares its list's name with another service's (eq, gt and so on)."""

Fault = tuple[str, str]
"""Path of the property and what is wrong with it."""


def plain(value: Any) -> Any:
    """The same value with secrets taken out of their wrapping."""
    if isinstance(value, dict):
        if value.get(SIGNATURE) == SECRET:
            return plain(value["value"])
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value


def known(value: Any) -> bool:
    """Whether a preview knows this value, all of it."""
    if isinstance(value, dict):
        return all(known(item) for item in value.values())
    if isinstance(value, list):
        return all(known(item) for item in value)
    return not (isinstance(value, str) and value in UNKNOWN)


def faults(value: Any, shape: dict[str, Any], path: str = "") -> Iterator[Fault]:
    """What is wrong with a plain value; nothing when it fits its shape."""
    if (isinstance(value, str) and value in UNKNOWN) or shape["kind"] == "any":
        return
    if shape["kind"] == "object":
        yield from _object(value, shape, path)
    elif shape["kind"] == "either":
        yield from _either(value, shape["of"], path)
    elif shape["kind"] == "list" and isinstance(value, list):
        for position, item in enumerate(value):
            yield from faults(item, shape["of"], f"{path}[{position}]")
    elif shape["kind"] == "map" and isinstance(value, dict):
        for key, item in value.items():
            yield from faults(item, shape["of"], f"{path}[{key!r}]")
    elif not _is_scalar(value, shape):
        yield path, f"is {_said(value)}, declared is {_wanted(shape)}"


def _object(value: Any, shape: dict[str, Any], path: str) -> Iterator[Fault]:
    if not isinstance(value, dict):
        yield path, f"is {_said(value)}, declared is an object {shape['name']}"
        return
    fields = shape["fields"]
    for name, field in fields.items():
        if field["required"] and value.get(name) is None:
            yield _join(path, name), f"is missing; {shape['name']} requires it"
    for name, item in value.items():
        if name not in fields:
            yield _join(path, name), f"is unknown; {shape['name']} has {', '.join(sorted(fields))}"
        elif item is not None:
            yield from faults(item, fields[name]["shape"], _join(path, name))


def _either(value: Any, shapes: list[dict[str, Any]], path: str) -> Iterator[Fault]:
    """A text beside a list of values means the SDK lets anything through; the list is what the API takes."""
    closed = [shape for shape in shapes if shape["kind"] == "enum" and shape["name"] not in NOT_THE_WHOLE_LIST]
    candidates = [shape for shape in shapes if shape["kind"] != "text"] if closed else shapes
    found = [list(faults(value, shape, path)) for shape in candidates]
    if found and all(found):
        yield from min(found, key=len)


def _is_scalar(value: Any, shape: dict[str, Any]) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    match shape["kind"]:
        case "text":
            return isinstance(value, str)
        case "boolean":
            return isinstance(value, bool)
        case "integer":
            return number and float(value).is_integer()
        case "number":
            return number
        case "enum":
            return value in shape["values"] or (isinstance(value, str) and shape["name"] in NOT_THE_WHOLE_LIST)
    return False


def _wanted(shape: dict[str, Any]) -> str:
    return f"one of {', '.join(map(str, shape['values']))}" if shape["kind"] == "enum" else f"of type {shape['kind']}"


def _said(value: Any) -> str:
    return f"{value!r}" if isinstance(value, str | bool | int | float) else f"a {type(value).__name__}"


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
