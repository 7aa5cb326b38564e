"""Takes the situation of a municipality: what a run has found, what the collector says, what earlier runs have left.

Nothing is judged here. What cannot be read becomes an unknown part with its reason, and never an empty one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial

from vaern.archive import alarms, ledger
from vaern.archive.alarms import Alarms
from vaern.archive.counts import NOT_YET, Counts
from vaern.archive.ledger import Ledger
from vaern.enrolment.key_record import read_record, record_of
from vaern.enrolment.validity import validity
from vaern.errors import ProvisionError, UnreachableError, VaernError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.finding import Finding, Proof, Text
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, host_name
from vaern.model.situation import (
    Balance,
    Certificates,
    Controls,
    Measured,
    OpenAlarms,
    Part,
    Proofs,
    Situation,
    Unknown,
)
from vaern.model.verdict_texts import outdated
from vaern.runtime.paths import Project
from vaern.workflows import results

SETTLE_SECONDS = 45.0
"""An alarm that a run has cured ends with the next sign of life of its host; hosts give one each 15 seconds."""
POLL_SECONDS = 2.0


def now() -> str:
    """UTC, RFC 3339, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def verified(
    project: Project, fleet: Fleet, slug: str, findings: Iterable[Finding], named: tuple[str, ...] = ()
) -> Situation:
    """After a verification. When single controls were named, nothing else was asked."""
    municipality, at = fleet.municipalities[slug], now()
    controls = Measured(at, Controls(tuple(sorted(findings)), named))
    if named:
        return Situation(municipality.name, at, controls)
    return Situation(
        municipality.name,
        at,
        controls,
        last_proofs(project, slug, municipality),
        open_alarms(alarms.read(project, fleet.deployment), municipality.code, at),
        counted(slug, municipality, at, partial(ledger.ledger, project, municipality, fleet.deployment)),
        certificates(project, fleet.deployment, slug, municipality, at),
    )


def onboarded(
    project: Project, fleet: Fleet, slug: str, findings: Iterable[Finding], proofs: Iterable[Proof]
) -> Situation:
    """At the end of an onboarding.

    Relays are made to state what they have sent, and alarms that the run has cured get the time to end.
    """
    municipality, deployment = fleet.municipalities[slug], fleet.deployment

    def balance() -> Ledger:
        stated = ledger.state_now(project, slug, municipality)
        return ledger.await_statements(partial(ledger.ledger, project, municipality, deployment), stated)

    settled = settle(partial(alarms.read, project, deployment), municipality.code)
    at = now()
    made = Proofs(tuple(sorted(proofs)))
    return Situation(
        municipality.name,
        at,
        Measured(at, Controls(tuple(sorted(findings)))),
        Measured(at, replace(made, untried=untried(municipality, made.proofs))),
        open_alarms(settled, municipality.code, at),
        counted(slug, municipality, at, balance),
        certificates(project, deployment, slug, municipality, at),
    )


def recorded(project: Project, fleet: Fleet, slug: str, found: Alarms, counts: Counts) -> tuple[Situation, str]:
    """Now, of what was read of the collector (alarms, last count) and is recorded (last report, certificates).

    Also when the last report was made; empty without one.
    """
    municipality, at = fleet.municipalities[slug], now()
    reported = ""
    try:
        last = results.last(project, slug, whole=False).report.situation
        reported = last.time
    except VaernError as error:
        unread = Unknown(Text("der er intet resultat, der kan læses", error.what))
        last = Situation(municipality.name, at, controls=unread)
    taken = replace(
        last,
        name=municipality.name,
        time=at,
        proofs=last_proofs(project, slug, municipality),
        alarms=open_alarms(found, municipality.code, at),
        ledger=last_count(slug, municipality, counts.of(municipality.code), last.ledger),
        certificates=certificates(project, fleet.deployment, slug, municipality, at),
    )
    return taken, reported


def of_balance(slug: str, municipality: Municipality, found: Ledger, day: date | None = None) -> Situation:
    """What the ledger alone says."""
    return Situation(
        municipality.name, found.time, ledger=Measured(found.time, balance_of(slug, municipality, found, day))
    )


def unstated(situation: Situation) -> tuple[str, ...]:
    """Declared relays that had not stated everything when the ledger was counted."""
    return situation.ledger.result.unstated if isinstance(situation.ledger, Measured) else ()


