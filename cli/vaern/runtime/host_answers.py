"""Reads JSON that a host has sent: only what has the shape that vaern's programs give it is ever used.

A relay may be in other hands. Its numbers may be infinite, its lists endless and its keys missing; none of that reaches
what is computed from an answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from types import NoneType, UnionType
from typing import Any, Literal, NotRequired, TypeVar, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

Shape = TypeVar("Shape")
LARGEST = 2**63
"""Every count, size and time of vaern fits in 64 bits."""


def load(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for any other text, also one that is nested too deeply.

    A number that is none (NaN), infinite or larger than any count is refused too.
    """
    try:
        return json.loads(text, parse_constant=_no_number, parse_float=_finite, parse_int=_whole)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def shaped(text: str, shape: type[Shape]) -> Shape:
    """The value of a JSON text that is as `shape`, a TypedDict, says. Raises ValueError naming what is not.

    A key may be missing, since the programs of a host may be older than `vaern`: reading it raises KeyError.
    """
    value = load(text)
    if fault := _fault(value, shape, "the answer"):
        raise ValueError(fault)
    return cast("Shape", value)


def conforms(value: Any, shape: Any) -> bool:
    """Whether a value is as `shape`, a TypedDict, says."""
    return not _fault(value, shape, "")


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("a number is infinite")
    return number


def _whole(text: str) -> int:
    if len(text) > len(str(LARGEST)) or abs(int(text)) > LARGEST:
        raise ValueError("a number is larger than any count")
    return int(text)


def _fault(value: Any, shape: Any, where: str) -> str:
    """What of a value is not as its shape says; empty when all is. Shapes are those of `vaern_programs`."""
    origin, inner = get_origin(shape), get_args(shape)
    if shape is Any:
        return ""
    if is_typeddict(shape):
        return _fault_of_keys(value, shape, where)
    if origin is NotRequired:
        return _fault(value, inner[0], where)
    if origin in {Union, UnionType}:
        return "" if any(not _fault(value, one, where) for one in inner) else f"{where} is of another kind"
    if origin is Literal:
        return "" if value in inner else f"{where} is none of {', '.join(map(str, inner))}"
    if origin is list:
        return _first(_fault(one, inner[0], f"{where}[]") for one in value) if isinstance(value, list) else _not(where)
    if origin is dict:
        named = isinstance(value, dict)
        return _first(_fault(one, inner[1], f"{where}.*") for one in value.values()) if named else _not(where)
    if shape is float:
        shape = (int, float)
    simple = isinstance(value, NoneType if shape is None else shape)
    return "" if simple and (shape is bool or not isinstance(value, bool)) else _not(where)


def _fault_of_keys(value: Any, shape: Any, where: str) -> str:
    if not isinstance(value, dict):
        return _not(where)
    hints = get_type_hints(shape)
    return _first(_fault(value[key], hints[key], f"{where}.{key}") for key in hints if key in value)


def _first(faults: Iterable[str]) -> str:
    return next((fault for fault in faults if fault), "")


def _not(where: str) -> str:
    return f"{where} is of another kind"
