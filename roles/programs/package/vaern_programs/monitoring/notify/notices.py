"""What only the control node knows, to be told like alarms: a run failed, an approval waited for, a duty, a warning.

`vaern notify` hands over all of them that hold now, of the municipalities it has looked at. What was not there before
is raised, what is not there any more is cleared; the files are like those of alarms, in a folder of this program.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import Annotated, Literal, TypedDict

from vaern_programs.monitoring.alarms.log import AlarmLog, Condition, Key, changes
from vaern_programs.shared.answers import AlarmText, Taken
from vaern_programs.shared.limits import Matching, Most
from vaern_programs.shared.reports import Time
from vaern_programs.shared.schema import Schema
from vaern_programs.shared.times import stamp, unix

MOST_BYTES = 2**22
KEPT_DAYS = 400
DAY = 86400
STAYS = {"warning"}
"""Kinds that are handed over one by one: what is not among them now is not over."""
Code = Annotated[str, Matching("[0-9]{4}|shared")]


class Notice(TypedDict):
    """One thing that holds now."""

    municipality: Code
    kind: Literal["run", "approval", "duty", "warning"]
    subject: Annotated[str, Most(200)]
    since: Time
    text: AlarmText


class HandedOver(TypedDict):
    """All that hold of some municipalities."""

    codes: Annotated[list[Code], Most(1000)]
    """Which of them were looked at; of others, what is open stays."""
    kinds: Annotated[list[str], Most(10)]
    """Which kinds were looked at; so too."""
    notices: Annotated[list[Notice], Most(2000)]


HANDED_OVER = Schema(HandedOver, MOST_BYTES)


def take(folder: Path, text: bytes) -> Taken:
    """Write down what has changed; how many were raised and cleared. Raises UnfitError, OSError."""
    handed_over = HANDED_OVER.parse(text)
    folder.mkdir(exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return _changed(AlarmLog(folder), handed_over, time.time())
    finally:
        os.close(descriptor)


def _changed(log: AlarmLog, handed_over: HandedOver, now: float) -> Taken:
    codes, kinds = set(handed_over["codes"]), set(handed_over["kinds"])

    def looked_at(key: Key) -> bool:
        return key.municipality in codes and key.kind in kinds

    found = {Key(one["municipality"], one["kind"], one["subject"]): one for one in handed_over["notices"]}
    conditions = {key: Condition(unix(one["since"])) for key, one in found.items() if looked_at(key)}
    kept = {key for key in log.open if not looked_at(key) or (key.kind in STAYS and key not in conditions)}
    raised, cleared = changes(log.open, conditions, kept)
    for key in sorted(raised):
        log.append(
            {
                "time": stamp(now),
                "municipality": key.municipality,
                "kind": key.kind,
                "subject": key.subject,
                "state": "raised",
                "since": stamp(raised[key].since),
                "value": None,
                "limit": 0.0,
                "text": dict(found[key]["text"]),
            }
        )
    for key in cleared:
        log.append({**log.open[key], "time": stamp(now), "state": "cleared"})
    for code in codes:
        log.forget(code, stamp(now - KEPT_DAYS * DAY))
    return {"raised": len(raised), "cleared": len(cleared)}
