"""What came of a run of the engine: the changes its events tell, and the one fault worth telling when it failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi import automation

from vaern_stacks.changes import Change, Phase, Step, fault_of, step_of

OnStep = Callable[[Step], None]


@dataclass
class Outcome:
    """What the engine's events told so far."""

    on_step: OnStep | None
    counted: Phase
    changes: list[Change] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def take(self, event: automation.EngineEvent) -> None:
        """Take one event."""
        fault = fault_of(event)
        if fault:
            self.faults.append(fault)
        step = step_of(event)
        if step is None:
            return
        if step.phase is self.counted:
            self.changes.append(step.change)
        if self.on_step:
            self.on_step(step)

    def fault(self) -> str:
        """The first fault that says more than that the update failed."""
        telling = [fault for fault in self.faults if not fault.startswith(("update failed", "preview failed"))]
        return last_lines(telling[0]) if telling else ""


def storage_answer(text: str) -> str:
    """What the storage of a shared state answered; the engine prints all of it, ten lines of XML and rules."""
    answer = re.search(r"RESPONSE \d+: \d+ (.*)\nERROR CODE: (\S+)", text)
    return f"the storage of the state answered {answer[2]}: {answer[1]}" if answer else ""


def last_lines(text: str, count: int = 6) -> str:
    """The end of what the engine said, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:])
