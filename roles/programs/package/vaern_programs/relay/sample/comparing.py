"""What one reader reads of a source's sample, against another one: arithmetic."""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from vaern_programs.relay.sample.choosing import Line
from vaern_programs.shared.answers import ReplayedLine, ReplayedSource
from vaern_programs.shared.limits import CONTROL

EXAMPLES = 3
MESSAGE_CHARACTERS = 1000
CLOCK = "@timestamp"
Event = dict[str, Any]
"""As a reader writes it."""


class Wish(NamedTuple):
    """What is declared of a source now: its parser, and the fields that each of its lines must give."""

    parser: str
    minimum: tuple[str, ...]


def compared(source: str, wish: Wish, lines: list[Line], before: list[Event], after: list[Event]) -> ReplayedSource:
    """The balance of a source; both readers' events are in the order of its lines."""
    lost, changed, gained = Counter[str](), Counter[str](), Counter[str]()
    examples: list[ReplayedLine] = []
    for line, old, new in zip(lines, map(fields_of, before), map(fields_of, after), strict=True):
        less = sorted(old.keys() - new.keys())
        others = sorted(name for name in old.keys() & new.keys() if old[name] != new[name])
        lost.update(less)
        changed.update(others)
        gained.update(new.keys() - old.keys())
        if (less or others) and len(examples) < EXAMPLES:
            message = CONTROL.sub(" ", line.message[:MESSAGE_CHARACTERS])
            examples.append({"message": message, "lost": less, "changed": others})
    return {
        "source": source,
        "parser": wish.parser,
        "lines": len(lines),
        "read": (_read(before), _read(after)),
        "complete": (_complete(before, wish.minimum), _complete(after, wish.minimum)),
        "lost": dict(lost),
        "changed": dict(changed),
        "gained": dict(gained),
        "examples": examples,
    }


def fields_of(event: Event) -> dict[str, Any]:
    """Field to value. A clock that was not read is that of reception, which differs from run to run: no field."""
    fields: dict[str, Any] = event["ecs"]
    return {name: value for name, value in fields.items() if name != CLOCK or value != event["received"]}


def _read(events: list[Event]) -> int:
    return sum(event["parsed"] is True for event in events)


def _complete(events: list[Event], minimum: tuple[str, ...]) -> int:
    return sum(event["parsed"] is True and fields_of(event).keys() >= set(minimum) for event in events)
