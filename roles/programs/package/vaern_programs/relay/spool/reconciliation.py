"""One round between spool and confirmation: state what was sent, prune what is confirmed, resend what is missing."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vaern_programs.relay.broker import BrokerError, confirmation, send
from vaern_programs.relay.paths import STATISTICS
from vaern_programs.relay.spool import again as spool_again
from vaern_programs.relay.spool import state as spool_state
from vaern_programs.relay.spool.backlog import queued
from vaern_programs.relay.spool.collector import remember
from vaern_programs.relay.spool.index import Segment, Source, lines_of, segments
from vaern_programs.relay.spool.occupancy import measure
from vaern_programs.relay.spool.statement import send_statements
from vaern_programs.shared.intervals import count, intersect, subtract
from vaern_programs.shared.reports import Round
from vaern_programs.shared.tally import Tally

ARCHIVED_SECONDS = 30.0
"""Time after which an event that the broker has is archived, and in the collector's next confirmation."""
STUCK_SECONDS = 300.0
"""A delivery without progress for this long is not waited for."""


def evicted(spool: Path) -> list[Any]:
    """Segments that `rotate` has evicted since the last round: names and tallies. Kept until the state is written.

    A version before the delivery had a user of its own noted them in the folder of the ledger.
    """
    reading = spool / "ledger" / "gave-way.reading"
    for record in (spool / "ledger" / "gave-way", spool / "evicted" / "gave-way"):
        if record.exists() and not reading.exists():
            record.rename(reading)
    if reading.is_symlink() or not reading.is_file():
        reading.unlink(missing_ok=True)
        return []
    lines = reading.read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines if line.endswith("}}")]


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


def run(settings: dict[str, Any], grace: float) -> Round:
    """Do one round and return what was done. The spool is read and measured even when the broker cannot be reached."""
    folder = Path(settings["directory"])
    path = folder / "ledger" / "state.json"
    now = time.time()
    since = (datetime.now(UTC) - timedelta(days=spool_state.DAYS)).date().isoformat()
    spool_again.tidy(folder, now)
    done: Round = {"resent": 0, "removed": 0, "error": ""}
    state = spool_state.read(path)
    gone = evicted(folder)
    found = segments(folder)
    state.enter([*(segment.tally for segment in found), *(Tally.read(one["tally"]) for one in gone)], since)
    settled = state.settle(now, grace)
    try:
        confirmed = confirmation(settings) if settings["confirmations"] else None
        if confirmed:
            remember(settings, confirmed)
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
