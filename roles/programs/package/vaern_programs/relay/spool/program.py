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
from pathlib import Path

from vaern_programs.relay.paths import SETTINGS
from vaern_programs.relay.spool import again as spool_again
from vaern_programs.relay.spool.occupancy import look
from vaern_programs.relay.spool.reconciliation import run
from vaern_programs.shared.privileges import become
from vaern_programs.shared.reports import Round, SpoolState

USER = "vaern-delivery"
GRACE_SECONDS = 120.0
"""How long an event may be under way before it is sent again."""


def main(arguments: list[str]) -> int:
    """Run once; returns 0 when done, 1 when the broker did not answer or some event was not accepted."""
    parser = argparse.ArgumentParser(prog="vaern-spool", description="State, prune and send again")
    parser.add_argument("--now", action="store_true", help="also send again events that were sent a moment ago")
    parser.add_argument("--again", metavar="RECEIVER", help="send the events on standard input to that SOC again")
    parser.add_argument("--look", action="store_true", help="only show the state of the spool")
    options = parser.parse_args(arguments)
    if os.geteuid() == 0:
        become(USER)  # As in its service.
    os.umask(0o007)  # As the delivery.
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    if options.again:
        accepted = spool_again.redeliver(settings, options.again, sys.stdin.buffer, time.time())
        print(json.dumps(accepted))
        return 1 if accepted["error"] or accepted["refused"] else 0
    folder = Path(settings["directory"]) / "ledger"
    folder.mkdir(mode=0o770, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done: SpoolState | Round = (
            look(settings) if options.look else run(settings, 0.0 if options.now else GRACE_SECONDS)
        )
    print(json.dumps(done))
    return 1 if done.get("error") else 0
