"""Alarms about those who are told: nothing comes through to one, or nobody is told. Pure; times are Unix seconds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, TypedDict

from vaern_programs.monitoring.alarms.log import Condition, Key
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.limits import Matching, Most
from vaern_programs.shared.reports import SHARED, Count, Seconds
from vaern_programs.shared.schema import Schema

STOPPED_SECONDS = 600.0
"""vaern-notify runs every minute, and for some minutes where many do not answer."""
PROGRAM = "vaern-notify"


class ChannelHealth(TypedDict):
    """How one channel fares."""

    municipality: Annotated[str, Matching("[0-9]{4}|shared")]
    name: Annotated[str, Most(250)]
    since: Seconds
    """Since when nothing comes through; 0 when it does."""
    tries: Count
    fault: str
    waiting: Count


class NotifyHealth(TypedDict):
    """What vaern-notify writes after each run."""

    time: Seconds
    channels: Annotated[list[ChannelHealth], Most(2000)]


HEALTH = Schema(NotifyHealth, 2**22)


def conditions_of_channels(settings: Any, found: Any, started: float, now: float) -> dict[Key, Condition]:
    """`settings` is what the role has written, `found` the last health; waiting begins with `started` at the earliest.

    Nothing where nobody is to be told.
    """
    if not isinstance(settings, Mapping) or not settings.get("channels"):
        return {}
    try:
        health = HEALTH.take(found)
    except UnfitError:
        health = NotifyHealth(time=0.0, channels=[])
    ran = max(health["time"], started)
    conditions = {}
    if now - ran > STOPPED_SECONDS:
        conditions[Key(SHARED, "notify", PROGRAM)] = Condition(ran)
    for one in health["channels"]:
        if one["since"] and now - one["since"] > settings.get("dead_seconds", STOPPED_SECONDS):
            conditions[Key(one["municipality"], "notify", one["name"])] = Condition(one["since"], one["tries"])
    return conditions
