"""Lines of the archive as events. A relay can send anything, so whatever a line holds, reading it raises nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from vaern_programs.shared.broken_lines import event_of, mended
from vaern_programs.shared.identity import identity_of

__all__ = ["event_of", "mended", "read", "received", "texts"]


def read(line: bytes) -> tuple[dict[str, Any], bool]:
    """The event of a line, and whether the line is broken: then it is read as far as it goes, at least as a text."""
    event = event_of(line)
    if event is not None:
        return event, False
    return mended(line) or _as_text(line), True


def _as_text(line: bytes) -> dict[str, Any]:
    text = line.decode(errors="replace")
    event = {"message": text, "unescaped": text.replace("\\/", "/").replace('\\"', '"')}
    identity = identity_of(line)
    if identity is not None:
        at, _, _, _, source = identity
        event |= {"received": at.decode(), "source": source.decode()}
    return event


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
