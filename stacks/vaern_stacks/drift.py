"""Finds real differences between the engine's state and the resources, property by property.

The engine only says that a resource differs, and counts even a new etag as a difference. Properties to ignore are
listed in `drift.yml`, each with a reason. Pure: events in, differences out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from vaern_stacks.changes import is_secret

DATA = Path(__file__).parent / "drift.yml"
GONE = "gone"
CHANGED = "changed"
LONGEST = 80
"""Characters of a value that are shown."""
ABSENT = object()
HIDDEN = "[secret]"


@dataclass(frozen=True, slots=True, order=True)
class Moved:
    """One difference in a resource. `was` and `now` are JSON, shortened to fit on a line."""

    action: str
    type: str
    name: str
    property: str = ""
    was: str = ""
    now: str = ""


@dataclass(frozen=True, slots=True)
class Ignored:
    """One line of `drift.yml`."""

    type: str
    property: str
    reason: str

    def covers(self, kind: str, path: str) -> bool:
        """Whether changes of that property of that type are ignored."""
        return bool(_pattern(self.type, step=":").fullmatch(kind) and _pattern(self.property).fullmatch(path))


@cache
def _pattern(text: str, step: str = ".") -> re.Pattern[str]:
    """`*` is anything within a step, `**.` any steps before, `.**` the thing itself and everything below it."""
    if step == ":":
        return re.compile(re.escape(text).replace(r"\*", ".*"))
    found = re.escape(text).replace(r"\.\*\*", r"(?:[.\[].*)?").replace(r"\*\*\.", r"(?:.*\.)?")
    return re.compile(found.replace(r"\*", r"[^.]*"))


@cache
def ignored() -> tuple[Ignored, ...]:
    """Every line of `drift.yml`."""
    from vaern.runtime.yaml_text import load

    return tuple(Ignored(**one) for one in load(DATA.read_text(encoding="utf-8"))["ignored"])


def moved(event: Any, rules: Sequence[Ignored] | None = None) -> list[Moved]:
    """The differences of one resource, from an event of a refresh preview."""
    found = getattr(event, "res_outputs_event", None)
    if found is None:
        return []
    metadata = found.metadata
    kind, name = str(metadata.type), metadata.urn.rpartition("::")[2]
    if kind.startswith(("pulumi:pulumi:", "pulumi:providers:")):
        return []
    short = kind.rpartition(":")[2]
    if metadata.new is None:
        return [Moved(GONE, short, name)]
    changes = differences((metadata.old and metadata.old.outputs) or {}, metadata.new.outputs or {})
    left_out = ignored() if rules is None else rules
    return [
        Moved(CHANGED, short, name, path, *_shown(was, now))
        for path, was, now in changes
        if not any(rule.covers(kind, path) for rule in left_out)
    ]


def differences(was: Any, now: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every path at which two values differ, with both values; lists of equal length are compared item by item.

    A property that is missing on one side and empty (null, list, mapping) on the other does not differ. Two secrets are
    not compared, because the engine encrypts them with new random bytes every time.
    """
    if is_secret(was) or is_secret(now):
        if not (is_secret(was) and is_secret(now)):
            yield path, was, now
    elif isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in sorted(was.keys() | now.keys()):
            yield from differences(was.get(key, ABSENT), now.get(key, ABSENT), f"{path}.{key}" if path else str(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for number, (one, other) in enumerate(zip(was, now, strict=True)):
            yield from differences(one, other, f"{path}[{number}]")
    elif was != now and not (_nothing(was) and _nothing(now)):
        yield path, was, now


def _nothing(value: Any) -> bool:
    return value is ABSENT or value is None or value in ([], {})


def _shown(was: Any, now: Any) -> tuple[str, str]:
    """Both values as text; both are hidden when either is a secret."""
    if is_secret(was) or is_secret(now):
        return HIDDEN, HIDDEN
    return _text(was), _text(now)


def _text(value: Any) -> str:
    if value is ABSENT:
        return ""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
