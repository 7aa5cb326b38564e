"""What of one channel waits, and what is under way; kept in a file, so that a kill repeats and forgets nothing.

A message gets its number, and is on the disk, before it is tried. Until the other side has taken it, it is tried again
with the same number and the same content; nothing else of the channel goes out meanwhile. So each change is told at
least once, and whoever gets a message twice knows it by its number. Times are Unix seconds.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TypedDict

from vaern_programs.monitoring.notify.quiet import can_wait
from vaern_programs.monitoring.notify.records import Numbered, Place
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Matching, Most
from vaern_programs.shared.reports import Count, Seconds
from vaern_programs.shared.schema import Schema

MOST_TOLD = 40
"""Changes in one message: about 20 KB."""
MOST_HELD = 200
"""Changes that wait for the morning; more of them than that break the quiet, as somebody should look."""
MOST_WAITING = 2000
"""Beyond that, changes stay in the files of alarms."""
LONGEST_WAIT = 3600.0
LONGEST_ASKED = 86400.0
"""A receiver may ask for a longer wait."""
SPREAD = 0.1
"""Part of a wait that is left to chance, so that many channels do not try at the same moment."""


class Message(TypedDict):
    """What is under way."""

    id: Annotated[str, Matching("msg_[0-9a-f]{32}")]
    records: Annotated[list[Numbered], Most(MOST_TOLD)]
    tries: Count
    since: Seconds
    """The first try; 0 before it."""
    next: Seconds
    """When it is tried again."""
    fault: str
    """What went wrong the last time."""


class State(TypedDict):
    """All that is kept of a channel."""

    places: dict[str, Place]
    """File of alarms to how far it has been read."""
    waiting: Annotated[list[Numbered], Most(4 * MOST_WAITING)]
    under_way: Message | None


STATE = Schema(State, 2**26)


def restored(path: Path) -> State:
    """What its file holds. A damaged one is as a new channel: what is open is told again."""
    try:
        return STATE.take(read_json(path, None))
    except UnfitError:
        return {"places": {}, "waiting": [], "under_way": None}


def keep(path: Path, state: State) -> None:
    """Have it on the disk; nothing is written when nothing has changed. Raises OSError."""
    if read_json(path, None) != state:
        replace(path, json.dumps(state, ensure_ascii=False))


def forget(state: State, files: Iterable[str]) -> None:
    """Leave out places of files that the channel is not told of any more."""
    kept = set(files)
    state["places"] = {name: place for name, place in state["places"].items() if name in kept}


def form(state: State, *, is_quiet: bool) -> Message | None:
    """The message that is under way; else one of what waits, unless all of it may wait for the morning."""
    if state["under_way"] is None:
        held = [one for one in state["waiting"] if can_wait(one)] if is_quiet else []
        if len(held) > MOST_HELD:
            held = []
        chosen = [one for one in state["waiting"] if one not in held][:MOST_TOLD]
        if chosen:
            state["waiting"] = [one for one in state["waiting"] if one not in chosen]
            number = f"msg_{secrets.token_hex(16)}"
            state["under_way"] = {
                "id": number, "records": chosen, "tries": 0, "since": 0.0, "next": 0.0, "fault": "",
            }  # fmt: skip
    return state["under_way"]


def is_due(message: Message, now: float) -> bool:
    """Whether it is to be tried; also when a clock that was set back would make it wait for longer than it ever may."""
    return not 0 < message["next"] - now <= LONGEST_ASKED * (1 + SPREAD)


def failed(message: Message, fault: str, now: float, first_wait: float, asked: float = 0.0) -> None:
    """Note a try that failed; each wait is twice the one before, or as long as the receiver has asked for."""
    message["tries"] += 1
    message["since"] = message["since"] or now
    message["fault"] = fault[:500]
    wait = min(first_wait * 2 ** min(message["tries"] - 1, 20), LONGEST_WAIT)
    wait *= 1 + secrets.SystemRandom().uniform(0, SPREAD)
    message["next"] = now + max(wait, min(asked, LONGEST_ASKED))


def health_of(state: State) -> dict[str, float | str]:
    """What the alarm service looks at: since when nothing comes through, after how many tries, and why."""
    message = state["under_way"]
    return {
        "since": message["since"] if message else 0.0,
        "tries": message["tries"] if message else 0,
        "fault": message["fault"] if message else "",
        "waiting": len(state["waiting"]) + (len(message["records"]) if message else 0),
    }
