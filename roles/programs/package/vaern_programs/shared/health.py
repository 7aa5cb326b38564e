"""How each municipality's part of the ledger fares, for the alarm service and `vaern status`.

A small file, rewritten with each count.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, NotRequired, TypedDict

from vaern_programs.shared.answers import Balance
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import Count, Relay, Seconds, Source
from vaern_programs.shared.schema import Schema

FILE = Path("/run/vaern-ledger/health.json")
MISSING = 100
"""Sources of a municipality that are named at most; the sums have the events of all."""


class Missing(TypedDict):
    """Events of one source that are not in the archive."""

    relay: Relay
    source: Source
    events: Count
    since: Seconds
    """Since when some of that source are missing; Unix time."""


class Health(TypedDict):
    """The last count of one municipality; times are Unix seconds."""

    begun: Seconds
    ended: Seconds
    counted: Seconds
    """End of the last one that was done; 0 for none since the host was started."""
    fault: str
    """Why the last one was not done, or its relays got no confirmation; empty when all went well."""
    refused: Count
    """Statements of the last two days that are none."""
    unlisted: Count
    """Events, rows of statements and intervals that were left out, as a limit was reached."""
    missing: NotRequired[Annotated[list[Missing], MISSING]]
    """Sources of which events are missing, the first by name. An earlier version has not kept it."""
    balance: NotRequired[Balance]
    """What was counted, in sums: one row in place of all. An earlier version has not kept it."""


SCHEMA = Schema(Health, 65536)


def read(path: Path = FILE) -> dict[str, Health]:
    """By code; those that cannot be read are left out."""
    return taken(read_json(path, {}))


def taken(found: object) -> dict[str, Health]:
    """By code, of what the file says; those that do not fit are left out."""
    health: dict[str, Health] = {}
    for code, one in found.items() if isinstance(found, dict) else ():
        try:
            health[code] = SCHEMA.take(one)
        except UnfitError:
            continue
    return health


def write(health: Mapping[str, Health], path: Path = FILE) -> None:
    """Replace the file. Raises OSError. The alarm service runs as another user; there is nothing of any event in it."""
    replace(path, json.dumps(health), durable=False)
    path.chmod(0o644)
