"""What the archiver has seen of the lines of each declared source: what the alarm service judges a source by.

One file a municipality, `/run/vaern-archiver/<code>.sources.json`, of a size that its declaration bounds. Counts of
lines are exact. Reading, clock and fields are seen in a sample: some lines of each source, spread over a window of
time. Times are Unix seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, NotRequired, TypedDict

from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Most
from vaern_programs.shared.reports import Count, Seconds
from vaern_programs.shared.schema import Schema

WINDOW_SECONDS = 600.0
"""What is judged is at most so old, where enough came in it. Ten minutes: one odd line is no alarm, and a device that
was changed before lunch is known after it. `collector_alarms.window_seconds` may say otherwise."""
CLOCK_OFF_SECONDS = 900.0
"""A sender's clock that is so far off is wrong: a quarter of an hour, as the reader on the relay counts it."""
LINES = 5
"""Of the lines that were not read, so many are shown."""
LINE_CHARACTERS = 200
EXCERPT = Annotated[str, Most(LINE_CHARACTERS)]
FIELDS = Most(20)


class FieldSeen(TypedDict):
    """One minimum field in the lines that were read."""

    absent: Count
    """Lines since it was there last."""
    usual: float | None
    """The fraction of lines that had it before that; None when it was in none yet."""
    since: Seconds
    """Time of the first line of those."""


class Change(TypedDict):
    """What the lines of a source said of themselves before, and say now; empty for nothing."""

    before: Annotated[str, Most(60)]
    now: Annotated[str, Most(60)]
    since: Seconds


class Observed(TypedDict):
    """One source."""

    lines: Count
    """Since counting began."""
    looked: Count
    """Lines of the sample that are judged now."""
    unread: Count
    """Of these, lines in which the reader found no fields."""
    unread_since: Seconds
    """Where the share of those jumped."""
    clock_off: float | None
    """Median of the sender's time less the time of reception, seconds; None when no line says a time."""
    clock_since: Seconds
    withheld: Count
    """Lines in the window of which nothing left the relay, as they could not be read."""
    withheld_since: Seconds
    cut: Count
    """Lines in the window that were longer than 64 KiB."""
    cut_since: Seconds
    fields: Annotated[dict[Annotated[str, Most(60)], FieldSeen], FIELDS]
    header: Change
    version: Change
    excerpts: NotRequired[Annotated[list[EXCERPT], Most(LINES)]]
    """Lines that were not read, with every digit masked."""


class ObservedSources(TypedDict):
    """The file of one municipality; its sources are checked one by one (`OBSERVED`)."""

    began: Seconds
    """When counting began."""
    time: Seconds
    sources: Annotated[dict[Annotated[str, Most(64)], Any], Most(10_000)]


OBSERVED = Schema(Observed, 65536)
OBSERVED_SOURCES = Schema(ObservedSources, 2**26)


def name_of(code: str) -> str:
    """The file of the municipality with that four-digit code, beside the archiver's other reports."""
    return f"{code}.sources.json"


def taken(found: object) -> tuple[ObservedSources, dict[str, Observed]] | None:
    """What a file holds, and its sources; those that do not fit are left out. None for a file that is none."""
    try:
        whole = OBSERVED_SOURCES.take(found)
    except UnfitError:
        return None
    sources: dict[str, Observed] = {}
    for name, one in whole["sources"].items():
        try:
            sources[name] = OBSERVED.take(one)
        except UnfitError:
            continue
    return whole, sources


def window_seconds(settings: Mapping[str, Any]) -> float:
    """The window in the collector's settings; a collector that was set up by an earlier version names none."""
    return float(settings.get("alarms", {}).get("window_seconds", WINDOW_SECONDS))
