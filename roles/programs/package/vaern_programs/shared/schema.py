"""Checks JSON against a typed shape, before anything is done with it.

A shape is a type: a TypedDict, list, dict, tuple, Literal, union with None, or a plain value. Its limits (`limits`)
stand beside it in `Annotated`; where none stands, a default holds, so nothing is without bound. Keys that a TypedDict
does not name are left out of the result, so that a newer host may report more.
"""

from __future__ import annotations

import functools
import types
from dataclasses import dataclass
from typing import Annotated, Any, Generic, Literal, NotRequired, TypeVar, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_typed_dict

from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.limits import ELEMENTS, Check, limit_of, plain

Shape = TypeVar("Shape")


@dataclass(frozen=True, slots=True)
class Schema(Generic[Shape]):
    """One kind of report: its shape, and how many bytes of JSON it may take."""

    shape: type[Shape]
    most_bytes: int

    def parse(self, text: str | bytes) -> Shape:
        """The report in a text of JSON. Raises UnfitError."""
        return self.take(loads(text, self.most_bytes))

    def take(self, value: object) -> Shape:
        """A value that has been parsed already, with the keys of the shape only. Raises UnfitError."""
        kind: Any = self.shape
        checked: Shape = _compiled(kind)(value)
        return checked


@functools.cache
def _compiled(shape: Any) -> Check:
    return check_of(shape)


def check_of(shape: Any) -> Check:
    """A function that returns a value of that shape, or raises UnfitError. Raises TypeError for a shape it lacks."""
    limits: tuple[Any, ...] = ()
    if get_origin(shape) is Annotated:
        shape, *annotated = get_args(shape)
        limits = tuple(annotated)
    origin, inner = get_origin(shape), get_args(shape)
    if origin is NotRequired:
        return check_of(inner[0])
    if is_typed_dict(shape):
        return _typed_dict(shape)
    if origin in {types.UnionType, Union}:
        return _optional(shape, limits)
    if origin is Literal:
        return _literal(inner)
    if origin is tuple:
        return _tuple([check_of(one) for one in inner])
    if origin is list:
        return _list(check_of(inner[0]), limit_of(limits, ELEMENTS).count)
    if origin is dict:
        return _dict(check_of(inner[0]), check_of(inner[1]), limit_of(limits, ELEMENTS).count)
    return plain(shape, limits)


def _at(where: object, check: Check, value: Any) -> Any:
    try:
        return check(value)
    except UnfitError as fault:
        raise UnfitError(f"{where}: {fault}") from None


def _typed_dict(shape: Any) -> Check:
    hints = get_type_hints(shape, include_extras=True)
    checks = {key: check_of(one) for key, one in hints.items()}
    # Python itself does not know which are required where annotations are evaluated late.
    required = {key for key, one in hints.items() if shape.__total__ and get_origin(one) is not NotRequired}

    def check(value: Any) -> Any:
        if not isinstance(value, dict):
            raise UnfitError("not an object")
        if missing := required - value.keys():
            raise UnfitError(f"has no {min(missing)}")
        return {key: _at(key, one, value[key]) for key, one in checks.items() if key in value}

    return check


def _optional(shape: Any, limits: tuple[Any, ...]) -> Check:
    (kind,) = (one for one in get_args(shape) if one is not types.NoneType)
    check = check_of(Annotated[(kind, *limits)]) if limits else check_of(kind)
    return lambda value: None if value is None else check(value)


def _literal(words: tuple[Any, ...]) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, str) or value not in words:
            raise UnfitError("not one of the words")
        return value

    return check


def _tuple(checks: list[Check]) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) != len(checks):
            raise UnfitError(f"not {len(checks)} values")
        return tuple(_at(index, one, part) for index, (one, part) in enumerate(zip(checks, value, strict=True)))

    return check


def _list(element: Check, most: int) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, list) or len(value) > most:
            raise UnfitError(f"not a list of at most {most}")
        return [_at(index, element, one) for index, one in enumerate(value)]

    return check


def _dict(key: Check, element: Check, most: int) -> Check:
    def check(value: Any) -> Any:
        if not isinstance(value, dict) or len(value) > most:
            raise UnfitError(f"not an object of at most {most}")
        return {_at("a key", key, name): _at("a value", element, one) for name, one in value.items()}

    return check
