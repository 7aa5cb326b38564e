"""Keeps the relay's spool and the collector's ledger together; vaern-spool.timer runs it every minute.

    vaern-spool            reads new events in the spool, states what was sent, prunes what is confirmed, and sends
                           again what was sent at least two minutes ago and is not confirmed
    vaern-spool --now      the same, also for events sent a moment ago: by hand, or by `vaern repair`
    vaern-spool --again RECEIVER < events.jsonl
                           sends missing events to a SOC again, as `vaern parity --resend` found them
    vaern-spool --look     only reads the spool, and shows how full it is; does not contact the broker

Prints what it did as JSON. An event is identified by relay, boot, source and sequence, so one that is sent twice counts
once. No event leaves the spool before the collector has it on disk, unless `rotate` evicts it from a full spool.
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
"""How long an event may be under way before it is sent again."""
ARCHIVED_SECONDS = 30.0
"""Time after which an event that the broker has is archived, and in the collector's next confirmation."""
STUCK_SECONDS = 300.0
"""A delivery without progress for this long is not waited for."""
BEHIND_SECONDS = 5.0
"""Younger events are under way."""
TAIL = 8 * 1024
"""Bytes of its statistics: several lines."""
HIGH_WATER = 0.8
ROWS = 2000
"""Of one statement: about 300 KB."""


def queued(statistics: Path) -> int:
    """Bytes of the spool that vaern-delivery still has to send, by its newest statistics; 0 while it keeps up."""
    try:
        with statistics.open("rb") as file:
            file.seek(max(0, statistics.stat().st_size - TAIL))
            lines = file.read().splitlines()
    except FileNotFoundError:
        return 0
    for line in reversed(lines):
        try:
            newest = json.loads(line)
            return int(newest["waiting_bytes"]) if newest["behind_seconds"] > BEHIND_SECONDS else 0
        except (ValueError, KeyError, TypeError):
            continue  # Cut off by a full disk, or not written to its end yet.
    return 0


def prune(found: list[Segment], state: spool_state.State) -> list[Segment]:
    """Remove closed segments whose events are all confirmed, and return the segments that are kept."""
    kept = []
    for segment in found:
        held = segment.holds()
        if segment.open or any(subtract(held[source], state.confirmed.get(source, [])) for source in held):
            kept.append(segment)
        else:
            segment.path.unlink(missing_ok=True)
    return kept


def resend(settings: dict[str, Any], found: list[Segment], lacking: dict[Source, Any]) -> int:
    """Send missing events again, as far as they are in the spool, and return their number. Raises BrokerError."""
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


def send_statements(settings: dict[str, Any], state: spool_state.State, spool: dict[str, Any]) -> str:
    """Send the collector all unstated rows, in one or more statements; the time of the last. Raises BrokerError."""
    sent, given = state.unstated_rows()
    while True:
        part, at = (sent[:ROWS], given[:ROWS]), datetime.now(UTC).isoformat(timespec="microseconds")
        send(settings, [(STATEMENT, statement(settings, state, part, spool, at))])
        state.mark_stated(*part)
        sent, given = sent[ROWS:], given[ROWS:]
        if not sent and not given:
            return at


def evicted(folder: Path) -> list[Any]:
    """Segments that `rotate` has evicted since the last round: names and tallies. Kept until the state is written."""
    record, reading = folder / "gave-way", folder / "gave-way.reading"
    if not reading.exists():
        try:
            record.rename(reading)
        except FileNotFoundError:
            return []
    lines = reading.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}}")]


def measure(settings: dict[str, Any], found: list[Segment], gone: list[Any]) -> Round:
    """How full the spool is; raises an alarm when it is nearly full, and when segments were evicted."""
    used, room = sum(segment.size for segment in found), settings["max_bytes"]
    confirming = bool(settings["confirmations"])  # Without confirmations the spool is always full, as intended.
    if gone and confirming:
        names = ", ".join(one["name"] for one in gone[:3])
        alarm(f"The spool is full: {len(gone)} segments were evicted, the least important first: {names}")
    if used > HIGH_WATER * room and confirming:
        oldest = min((run[2] for one in found for runs in one.tally.runs.values() for run in runs), default="")
        alarm(f"The spool is {used / room:.0%} full; the oldest unconfirmed event is from {oldest}")
    return {"bytes": used, "max_bytes": room, "segments": len(found), "gave_way": len(gone)}


