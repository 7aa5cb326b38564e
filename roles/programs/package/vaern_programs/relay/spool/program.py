"""Keeps the relay's spool and the collector's ledger together; vaern-spool.timer runs it every minute.

    vaern-spool            reads what is new in the spool, states what was sent, lets go of what is confirmed, and sends
                           again what was sent two minutes ago or more and is in no confirmation
    vaern-spool --now      the same, also for what was sent a moment ago: by hand, or by `vaern repair`
    vaern-spool --again RECEIVER < events.jsonl
                           hands a SOC events that it misses, as `vaern parity --resend` found them
    vaern-spool --look     only reads the spool, and says how full it is and what waits in it; asks no broker

Prints what it did as JSON. An event is known by relay, boot, source and sequence, so one that is sent twice counts
once. Nothing is let go of before the collector has it on disk, except by `rotate` when the spool is full.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vaern_programs.relay.broker import BrokerError, confirmation, send
from vaern_programs.relay.paths import SETTINGS, STATISTICS
from vaern_programs.relay.spool import again as spool_again
from vaern_programs.relay.spool import state as spool_state
from vaern_programs.relay.spool.index import RESERVE_PERCENT, Segment, Source, lines_of, segments
from vaern_programs.shared.intervals import count, intersect, subtract
from vaern_programs.shared.privileges import become
from vaern_programs.shared.reports import Round, SpoolState, Statement
from vaern_programs.shared.systemd import alarm
from vaern_programs.shared.tally import STATEMENT, Tally

USER = "vaern-relay"
GRACE_SECONDS = 120.0
"""So long an event may be on its way before it is sent again."""
ARCHIVED_SECONDS = 30.0
"""So long after an event is with the broker it is in the archive, and in the collector's next confirmation."""
STUCK_SECONDS = 300.0
"""A delivery that has not moved for so long is not waited for."""
BEHIND_SECONDS = 5.0
"""What is younger is on its way."""
TAIL = 8 * 1024
"""Bytes of its statistics: several lines."""
HIGH_WATER = 0.8
ROWS = 2000
"""Of one statement: about 300 KB."""


def queued(statistics: Path) -> int:
    """Bytes of the spool that vaern-delivery has yet to send, by its last word; none while it keeps up."""
    try:
        with statistics.open("rb") as file:
            file.seek(max(0, statistics.stat().st_size - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return 0
    for line in reversed(lines):
        try:
            told = json.loads(line)
            return int(told["waiting_bytes"]) if told["behind_seconds"] > BEHIND_SECONDS else 0
        except (ValueError, KeyError, TypeError):
            continue  # Cut off by a full disk, or not written to its end yet.
    return 0


def let_go(found: list[Segment], state: spool_state.State) -> list[Segment]:
    """Remove closed segments of which every event is confirmed; those that stay."""
    kept = []
    for segment in found:
        held = segment.holds()
        if segment.open or any(subtract(held[source], state.confirmed.get(source, [])) for source in held):
            kept.append(segment)
        else:
            segment.path.unlink(missing_ok=True)
    return kept


def resend(settings: dict[str, Any], found: list[Segment], lacking: dict[Source, Any]) -> int:
    """Send again what is lacking, as far as it is in the spool; how many events. Raises BrokerError."""
    wanted = [segment for segment in found if any(intersect(n, lacking.get(s, [])) for s, n in segment.holds().items())]
    return send(settings, (event for segment in wanted for event in lines_of(segment, lacking))) if wanted else 0


def statement(
    settings: dict[str, Any], state: spool_state.State, rows: tuple[list[Any], list[Any]], spool: Any, at: str
) -> bytes:
    """An event like any other, so that it travels and is archived like one. `at` is its time, RFC 3339 in UTC."""
    stated: Statement = {"sent": rows[0], "given_up": rows[1], "spool": spool}
    event = {
        "time": at, "received": at, "municipality": settings["municipality"], "relay": settings["relay"],
        "boot": "0" * 32,
        "sequence": state.statements + 1, "site": settings["site"], "source": STATEMENT, "kind": "statement",
        "sector": "administration", "host": settings["relay"],
        "message": f"{len(rows[0])} sources and days stated, {len(rows[1])} with events given up",
        "statement": stated,
    }  # fmt: skip
    return json.dumps(event, separators=(",", ":")).encode()


def state_it(settings: dict[str, Any], state: spool_state.State, spool: dict[str, Any]) -> str:
    """Tell the collector what is new, in as many statements as it takes; the time of the last. Raises BrokerError."""
    sent, given = state.news()
    while True:
        part, at = (sent[:ROWS], given[:ROWS]), datetime.now(UTC).isoformat(timespec="microseconds")
        send(settings, [(STATEMENT, statement(settings, state, part, spool, at))])
        state.tell(*part)
        sent, given = sent[ROWS:], given[ROWS:]
        if not sent and not given:
            return at


def gave_way(folder: Path) -> list[Any]:
    """What `rotate` has removed since the last round: names and tallies. Kept until the state is written."""
    record, reading = folder / "gave-way", folder / "gave-way.reading"
    if not reading.exists():
        try:
            record.rename(reading)
        except FileNotFoundError:
            return []
    lines = reading.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}}")]


