"""Compares what the relays of a municipality state they have sent with what the archive holds.

    vaern-ledger --code 0710 [--day 2026-11-24] [--confirm]   the balance, as one JSON document
    vaern-ledger --all --confirm                              what vaern-ledger.timer runs: no balance, only confirm

--confirm confirms to the relays what is in the archive, on the topic confirm.<code>: they prune those events
and send missing ones again. Exit code 0 when nothing is missing, 1 when something is or was left out, 2 when it could
not be found out, 75 when the count takes longer than who asks for it waits: what has been read is kept.
Run by root it becomes vaern-ledger, the user that may read the archives and write nothing but its own summaries.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from vaern_programs.ledger.confirm import send
from vaern_programs.ledger.count import BusyError, Municipality
from vaern_programs.ledger.rounds import MEMORY_BYTES, confirm_each
from vaern_programs.shared.answers import Balance
from vaern_programs.shared.collector_paths import SETTINGS
from vaern_programs.shared.local_broker import credential
from vaern_programs.shared.privileges import become
from vaern_programs.shared.systemd import say
from vaern_programs.shared.worker import NOT_IN_TIME, WorkError, apart

STATE = Path("/var/lib/vaern-ledger")
USER = "vaern-ledger"
ERROR = 3
SLOW = 75
"""Exit code, of sysexits.h: ask again later."""
ANSWER_SECONDS = 50.0
"""Longest wait for a balance: `vaern` waits for an answer of a host for a minute."""


def main(arguments: list[str]) -> int:
    """Run once; what cannot be found out is said in the journal, and is exit code 2."""
    try:
        return run(arguments)
    except SlowError as error:
        say(ERROR, f"vaern-ledger: {error}")
        return SLOW
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
    limit = time.monotonic() + ANSWER_SECONDS
    if options.confirm and (
        failed := send({one.code: _apart(lambda: one.confirmation().message, one, limit)}, password)
    ):
        raise OSError(f"the relays of {one.code} got no confirmation: {failed[one.code]}")
    text, code = _apart(lambda: _told(one.balance(day)), one, limit)
    print(text)
    return int(code)


def _told(balance: Balance) -> tuple[str, int]:
    """The balance as text, and the exit code."""
    lacking = balance["lost_segments"] or any(row["missing"] or row["given_up"] for row in balance["rows"])
    return json.dumps(balance), 1 if lacking or balance.get("unlisted") or balance.get("refused") else 0


def _apart(work: Callable[[], Any], one: Municipality, limit: float) -> Any:
    """What `work` returns, within the limits of a round, and before the one who asks has given up.

    Raises SlowError when it takes longer, or waits for another count; WorkError when it fails.
    """
    try:
        rest = max(limit - time.monotonic(), 0.0)
        return apart(work, seconds=ANSWER_SECONDS, memory_bytes=MEMORY_BYTES, wall_seconds=rest)
    except WorkError as error:
        if BusyError.__name__ in str(error) or NOT_IN_TIME in str(error):
            why = str(error).removeprefix(f"{BusyError.__name__}: ")
            raise SlowError(f"the count of {one.code} is slow ({why}); what has been read is kept") from None
        raise


class SlowError(Exception):
    """The count takes longer than who asks for it waits."""


def secret() -> str:
    """The password for the broker: handed over by systemd, or where the host keeps it."""
    if "CREDENTIALS_DIRECTORY" in os.environ:
        return credential()
    return Path("/var/lib/vaern-kafka/secrets/ledger").read_text(encoding="ascii")
