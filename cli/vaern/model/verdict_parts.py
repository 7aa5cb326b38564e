"""What each part of a situation says: clauses with a level, which the verdict puts together. Pure.

An empty measurement is unknown: where no event was counted, nobody has found that none is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from vaern.model import verdict_texts as texts
from vaern.model.finding import Outcome, Text
from vaern.model.situation import (
    Balance,
    Certificates,
    Controls,
    Measured,
    NotAsked,
    OpenAlarms,
    Part,
    PartName,
    Proofs,
    Result,
    Unknown,
    Validity,
)

RECENT = timedelta(days=7)
"""Controls looked at longer ago say nothing about today."""
JUST_NOW = timedelta(minutes=15)
"""Alarms and events change by the minute: the collector looks at them that often, and what was found longer ago is not
how it is now."""
CLOCKS = timedelta(minutes=5)
"""By how much the clocks of two machines may differ. What was measured later than that from now has no known time."""
RENEWAL = timedelta(days=30)
"""A certificate is renewed after two thirds of its 90 days. One with less left than this has missed its renewal, and
what is left is the time to find out why. The watch of each host raises its alarm at the same limit."""
OF_LIFE = 3
"""A certificate with a shorter life is due when this part of it is left."""
WORST_FIRST = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED, Outcome.PASSED)


class Level(StrEnum):
    """How good something is, from the best to the worst."""

    GOOD = "good"
    """Measured, and right."""
    PARTIAL = "partial"
    """Nothing is wrong or unknown, but not everything was tried."""
    UNKNOWN = "unknown"
    """Nothing is known to be wrong, and something is not known."""
    NOTHING = "nothing"
    """Nothing was measured, so there is no result."""
    ATTENTION = "attention"
    """Something is wrong."""
    BROKEN = "broken"
    """Some event or alert did not arrive when it was tried."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One thing that is said of one part, with what it rests on."""

    part: PartName
    level: Level
    text: Text
    details: tuple[Text, ...] = ()


def without_result(name: PartName, part: Unknown | NotAsked) -> Clause:
    """What is said of a part that was not measured."""
    if isinstance(part, Unknown):
        return Clause(name, Level.UNKNOWN, _because(name, part.reason))
    return Clause(name, Level.PARTIAL, texts.UNTRIED[name])


def aged(part: Part[Result], now: str, limit: timedelta | None = None) -> Part[Result]:
    """The part, or unknown when it was measured longer than `limit` before `now`, or in a time that has not come."""
    if not isinstance(part, Measured):
        return part
    if _at(part.time) - _at(now) > CLOCKS:
        return Unknown(texts.in_the_future(part.time))
    if limit and _at(now) - _at(part.time) > limit:
        return Unknown(texts.outdated(part.time))
    return part


def of_controls(found: Controls, _: str) -> list[Clause]:
    """Each control by its worst host."""
    by_control: dict[str, Outcome] = {}
    for one in found.findings:
        by_control[one.control] = min(by_control.get(one.control, one.outcome), one.outcome, key=WORST_FIRST.index)
    count = {outcome: list(by_control.values()).count(outcome) for outcome in Outcome}
    whole = count[Outcome.PASSED] == len(by_control) and not found.named
    said = {
        Outcome.FAILED: (Level.ATTENTION, texts.FAILED),
        Outcome.UNKNOWN: (Level.UNKNOWN, texts.UNSEEN),
        Outcome.SKIPPED: (Level.PARTIAL, texts.SKIPPED),
        Outcome.PASSED: (Level.GOOD, texts.ALL_MET if whole else texts.MET),
    }
    clauses = [
        Clause(PartName.CONTROLS, level, counted.of(count[outcome]), _details(found, outcome))
        for outcome, (level, counted) in said.items()
        if count[outcome]
    ]
    if found.named:
        clauses.append(Clause(PartName.CONTROLS, Level.PARTIAL, texts.only(found.named)))
    return clauses or [Clause(PartName.CONTROLS, Level.UNKNOWN, texts.UNKNOWN[PartName.CONTROLS])]


def of_proofs(found: Proofs, time: str) -> list[Clause]:
    """The tests from the sources. They do not grow old: an alarm says when a source falls silent afterwards."""
    lost = [proof for proof in found.proofs if not proof.seen]
    seen = len(found.proofs) - len(lost)
    clauses = []
    if lost:
        legs = [(proof.subject, texts.leg(proof.leg)) for proof in lost]
        details = tuple(Text(f"{who}: sidst set {leg.da}", f"{who}: last seen {leg.en}") for who, leg in legs)
        clauses.append(Clause(PartName.PROOFS, Level.BROKEN, texts.LOST.of(len(lost)), details))
    if found.untried:
        clauses.append(Clause(PartName.PROOFS, Level.UNKNOWN, texts.of_sources(found.untried)))
    if seen:
        arrived = texts.ARRIVED.of(seen)
        day = time[:10]
        clauses.append(Clause(PartName.PROOFS, Level.GOOD, Text(f"{arrived.da} den {day}", f"{arrived.en} on {day}")))
    return clauses or [Clause(PartName.PROOFS, Level.UNKNOWN, texts.UNKNOWN[PartName.PROOFS])]


