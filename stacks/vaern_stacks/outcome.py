"""The outcome of an engine run: the changes in its events, and the one fault to report when it failed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from pulumi import automation

from vaern_stacks.changes import Change, Phase, Step, fault_of, step_of

OnStep = Callable[[Step], None]
GONE = "StatusCode.UNAVAILABLE"
"""In what the program says when it no longer reaches the engine."""


@dataclass
class Outcome:
    """The changes and faults in the engine's events so far."""

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
        """The first fault with more information than that the update failed; empty when there is none.

        An engine that ends for another reason may end while the program still talks to it: that it was gone then is
        not the reason (pulumi #7125, pulumiverse/pulumi-scaleway #321 show only this).
        """
        telling = [
            one for one in self.faults if not (one.startswith(("update failed", "preview failed")) or GONE in one)
        ]
        return last_lines(telling[0]) if telling else ""


def storage_answer(text: str) -> str:
    """The storage error in the engine's output, on one line; the engine prints it as ten lines of XML."""
    answer = re.search(r"RESPONSE \d+: \d+ (.*)\nERROR CODE: (\S+)", text)
    return f"the storage of the state answered {answer[2]}: {answer[1]}" if answer else ""


def last_lines(text: str, count: int = 6) -> str:
    """The end of what the engine said, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-count:])
