"""The content of a report: findings, proofs and durations, and what follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from vaern import __version__
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.finding import Finding, Outcome, Proof
from vaern.model.relays import Endurance, endurance, plan_of


class Verdict(StrEnum):
    """The answer in one word."""

    GOOD = "good"
    """Every control that could be tried is met, and every proof was seen."""
    UNPROVED = "unproved"
    """Every control is met; no proof was made in this run."""
    ATTENTION = "attention"
    """Events arrive, and some control is not met."""
    BROKEN = "broken"
    """Some event or alert did not arrive."""


@dataclass(frozen=True, slots=True)
class Report:
    """One verification of one municipality."""

    slug: str
    name: str
    """Name of the municipality as registered."""
    code: str
    deployment: str
    """Name of the joint organisation's deployment."""
    time: str
    """When it was made, UTC, RFC 3339."""
    version: str
    """Version of vaern."""
    findings: tuple[Finding, ...]
    proofs: tuple[Proof, ...]
    durations: tuple[tuple[str, float], ...]
    """Stage and its seconds, in the order they ran; empty when only the controls were run."""
    alarms: tuple[tuple[str, str], ...] = ()
    """Danish and English text of each alarm that was open at the collector."""
    endurance: tuple[Endurance, ...] = ()
    """How long each relay keeps everything without a link."""

    def count(self, outcome: Outcome) -> int:
        """Findings with that outcome."""
        return sum(finding.outcome is outcome for finding in self.findings)

    @property
    def failed(self) -> tuple[Finding, ...]:
        """The failed findings."""
        return tuple(finding for finding in self.findings if finding.outcome is Outcome.FAILED)

    @property
    def seen(self) -> int:
        """Proofs that arrived."""
        return sum(proof.seen for proof in self.proofs)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that was looked at."""
        return tuple(sorted({finding.host for finding in self.findings}))

    @property
    def verdict(self) -> Verdict:
        """The overall result, as leaders read it."""
        if self.seen < len(self.proofs):
            return Verdict.BROKEN
        if self.failed:
            return Verdict.ATTENTION
        return Verdict.GOOD if self.proofs else Verdict.UNPROVED


def make_report(
    slug: str,
    municipality: Municipality,
    deployment: Deployment,
    findings: Iterable[Finding],
    proofs: Iterable[Proof] = (),
    durations: Mapping[str, float] | None = None,
    alarms: Iterable[tuple[str, str]] = (),
) -> Report:
    """A report made now, with everything in a fixed order."""
    return Report(
        slug=slug,
        name=municipality.name,
        code=municipality.code,
        deployment=deployment.name,
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        version=__version__,
        findings=tuple(sorted(findings)),
        proofs=tuple(sorted(proofs)),
        durations=tuple((durations or {}).items()),
        alarms=tuple(alarms),
        endurance=tuple(endurance(plan_of(deployment, municipality), municipality)),
    )
