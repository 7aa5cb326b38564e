"""Compares what the relays of a municipality state they have sent with what the archive holds.

    vaern-ledger --code 0710 [--day 2026-11-24] [--confirm]   the balance, as one JSON document
    vaern-ledger --all --confirm                              what vaern-ledger.timer runs: no balance, only confirm

--confirm confirms to the relays what is in the archive, on the topic confirm.<code>: they prune those events
and send missing ones again. Exit code 0 when nothing is missing, 1 when something is, 2 when it could not be found out.
Run by root it becomes vaern-ledger, the user that may read the archives and write nothing but its own summaries.
"""

from __future__ import annotations

import argparse
import json
import os
from datetime import date
from pathlib import Path

from vaern_programs.ledger.confirm import send
from vaern_programs.ledger.count import Municipality
from vaern_programs.ledger.rounds import confirm_each
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.local_broker import credential
from vaern_programs.shared.privileges import become
from vaern_programs.shared.systemd import say

STATE = Path("/var/lib/vaern-ledger")
USER = "vaern-ledger"
ERROR = 3


def main(arguments: list[str]) -> int:
    """Run once; what cannot be found out is said in the journal, and is exit code 2."""
    try:
        return run(arguments)
    except Exception as error:  # noqa: BLE001 whatever a municipality has sent: a reason, and never a traceback
        say(ERROR, f"vaern-ledger: {type(error).__name__}: {error}")
        return 2


def run(arguments: list[str]) -> int:
    """Keep the summaries, confirm and show the balance. Raises OSError, ValueError."""
    parser = argparse.ArgumentParser(prog="vaern-ledger", description="Balance of what was sent and what has arrived")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--code", help="municipality code, such as 0710")
    which.add_argument("--all", action="store_true", help="every municipality; prints no balance")
    parser.add_argument("--day", type=date.fromisoformat, help="only this day, UTC")
    parser.add_argument("--confirm", action="store_true", help="confirm to the relays what is in the archive")
    options = parser.parse_args(arguments)
    settings = json.loads(SETTINGS.read_text(encoding="utf-8"))
    codes = [tenant["code"] for tenant in settings["tenants"]] if options.all else [options.code]
    if not all(len(code) == 4 and code.isdecimal() for code in codes):
        parser.error("--code takes four digits")
    password = secret() if options.confirm else ""
    if os.geteuid() == 0:
        become(USER)  # The password of the broker has been read before.
    os.umask(0o027)
    municipalities = [Municipality(code, settings, STATE) for code in codes]
    if options.all:
        return 2 if confirm_each(municipalities, password) else 0
    day = options.day.isoformat() if options.day else None
    (one,) = municipalities
    if options.confirm and (failed := send({one.code: one.confirmation().message}, password)):
        raise OSError(f"the relays of {one.code} got no confirmation: {failed[one.code]}")
    balance = one.balance(day)
    print(json.dumps(balance))
    return 1 if balance["lost_segments"] or any(row["missing"] or row["given_up"] for row in balance["rows"]) else 0


def secret() -> str:
    """The password for the broker: handed over by systemd, or where the host keeps it."""
    if "CREDENTIALS_DIRECTORY" in os.environ:
        return credential()
    return Path("/var/lib/vaern-kafka/secrets/ledger").read_text(encoding="ascii")
