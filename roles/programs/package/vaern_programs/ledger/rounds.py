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
SEND_SECONDS = 5.0
"""Relays wait so long for what has been counted, while others are counted."""
FAULT_LENGTH = 500
WARNING = 4
NEVER: Health = {"begun": 0.0, "ended": 0.0, "counted": 0.0, "fault": "", "refused": 0, "unlisted": 0}


def confirm_each(municipalities: Iterable[Municipality], password: str, file: Path = health.FILE) -> list[str]:
    """Count each, and confirm to its relays; the codes of those for which that failed. Raises OSError.

    How it went is in a file afterwards, for the alarm service.
    """
    by_code = {one.code: one for one in municipalities}
    known = health.read(file)
    this = _Round({code: known.get(code, NEVER) for code in by_code}, password, file)
    quick, slow = due_now(this.found, time.time())
    # One that was quick and is so no longer is ended soon, and has its whole time when those that are slow have.
    for codes, seconds in ((quick, min(SECONDS, LONG_SECONDS)), (slow, SECONDS)):
        for code in codes:
            this.count(by_code[code], seconds)
        this.send()
        for code in codes:
            if fault := this.found[code]["fault"]:
                say(WARNING, f"vaern-ledger: {code}: {fault}")
    return [code for code, one in this.found.items() if one["fault"]]


class _Round:
    """How each municipality fares, which is written as soon as it is known, and what relays are still to be told."""

    def __init__(self, found: dict[str, Health], password: str, file: Path) -> None:
        self.found, self.password, self.file = found, password, file
        self.messages: dict[str, str] = {}
        self.sent, self.silent = time.monotonic(), False

    def count(self, one: Municipality, seconds: float) -> None:
        self.found[one.code], message = _counted(one, self.found[one.code], seconds)
        self._write()
        if message:
            self.messages[one.code] = message
        # A broker that is away is not waited for again before the end.
        if time.monotonic() - self.sent > SEND_SECONDS and not self.silent:
            self.send()

    def send(self) -> None:
        failed = send(self.messages, self.password) if self.messages else {}
        for code, fault in failed.items():
            self.found[code] = {**self.found[code], "fault": _on_one_line(f"its relays got no confirmation: {fault}")}
        self.silent = bool(failed)
        self.messages, self.sent = {}, time.monotonic()
        if failed:
            self._write()

    def _write(self) -> None:
        if self.file.parent.exists():
            health.write(self.found, self.file)


def _counted(one: Municipality, before: Health, seconds: float) -> tuple[Health, str]:
    """How the count of a municipality went, and what its relays are to be told; nothing when it failed."""
    begun = time.time()
    try:
        done = Counted(*apart(lambda: tuple(one.confirmation()), seconds=seconds, memory_bytes=MEMORY_BYTES))
    except WorkError as error:
        fault = _on_one_line(f"could not be counted: {error}")
        return {**before, "begun": begun, "ended": time.time(), "fault": fault}, ""
    ended = time.time()
    health: Health = {
        "begun": begun, "ended": ended, "counted": ended, "fault": "", "refused": done.refused,
        "unlisted": done.unlisted,
    }  # fmt: skip
    since = {(known["relay"], known["source"]): known["since"] for known in before.get("missing", [])}
    health["missing"] = [
        {"relay": relay, "source": source, "events": events, "since": since.get((relay, source), ended)}
        for relay, source, events in done.missing
    ]
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
