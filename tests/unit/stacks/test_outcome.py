"""What is told of a run: what changed, and of several faults the one that says something."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from vaern_stacks.changes import Change, Phase, Step
from vaern_stacks.outcome import Outcome, last_lines, storage_answer

URN = "urn:pulumi:favrskov::vaern::lab:Host::favrskov-gw1"
HOST = Change("create", "Host", "favrskov-gw1")


def fault(message: str) -> Any:
    return SimpleNamespace(diagnostic_event=SimpleNamespace(severity="error", message=message))


def test_each_step_is_told_and_only_those_of_the_phase_are_changes() -> None:
    told: list[Step] = []
    outcome = Outcome(told.append, Phase.DONE)
    for kind in ("resource_pre_event", "res_outputs_event"):
        metadata = SimpleNamespace(type="lab:Host", urn=URN, op=SimpleNamespace(value="create"))
        outcome.take(SimpleNamespace(**{kind: SimpleNamespace(metadata=metadata)}))
    assert [step.phase for step in told] == [Phase.STARTED, Phase.DONE]
    assert outcome.changes == [HOST]


def test_the_first_fault_that_says_something_is_told() -> None:
    outcome = Outcome(None, Phase.DONE)
    assert outcome.fault() == ""
    for message in ("update failed", "no quota\n\n  in westeurope", "preview failed", "another"):
        outcome.take(fault(message))
    assert outcome.fault() == "no quota | in westeurope"


def test_that_the_program_no_longer_reached_the_engine_is_not_why_it_ended() -> None:
    outcome = Outcome(None, Phase.DONE)
    gone = "Exception calling application: <_InactiveRpcError of RPC that terminated with:\n\tstatus = {}\n>"
    outcome.take(fault(gone.format("StatusCode.UNAVAILABLE")))
    assert outcome.fault() == ""
    outcome.take(fault("no quota"))
    assert outcome.fault() == "no quota"


def test_of_what_the_storage_answers_only_the_code_and_the_reason_are_told() -> None:
    text = (
        "GET https://x\n---\nRESPONSE 403: 403 This request is not authorized.\nERROR CODE: AuthorizationFailure\n<xml>"
    )
    assert (
        storage_answer(text)
        == "the storage of the state answered AuthorizationFailure: This request is not authorized."
    )
    assert storage_answer("out of memory") == ""


def test_the_end_of_what_the_engine_said_is_one_line() -> None:
    assert last_lines("\n".join(f" {number} " for number in range(9)), 2) == "7 | 8"
