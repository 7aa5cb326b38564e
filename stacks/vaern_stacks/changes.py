"""What the engine does or would do, as plain data: read from its events without importing it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Phase(StrEnum):
    """How far one step is."""

    STARTED = "started"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One resource the engine changes: `create`, `update`, `delete`, `refresh` and so on."""

    action: str
    type: str
    """Host, Site, Mirror or Network in the lab."""
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One change on its way."""

    change: Change
    phase: Phase


SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key by which the engine marks a special value; the next is that of a secret (pulumi, resource/properties.go)."""
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, the same in every state there is
QUIET = frozenset({"same", "read"})
"""Steps that change nothing."""


def is_secret(value: Any) -> bool:
    """Whether the engine marks a value as a secret."""
    return isinstance(value, dict) and value.get(SIGNATURE) == SECRET


def step_of(event: Any) -> Step | None:
    """The step in an engine event; None for unchanged resources, the stack itself and its providers."""
    phases = {
        "resource_pre_event": Phase.STARTED,
        "res_outputs_event": Phase.DONE,
        "res_op_failed_event": Phase.FAILED,
    }
    for attribute, phase in phases.items():
        found = getattr(event, attribute, None)
        if found is None:
            continue
        kind, name, action = str(found.metadata.type), found.metadata.urn.rpartition("::")[2], found.metadata.op.value
        if action in QUIET or kind.startswith(("pulumi:pulumi:", "pulumi:providers:")):
            return None
        return Step(Change(action, kind.rpartition(":")[2], name), phase)
    return None


def fault_of(event: Any) -> str:
    """The message and resource of an error event; empty for any other event."""
    found = getattr(event, "diagnostic_event", None)
    if found is None or found.severity != "error":
        return ""
    message, urn = str(found.message).strip(), getattr(found, "urn", None) or ""
    name = "" if "::pulumi:" in urn else urn.rpartition("::")[2]
    return f"{name}: {message}" if name and name not in message else message
