"""Alarms about the ledger of a municipality: not counted, or not all of it. Pure; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Iterable

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.shared.health import Health

COUNTED_WITHIN = 300.0
"""It is counted every minute."""
MISSING_SECONDS = 900.0
"""For so long events of a source may be missing: its relay sends them again after two minutes, until they are there.

`collector_alarms.missing_seconds` may say otherwise; a collector that was set up by an earlier version says nothing.
"""


def conditions_of_ledger(
    code: str,
    health: Health | None,
    started: float,
    now: float,
    opened: Iterable[Key] = (),
    missing_seconds: float = MISSING_SECONDS,
) -> tuple[dict[Key, Condition], set[Key]]:
    """What is wrong with the count of one municipality, and what cannot be known while it is not counted.

    `health` is None when nothing is known of it; waiting begins with `started` at the earliest. `opened` are the alarms
    that are open. Events of a source may be missing for `missing_seconds`.
    """
    kept = {Key(code, kind, code) for kind in ("reports", "excess")}
    kept |= {key for key in opened if (key.municipality, key.kind) == (code, "missing")}
    counted = max(health["counted"] if health else 0.0, started)
    conditions = {}
    if now - counted > COUNTED_WITHIN:
        conditions[Key(code, "ledger", code)] = Condition(counted, round(now - counted), COUNTED_WITHIN)
    if health is None or not health["counted"]:
        return conditions, kept
    for kind, found in (("reports", health["refused"]), ("excess", health["unlisted"])):
        if found:
            conditions[Key(code, kind, code)] = Condition(health["counted"], found)
    for one in health.get("missing", []):
        if health["counted"] - one["since"] >= missing_seconds:
            key = Key(code, "missing", f"{one['relay']}: {one['source']}")
            conditions[key] = Condition(one["since"], one["events"], missing_seconds)
    return conditions, set()
