"""Lines that are no JSON, which an archive may hold: found, and read as far as they can be.

An earlier reader wrote what a device sent as a number as it stood, without quotation marks: `000`, `NA`, `-`. Such a
line has its identity and counts as received, but no JSON parser reads it.
"""

from __future__ import annotations

import json
import re
from typing import Any

SUSPECT = re.compile(rb'":(?!["{\[\\ntf]|-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?[],}\s])')
"""A value that is no JSON. It may also stand within a message; a quotation mark there has a backslash before it."""
BARE = re.compile(r'("(?:[^"\\]|\\.)*")\s*:\s*([^"{\[,}\]]*)(?=[,}\]])|"(?:[^"\\]|\\.)*"')
"""A name with a value without quotation marks; or any other text, so that nothing within it is taken for one."""


def event_of(line: bytes | str) -> dict[str, Any] | None:
    """The event of a line; None for a line that is no JSON object, such as one that is nested too deeply."""
    try:
        event = json.loads(line, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def mended(line: bytes | str) -> dict[str, Any] | None:
    """The event of a line that is no JSON, with each value that is none as text; None when more than that is wrong."""
    text = line if isinstance(line, str) else line.decode(errors="replace")
    return event_of(BARE.sub(_quoted, text))


def broken_lines(text: bytes) -> int:
    """How many of the complete lines of a text are no JSON, as a value in them is none."""
    count, end = 0, 0
    for hit in SUSPECT.finditer(text):
        if hit.start() >= end:
            start = text.rfind(b"\n", end, hit.start()) + 1 or end
            end = text.find(b"\n", hit.start()) + 1
            if end == 0:
                break
            count += event_of(text[start : end - 1]) is None
    return count


def _quoted(match: re.Match[str]) -> str:
    name, value = match[1], match[2]
    if name is None:
        return match[0]
    try:
        json.loads(value, parse_constant=_refuse)
    except ValueError:
        return f"{name}:{json.dumps(value.strip())}"
    return match[0]


def _refuse(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
