"""Reads JSON that somebody else wrote: of bounded size and depth, and nothing that is not JSON."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from typing import Any

DEEPEST = 32
"""Levels of lists and objects in one another. A statement has six."""
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[][{}]', re.DOTALL)
"""A text, to its end or that of everything, so that no place is looked at twice; or a bracket."""


class UnfitError(ValueError):
    """Text or value without the shape it should have. Says where and why, and repeats nothing of what was found."""


def loads(text: str | bytes, most_bytes: int, whole: Callable[[str], int] | None = None) -> Any:
    """JSON of bounded size and depth; `Infinity` and `NaN` are none, nor is what is infinite. Raises UnfitError.

    The parser of Python recurses, so depth is counted before it begins. `whole` reads whole numbers, and may refuse one
    by UnfitError; without it they are as large as their text, for a schema to judge.
    """
    if len(text) > most_bytes:
        raise UnfitError(f"longer than {most_bytes} bytes")
    try:
        decoded = text if isinstance(text, str) else text.decode()
    except UnicodeDecodeError:
        raise UnfitError("not UTF-8") from None
    if decoded.count("[") + decoded.count("{") > DEEPEST and _depth(decoded) > DEEPEST:
        raise UnfitError(f"more than {DEEPEST} levels deep")
    try:
        return json.loads(decoded, parse_constant=_refuse_constant, parse_float=_finite, parse_int=whole)
    except UnfitError:
        raise
    except ValueError:
        raise UnfitError("not JSON") from None


def _refuse_constant(name: str) -> None:
    raise UnfitError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise UnfitError("a number is infinite")
    return number


def _depth(text: str) -> int:
    depth = deepest = 0
    for match in TOKEN.finditer(text):
        token = match[0]
        if token in {"[", "{"}:
            depth += 1
            deepest = max(deepest, depth)
        elif token in {"]", "}"}:
            depth -= 1
    return deepest
