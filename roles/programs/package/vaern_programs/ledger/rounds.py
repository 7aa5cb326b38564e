"""One round over all municipalities: each is counted in a process of its own, and no other waits for what it sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from vaern_programs.ledger.count import Confirmed, Municipality
from vaern_programs.shared import health
from vaern_programs.shared.health import Health
from vaern_programs.shared.systemd import say
from vaern_programs.shared.worker import WorkError, apart

SECONDS = 120
"""Of processor time for one municipality; what has been read by then is kept."""
MEMORY_BYTES = 768 * 2**20
"""Below what the service may take."""
REST = 9
"""A count that took long is followed by so many times as long without one: a municipality takes a tenth at most."""
LONG_SECONDS = 10.0
FAULT_LENGTH = 500
WARNING = 4
NEVER: Health = {"begun": 0.0, "ended": 0.0, "counted": 0.0, "fault": "", "refused": 0, "unlisted": 0}


def confirm_each(municipalities: Iterable[Municipality], password: str, file: Path = health.FILE) -> list[str]:
    """Confirm to the relays of each; the codes of those for which that failed. Raises OSError.

    How it went is in a file after each of them, for the alarm service.
    """
    found, known = health.read(file), list(municipalities)
    found = {one.code: found.get(one.code, NEVER) for one in known}
    failed = []
    by_code = {one.code: one for one in known}
    for one in (by_code[code] for code in due_now(found, time.time())):
        found[one.code] = _counted(one, password, found[one.code])
        if fault := found[one.code]["fault"]:
            failed.append(one.code)
            say(WARNING, f"vaern-ledger: {one.code} could not be counted and confirmed: {fault}")
        if file.parent.exists():
            health.write(found, file)
    return failed


def _counted(one: Municipality, password: str, before: Health) -> Health:
    begun = time.time()
    try:
        done = Confirmed(*apart(lambda: tuple(one.confirm(password)), seconds=SECONDS, memory_bytes=MEMORY_BYTES))
    except WorkError as error:
        return {**before, "begun": begun, "ended": time.time(), "fault": _on_one_line(str(error))}
    ended = time.time()
    return {
        "begun": begun, "ended": ended, "counted": ended, "fault": _on_one_line(done.fault),
        "refused": done.refused, "unlisted": done.unlisted,
    }  # fmt: skip


def _on_one_line(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:FAULT_LENGTH]


def due_now(health: Mapping[str, Health], now: float) -> list[str]:
    """Codes in the order in which they are counted in a round that begins now.

    Those that took long come last, one a round, and not before they have rested: the others wait for one at most.
    """
    long = [code for code, one in health.items() if _took(one) > LONG_SECONDS]
    rested = [code for code in long if not 0 <= now - health[code]["ended"] < REST * _took(health[code])]
    return [
        *(code for code in health if code not in long),
        *sorted(rested, key=lambda code: health[code]["ended"])[:1],
    ]


def _took(last: Health) -> float:
    return last["ended"] - last["begun"]
