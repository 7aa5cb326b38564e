"""Whether what a SOC warns of is in a municipality's archive: where, and since when.

Times are UTC, as RFC 3339 and STIX write it: with a Z, and at most six digits of a second.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from vaern.model.advisory import Indicator, holds, spellings
from vaern_programs.shared.times import in_utc

MOST_EVENTS = 1000
"""Of one indicator, the newest ones; whoever wants all of them asks `vaern search`."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One indicator in one archive."""

    indicator: Indicator
    events: int
    complete: bool
    """Whether those are all: otherwise there are more, and the first may be older."""
    first: str = ""
    last: str = ""
    """When a relay received the first and the last of them; empty where none of them says a time."""
    sources: tuple[str, ...] = ()
    access: str = ""
    """Digest of the line that the collector has written of this look-up."""


def look(indicator: Indicator, search: Callable[[tuple[str, ...]], tuple[list[dict[str, Any]], Any]]) -> Seen:
    """Look for one indicator. `search` gives the newest events with one of these texts, and the manifest."""
    events, manifest = search(spellings(indicator))
    return judge(indicator, events, complete=bool(manifest["complete"]), access=str(manifest["access"]))


def judge(indicator: Indicator, events: Iterable[dict[str, Any]], *, complete: bool, access: str) -> Seen:
    """Of those events that really hold it: how many, first, last, and of which sources."""
    found = [event for event in events if any(holds(indicator, text) for text in _texts(event))]
    times = sorted(time for event in found if (time := in_utc(str(event.get("received", "")))))
    return Seen(
        indicator,
        len(found),
        complete,
        first=_written(times[0]) if times else "",
        last=_written(times[-1]) if times else "",
        sources=tuple(sorted({str(event.get("source", "?")) for event in found})),
        access=access,
    )


def _written(time: str) -> str:
    """A time of an event as others read it: relays write `+00:00` or a Z, and as many digits as they know."""
    return datetime.fromisoformat(time).isoformat().replace("+00:00", "Z")


def _texts(value: Any) -> Iterator[str]:
    """Every text in an event, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
