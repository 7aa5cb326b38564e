"""One round over all municipalities: each is counted in a process of its own, and no other waits for what it sent."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from pathlib import Path

from vaern_programs.ledger.confirm import send
from vaern_programs.ledger.count import Counted, Municipality
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
    """Count each, and confirm to its relays; the codes of those for which that failed. Raises OSError.

    How it went is in a file afterwards, for the alarm service.
    """
    by_code = {one.code: one for one in municipalities}
    known = health.read(file)
    found = {code: known.get(code, NEVER) for code in by_code}
    for codes in due_now(found, time.time()):
        messages: dict[str, str] = {}
        for code in codes:
            found[code], message = _counted(by_code[code], found[code])
            messages |= {code: message} if message else {}
        failed = send(messages, password) if messages else {}
        for code, fault in failed.items():
            found[code] = {**found[code], "fault": _on_one_line(f"its relays got no confirmation: {fault}")}
        if file.parent.exists():
            health.write(found, file)
        for code in codes:
            if fault := found[code]["fault"]:
                say(WARNING, f"vaern-ledger: {code}: {fault}")
    return [code for code, one in found.items() if one["fault"]]


def _counted(one: Municipality, before: Health) -> tuple[Health, str]:
    """How the count of a municipality went, and what its relays are to be told; nothing when it failed."""
    begun = time.time()
    try:
        done = Counted(*apart(lambda: tuple(one.confirmation()), seconds=SECONDS, memory_bytes=MEMORY_BYTES))
    except WorkError as error:
        fault = _on_one_line(f"could not be counted: {error}")
        return {**before, "begun": begun, "ended": time.time(), "fault": fault}, ""
    ended = time.time()
    health: Health = {
        "begun": begun, "ended": ended, "counted": ended, "fault": "", "refused": done.refused,
        "unlisted": done.unlisted,
    }  # fmt: skip
    if done.balance is not None:
        health["balance"] = done.balance
    return health, done.message


def _on_one_line(text: str) -> str:
    return "".join(letter for letter in text if letter.isprintable())[:FAULT_LENGTH]


def due_now(health: Mapping[str, Health], now: float) -> tuple[list[str], list[str]]:
    """Codes that are counted in a round that begins now: those that are quick, and then one that took long.

    One that took long is not counted before it has rested: the others wait for one at most.
    """
    long = [code for code, one in health.items() if _took(one) > LONG_SECONDS]
    rested = [code for code in long if not 0 <= now - health[code]["ended"] < REST * _took(health[code])]
    return [code for code in health if code not in long], sorted(rested, key=lambda code: health[code]["ended"])[:1]


def _took(last: Health) -> float:
    return last["ended"] - last["begun"]