def of_alarms(found: OpenAlarms, _: str) -> list[Clause]:
    """The alarms that are open, and whether there may be others."""
    clauses = []
    if found.texts:
        clauses.append(Clause(PartName.ALARMS, Level.ATTENTION, texts.OPEN.of(len(found.texts)), found.texts))
    if found.outdated:
        clauses.append(Clause(PartName.ALARMS, Level.UNKNOWN, _because(PartName.ALARMS, found.outdated)))
    return clauses or [Clause(PartName.ALARMS, Level.GOOD, texts.NO_ALARM)]


def of_ledger(found: Balance, time: str) -> list[Clause]:
    """What is missing of what was sent, when it was counted. Events under way were sent minutes ago and are no loss.

    Where more is under way than has arrived, nobody has seen that it arrives.
    """
    lacking = (
        (found.missing, texts.MISSING),
        (found.given_up, texts.GIVEN_UP),
        (found.gone, texts.GONE),
    )
    clauses = [
        Clause(PartName.LEDGER, Level.ATTENTION, texts.counted_at(counted.of(events), time))
        for events, counted in lacking
        if events
    ]
    nothing_wrong = not clauses
    arrived = found.sent - found.under_way - found.missing - found.given_up
    untold = [
        Clause(PartName.LEDGER, Level.UNKNOWN, counted.of(number))
        for number, counted in (
            (found.unlisted, texts.UNLISTED),
            (found.refused, texts.REFUSED),
            (found.under_way if found.under_way > arrived else 0, texts.UNDER_WAY),
        )
        if number
    ]
    clauses += untold
    if found.unstated:
        clauses.append(Clause(PartName.LEDGER, Level.UNKNOWN, texts.unstated(found.unstated)))
    if found.day:
        clauses.append(Clause(PartName.LEDGER, Level.PARTIAL, texts.other_days(found.day)))
    if nothing_wrong and not found.sent:
        clauses.append(Clause(PartName.LEDGER, Level.UNKNOWN, texts.nothing_counted(found.day)))
    elif nothing_wrong and arrived > 0:
        said = texts.COUNTED_ARRIVED if untold else texts.ALL_ARRIVED
        clauses.append(Clause(PartName.LEDGER, Level.GOOD, texts.counted_at(said, time)))
    return clauses


def of_certificates(found: Certificates, now: str) -> list[Clause]:
    """The certificates that are not valid yet, have ended or should have been renewed."""
    early = [one for one in found.valid if _at(one.begins) > _at(now)]
    ended = [one for one in found.valid if _at(one.ends) <= _at(now)]
    ending = [one for one in found.valid if one not in ended and _at(one.ends) - _at(now) < _due(one)]
    clauses = [
        Clause(PartName.CERTIFICATES, Level.ATTENTION, counted.of(len(some)), tuple(map(detail, some)))
        for some, counted, detail in (
            (early, texts.NOT_YET, _since),
            (ended, texts.ENDED, _until),
            (ending, texts.ENDING, _until),
        )
        if some
    ]
    if found.unread:
        clauses.append(Clause(PartName.CERTIFICATES, Level.UNKNOWN, texts.unread(found.unread)))
    if not clauses and not found.valid:
        return [Clause(PartName.CERTIFICATES, Level.UNKNOWN, texts.UNKNOWN[PartName.CERTIFICATES])]
    return clauses or [Clause(PartName.CERTIFICATES, Level.GOOD, texts.ALL_VALID)]


def _details(found: Controls, outcome: Outcome) -> tuple[Text, ...]:
    """Where the findings with that outcome are; those that are met need none."""
    if outcome is Outcome.PASSED:
        return ()
    lines = [f"{one.control} {one.host}: {one.observed}" for one in found.findings if one.outcome is outcome]
    return tuple(Text(line, line) for line in lines)


def _because(name: PartName, reason: Text) -> Text:
    what = texts.UNKNOWN[name]
    return Text(f"{what.da} ({reason.da})", f"{what.en} ({reason.en})")


def _due(one: Validity) -> timedelta:
    """How long before its end a certificate has to have been renewed."""
    return min(RENEWAL, (_at(one.ends) - _at(one.begins)) / OF_LIFE)


def _until(one: Validity) -> Text:
    return Text(f"{one.host}: til {one.ends[:10]}", f"{one.host}: until {one.ends[:10]}")


def _since(one: Validity) -> Text:
    return Text(f"{one.host}: fra {one.begins[:10]}", f"{one.host}: from {one.begins[:10]}")


def _at(time: str) -> datetime:
    return datetime.fromisoformat(time)
