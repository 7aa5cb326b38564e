"""Lines of the archive as events. A relay can send anything, so whatever a line holds, reading it raises nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any


def event_of(line: bytes) -> dict[str, Any] | None:
    """The event of a line; None for a line that is no JSON object, such as one that is nested too deeply."""
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


def received(event: dict[str, Any], otherwise: float) -> float:
    """When the relay received an event, Unix seconds; `otherwise` if the event does not say, or says no time."""
    try:
        return datetime.fromisoformat(event["received"]).timestamp()
    except (KeyError, TypeError, ValueError, OverflowError):
        return otherwise


def texts(event: dict[str, Any]) -> Iterator[str]:
    """Every text in an event, at any depth."""
    left: list[Any] = [event]
    while left:
        value = left.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, dict):
            left += value.values()
        elif isinstance(value, list):
            left += value