def counted(slug: str, municipality: Municipality, at: str, read: Callable[[], Ledger]) -> Part[Balance]:
    """The part of the ledger; unknown when nobody can count."""
    try:
        return Measured(at, balance_of(slug, municipality, read()))
    except VaernError as error:
        return Unknown(_reason(error))


def last_count(slug: str, municipality: Municipality, found: Ledger | Text, before: Part[Balance]) -> Part[Balance]:
    """What the collector has counted last; where that is not known, why, and when events were counted `before`.

    One that was started a minute ago has not counted yet: what was counted before holds as long as it is new.
    """
    if isinstance(found, Ledger):
        return Measured(found.time, balance_of(slug, municipality, found))
    if not isinstance(before, Measured):
        return Unknown(found)
    if found == NOT_YET:
        return before
    last = outdated(before.time)
    return Unknown(Text(f"{found.da}; {last.da}", f"{found.en}; {last.en}"))


def balance_of(slug: str, municipality: Municipality, found: Ledger, day: date | None = None) -> Balance:
    """The sums of a ledger, and the declared relays that had not stated everything of its time."""
    until = datetime.fromisoformat(found.time) - ledger.STATED_WITHIN
    if day:
        until = min(until, datetime.combine(day + timedelta(days=1), datetime.min.time(), UTC))
    since = until.isoformat(timespec="microseconds")
    return Balance(
        sent=found.total("sent"),
        under_way=found.total("under_way"),
        missing=found.total("missing"),
        given_up=found.total("given_up"),
        gone=sum(one.events for one in found.lost_segments),
        unstated=found.behind(dict.fromkeys(ledger.relays(slug, municipality), since)),
        day=day.isoformat() if day else "",
        unlisted=found.unlisted,
        refused=found.refused,
    )


def open_alarms(found: Alarms, code: str, at: str) -> Part[OpenAlarms]:
    """The part of the alarms: those of the municipality and of the shared hosts."""
    texts = tuple(Text(danish, english) for danish, english in found.texts(code))
    if not found.unknown:
        return Measured(at, OpenAlarms(texts))
    reason = Text("modtagerens alarmtjeneste kan ikke læses", found.unknown)
    return Measured(at, OpenAlarms(texts, reason)) if texts else Unknown(reason)


def settle(read: Callable[[], Alarms], code: str) -> Alarms:
    """The open alarms once those have ended that were only waiting for a sign of life, or after half a minute."""
    limit = time.monotonic() + SETTLE_SECONDS
    while (found := read()).texts(code) and not found.unknown and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    return found


def certificates(
    project: Project, deployment: Deployment, slug: str, municipality: Municipality, at: str
) -> Part[Certificates]:
    """The recorded certificates of the municipality's hosts and of the hubs."""
    own = [host_name(slug, host.name) for host in municipality.hosts]
    try:
        known = read_record(record_of(project, deployment, slug)) | read_record(record_of(project, deployment, SHARED))
    except VaernError as error:
        return Unknown(_reason(error))
    return Measured(at, validity(known, [*own, *(hub.name for hub in deployment.hubs)]))


def last_proofs(project: Project, slug: str, municipality: Municipality) -> Part[Proofs]:
    """The proofs of the last onboarding that made any; a verification does not hide that they arrived, or did not."""
    try:
        last = results.last_proofs(project, slug)
    except VaernError as error:
        return Unknown(Text("der er ingen prøve, der kan læses", error.what))
    missing = untried(municipality, last.result.proofs)
    return Measured(last.time, Proofs(last.result.proofs, missing))


def untried(municipality: Municipality, proofs: Iterable[Proof]) -> tuple[str, ...]:
    """The declared sources and taps of which there is no proof."""
    tried = {one.subject for one in proofs}
    declared = [*(one.name for one in municipality.log_sources), *(one.name for one in municipality.taps)]
    return tuple(name for name in declared if name not in tried)


def _reason(error: VaernError) -> Text:
    """Why a part could not be read: in Danish in general words, since errors are told in English."""
    english = error.what.partition("\n")[0]
    if isinstance(error, UnreachableError):
        return Text("en server svarer ikke", english)
    if isinstance(error, ProvisionError):
        return Text("en server kan ikke svare på det", english)
    return Text("det kan ikke aflæses", english)
