"""Steps and faults as read from the engine's events."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from vaern_stacks.changes import Change, Phase, Step, fault_of, step_of

URN = "urn:pulumi:favrskov::vaern::pulumi-python:dynamic/lab:Host::favrskov-gw1"


def event(kind: str, operation: str, of_type: str = "pulumi-python:dynamic/lab:Host") -> Any:
    metadata = SimpleNamespace(type=of_type, urn=URN, op=SimpleNamespace(value=operation))
    return SimpleNamespace(**{kind: SimpleNamespace(metadata=metadata)})


@pytest.mark.parametrize(
    ("kind", "phase"),
    [
        ("resource_pre_event", Phase.STARTED),
        ("res_outputs_event", Phase.DONE),
        ("res_op_failed_event", Phase.FAILED),
    ],
)
def test_steps_name_what_changes(kind: str, phase: Phase) -> None:
    assert step_of(event(kind, "create")) == Step(Change("create", "Host", "favrskov-gw1"), phase)


def test_what_changes_nothing_is_no_step() -> None:
    assert step_of(event("resource_pre_event", "same")) is None
    assert step_of(event("resource_pre_event", "create", "pulumi:pulumi:Stack")) is None
    assert step_of(event("resource_pre_event", "create", "pulumi:providers:pulumi-python")) is None
    assert step_of(SimpleNamespace()) is None


def test_only_errors_are_faults() -> None:
    assert fault_of(SimpleNamespace(diagnostic_event=SimpleNamespace(severity="error", message=" bad\n"))) == "bad"
    assert fault_of(SimpleNamespace(diagnostic_event=SimpleNamespace(severity="info", message="well"))) == ""
    assert fault_of(SimpleNamespace()) == ""