def measure(settings: dict[str, Any], found: list[Segment], gone: list[Any]) -> Round:
    """How full the spool is; alarms when it is nearly full, and when something gave way."""
    used, room = sum(segment.size for segment in found), settings["max_bytes"]
    told = bool(settings["confirmations"])  # Where nobody confirms, a full spool is how it is meant to be.
    if gone and told:
        names = ", ".join(one["name"] for one in gone[:3])
        alarm(f"The spool is full: {len(gone)} segments gave way, the least important first: {names}")
    if used > HIGH_WATER * room and told:
        oldest = min((run[2] for one in found for runs in one.tally.runs.values() for run in runs), default="")
        alarm(f"The spool is {used / room:.0%} full; the oldest event not confirmed is of {oldest}")
    return {"bytes": used, "max_bytes": room, "segments": len(found), "gave_way": len(gone)}


def waiting(found: list[Segment], state: spool_state.State) -> int:
    """Events in the spool that no confirmation has named yet."""
    held = spool_state.whole(found)
    return sum(count(subtract(numbers, state.once.get(source, []))) for source, numbers in held.items())


def look(settings: dict[str, Any]) -> SpoolState:
    """How full the spool is, and the bytes its disk still has for it."""
    folder = Path(settings["directory"])
    found = segments(folder)
    disk = os.statvfs(folder)
    return {
        "bytes": sum(segment.size for segment in found),
        "max_bytes": settings["max_bytes"],
        "waiting": waiting(found, spool_state.read(folder / "ledger" / "state.json")),
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
        "free": max(0, (disk.f_bavail - disk.f_blocks * RESERVE_PERCENT // 100) * disk.f_frsize),
    }


def run(settings: dict[str, Any], grace: float) -> Round:
    """One round; what was done. The spool is read and measured also when the broker is away."""
    folder = Path(settings["directory"])
    path = folder / "ledger" / "state.json"
    now = time.time()
    since = (datetime.now(UTC) - timedelta(days=spool_state.DAYS)).date().isoformat()
    spool_again.tidy(folder, now)
    done: Round = {"resent": 0, "removed": 0, "error": ""}
    state = spool_state.read(path)
    gone = gave_way(folder / "ledger")
    found = segments(folder)
    state.enter([*(segment.tally for segment in found), *(Tally.read(one["tally"]) for one in gone)], since)
    settled = state.settle(now, grace)
    try:
        told = confirmation(settings) if settings["confirmations"] else None
        if told:
            state.confirm(told["relays"].get(settings["relay"], {}))
            kept = let_go(found, state)
            done["removed"], found = len(found) - len(kept), kept
            lacking = state.lacking(settled)
            # What is still being delivered would only be sent twice.
            draining = state.moves(queued(STATISTICS), now, STUCK_SECONDS)
            # Nor would a confirmation tell that was made meanwhile.
            speaks = state.speaks(told["time"], draining, ARCHIVED_SECONDS)
            if speaks or (not grace and not draining):
                state.give_up(lacking, spool_state.whole(found))
            if speaks or not grace:
                done["resent"] = resend(settings, found, lacking)
            if done["resent"]:
                state.empty = ""  # Nor would one that was made while this was under way.
        done |= measure(settings, found, gone)
        spool = {"bytes": done["bytes"], "max_bytes": done["max_bytes"], "segments": done["segments"]}
        done["stated"] = state_it(settings, state, spool)
    except BrokerError as error:
        done |= measure(settings, found, gone) if "bytes" not in done else {}
        done["error"] = str(error)
        state.empty = ""
    state.forget(since)
    spool_state.write(path, state)
    (folder / "ledger" / "gave-way.reading").unlink(missing_ok=True)
    done["given_up"] = sum(count(ranges) for ranges in state.given_up.values())
    return done


def main(arguments: list[str]) -> int:
    """Run once; 0 when done, 1 when the broker did not answer or not every event was taken."""
    parser = argparse.ArgumentParser(prog="vaern-spool", description="State, let go, and send again")
    parser.add_argument("--now", action="store_true", help="send again also what was sent a moment ago")
    parser.add_argument("--again", metavar="RECEIVER", help="hand that SOC the events on standard input")
    parser.add_argument("--look", action="store_true", help="only say what is in the spool")
    options = parser.parse_args(arguments)
    if os.geteuid() == 0:
        become(USER, "vaern-pki")  # As in its service, it may read the host's key.
    os.umask(0o027)
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    if options.again:
        handed = spool_again.hand(settings, options.again, sys.stdin.buffer, time.time())
        print(json.dumps(handed))
        return 1 if handed["error"] or handed["refused"] else 0
    folder = Path(settings["directory"]) / "ledger"
    folder.mkdir(mode=0o750, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done: SpoolState | Round = (
            look(settings) if options.look else run(settings, 0.0 if options.now else GRACE_SECONDS)
        )
    print(json.dumps(done))
    return 1 if done.get("error") else 0
