"""What only the control node knows and somebody has to act on: a run failed, an approval waited for, a duty due.

They are handed over to the collector, which tells people of them as of alarms: once, and once more when they are over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from vaern import evidence
from vaern.errors import ApprovalError, VaernError
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED
from vaern.model.vocabulary import Target
from vaern.runtime.paths import Project
from vaern.workflows import approving, results
from vaern.workflows.sources import Sources

VERIFIED_WITHIN = timedelta(days=7)
"""A verification that is older says nothing of now; `vaern status` judges the same."""
APPROVED_FOR = timedelta(days=30)
"""So long before an approval ends, municipal IT is asked for the next one."""


APPROVAL = "approval"
"""The kind of an approval that is waited for."""


@dataclass(frozen=True, slots=True, order=True)
class Duty:
    """One thing that holds now. `since` is UTC, RFC 3339."""

    code: str
    """Four-digit code, or `shared`."""
    kind: str
    """run, approval or duty."""
    subject: str
    """What it is about; the same code, kind and subject is the same thing."""
    since: str
    danish: str
    english: str


def duties(project: Project, fleet: Fleet, slugs: Iterable[str], now: datetime) -> list[Duty]:
    """Those of the shared hosts and of these municipalities; `now` is in UTC. Raises EvidenceError."""
    found = list(_failed_run(project, SHARED, SHARED, "de fælles værter"))
    sources = None if fleet.deployment.target is Target.LAB else Sources.read(project)
    for slug in slugs:
        one = fleet.municipalities[slug]
        found += _failed_run(project, slug, one.code, one.name)
        found += _verification(project, slug, one.code, one.name, now)
        if sources is not None:
            found += _approval(project, fleet, slug, sources, now)
    return sorted(found)


def _failed_run(project: Project, slug: str, code: str, name: str) -> Iterator[Duty]:
    last = evidence.read(project, slug, lambda record: record.run.command[:1] != ("warn",), whole=False)
    if last is None or last.record.run.exit_code == 0:
        return
    run, words = last.record.run, " ".join(last.record.run.command)
    yield Duty(
        code,
        "run",
        slug,
        run.ended,
        f"Den seneste kørsel for {name}, `vaern {words}`, endte med kode {run.exit_code}. "
        f"`vaern evidence show {slug}` viser hvorfor.",
        f"The last run for {slug}, `vaern {words}`, ended with code {run.exit_code}. "
        f"`vaern evidence show {slug}` says why.",
    )


def _verification(project: Project, slug: str, code: str, name: str, now: datetime) -> Iterator[Duty]:
    try:
        at = results.last(project, slug, whole=False).report.situation.time
    except VaernError:
        return  # It has never been verified: a run that failed says so, or nobody has begun.
    due = datetime.fromisoformat(at) + VERIFIED_WITHIN
    if due < now:
        yield Duty(
            code,
            "duty",
            f"{slug} verify",
            _utc(due),
            f"{name} er ikke kontrolleret siden {at[:10]}. Kør `vaern verify {slug}`.",
            f"{slug} has not been verified since {at[:10]}. Run `vaern verify {slug}`.",
        )


def approval_waited_for(slug: str, code: str, name: str, now: datetime) -> Duty:
    """That something has to be approved before it is applied; the same thing whoever finds it, so it is told once."""
    return Duty(
        code,
        APPROVAL,
        slug,
        _utc(now),
        f"Noget for {name} venter på kommunens godkendelse. `vaern approve {slug}` viser hvad.",
        f"Something of {slug} waits for the municipality's approval. `vaern approve {slug}` says what.",
    )


def _approval(project: Project, fleet: Fleet, slug: str, sources: Sources, now: datetime) -> Iterator[Duty]:
    one = fleet.municipalities[slug]
    try:
        ends = approving.current(project, fleet, slug, sources).manifest.expires
    except ApprovalError:
        yield approval_waited_for(slug, one.code, one.name, now)
        return
    if ends - APPROVED_FOR <= now.date():
        yield Duty(
            one.code,
            "duty",
            f"{slug} approve",
            _utc(now),
            f"Godkendelsen for {one.name} udløber {ends.isoformat()}. Forbered den næste: "
            f"`vaern approve {slug} --prepare`.",
            f"The approval of {slug} ends on {ends.isoformat()}. Prepare the next: `vaern approve {slug} --prepare`.",
        )


def _utc(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