def waiting(found: list[Segment], state: spool_state.State) -> int:
    """Number of events in the spool that have never been confirmed."""
    held = spool_state.spooled(found)
    return sum(count(subtract(numbers, state.ever_confirmed.get(source, []))) for source, numbers in held.items())


def look(settings: dict[str, Any]) -> SpoolState:
    """How full the spool is, and how many bytes its disk still has for it."""
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
    """Do one round and return what was done. The spool is read and measured even when the broker cannot be reached."""
    folder = Path(settings["directory"])
    path = folder / "ledger" / "state.json"
    now = time.time()
    since = (datetime.now(UTC) - timedelta(days=spool_state.DAYS)).date().isoformat()
    spool_again.tidy(folder, now)
    done: Round = {"resent": 0, "removed": 0, "error": ""}
    state = spool_state.read(path)
    gone = evicted(folder / "ledger")
    found = segments(folder)
    state.enter([*(segment.tally for segment in found), *(Tally.read(one["tally"]) for one in gone)], since)
    settled = state.settle(now, grace)
    try:
        confirmed = confirmation(settings) if settings["confirmations"] else None
        if confirmed:
            state.confirm(confirmed["relays"].get(settings["relay"], {}))
            kept = prune(found, state)
            done["removed"], found = len(found) - len(kept), kept
            lacking = state.lacking(settled)
            # Events that are still being delivered would only be sent twice.
            draining = state.is_draining(queued(STATISTICS), now, STUCK_SECONDS)
            # A confirmation made while events were still being delivered does not show what is missing.
            conclusive = state.is_conclusive(confirmed["time"], draining, ARCHIVED_SECONDS)
            if conclusive or (not grace and not draining):
                state.give_up(lacking, spool_state.spooled(found))
            if conclusive or not grace:
                done["resent"] = resend(settings, found, lacking)
            if done["resent"]:
                state.drained_at = ""  # A confirmation made while these are under way is not conclusive either.
        done |= measure(settings, found, gone)
        spool = {"bytes": done["bytes"], "max_bytes": done["max_bytes"], "segments": done["segments"]}
        done["stated"] = send_statements(settings, state, spool)
    except BrokerError as error:
        done |= measure(settings, found, gone) if "bytes" not in done else {}
        done["error"] = str(error)
        state.drained_at = ""
    state.forget(since)
    spool_state.write(path, state)
    (folder / "ledger" / "gave-way.reading").unlink(missing_ok=True)
    done["given_up"] = sum(count(ranges) for ranges in state.given_up.values())
    return done


def main(arguments: list[str]) -> int:
    """Run once; returns 0 when done, 1 when the broker did not answer or some event was not accepted."""
    parser = argparse.ArgumentParser(prog="vaern-spool", description="State, prune and send again")
    parser.add_argument("--now", action="store_true", help="also send again events that were sent a moment ago")
    parser.add_argument("--again", metavar="RECEIVER", help="send the events on standard input to that SOC again")
    parser.add_argument("--look", action="store_true", help="only show the state of the spool")
    options = parser.parse_args(arguments)
    if os.geteuid() == 0:
        become(USER, "vaern-pki")  # As in its service, it may read the host's key.
    os.umask(0o027)
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    if options.again:
        accepted = spool_again.redeliver(settings, options.again, sys.stdin.buffer, time.time())
        print(json.dumps(accepted))
        return 1 if accepted["error"] or accepted["refused"] else 0
    folder = Path(settings["directory"]) / "ledger"
    folder.mkdir(mode=0o750, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done: SpoolState | Round = (
            look(settings) if options.look else run(settings, 0.0 if options.now else GRACE_SECONDS)
        )
    print(json.dumps(done))
    return 1 if done.get("error") else 0
