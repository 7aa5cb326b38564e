"""What an alarm about a source rests on, in words: what its lines say of themselves, and when that changed. Pure.

A cause is named only where something that was seen changed at the time of the jump; otherwise only what is seen.
"""

from __future__ import annotations

from collections.abc import Iterable

from vaern_programs.monitoring.alarms.log import Evidence
from vaern_programs.shared.observed import Change, Observed
from vaern_programs.shared.times import utc

HOUR = 3600.0
NEAR_HOUR = 90.0
"""Seconds. A clock that is whole hours off is right in another time zone."""
WORDS = {
    "header": Evidence("linjernes hoved", "the header of its lines"),
    "version": Evidence("afsenderens version", "the version of its sender"),
}
FORMS = {
    "a time of ISO 8601": "en tid efter ISO 8601",
    "a priority and no time": "prioritet og ingen tid",
    "no header": "intet hoved",
}
"""The forms of a header that have no name of their own, in Danish."""


def of_lines(observed: Observed, since: float, window: float) -> Evidence:
    """What is seen of header and version; what changed within a window of `since` (Unix seconds) is said first."""
    changed, seen = [], []
    for name, change in (("header", observed["header"]), ("version", observed["version"])):
        if not change["now"]:
            continue
        if change["before"] and abs(change["since"] - since) <= window:
            changed.append(_changed(WORDS[name], change))
        else:
            seen.append(_seen(WORDS[name], change))
    return joined([*changed, *seen])


def of_clock(seconds: float) -> Evidence:
    """What the size of an error of the clock says."""
    hours = round(seconds / HOUR)
    if not hours or abs(seconds - hours * HOUR) > NEAR_HOUR:
        return Evidence()
    return Evidence(
        f" Det er {hours:+d} hele timer, som når tidszonen ikke passer med den erklærede.",
        f" That is {hours:+d} whole hours, as where the time zone is not the declared one.",
    )


def joined(parts: Iterable[Evidence]) -> Evidence:
    """Several, one after the other."""
    parts = list(parts)
    return Evidence("".join(one.da for one in parts), "".join(one.en for one in parts))


def _changed(what: Evidence, change: Change) -> Evidence:
    minute = utc(change["since"]).strftime("%Y-%m-%d %H:%M UTC")
    before, now = _plain(change["before"]), _plain(change["now"])
    danish = (FORMS.get(before, before), FORMS.get(now, now))
    return Evidence(
        f" Samtidig, {minute}, skiftede {what.da} fra {danish[0]} til {danish[1]}.",
        f" At the same time, {minute}, {what.en} changed from {before} to {now}.",
    )


def _seen(what: Evidence, change: Change) -> Evidence:
    now = _plain(change["now"])
    return Evidence(f" Set: {what.da} er {FORMS.get(now, now)}.", f" Seen: {what.en} is {now}.")


def _plain(text: str) -> str:
    """A device may call its version anything; an address in a message would be somebody's to click on."""
    return "".join(letter for letter in text if letter.isalnum() or letter in " ._-")
