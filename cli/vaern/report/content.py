"""The content of a report: the situation of a municipality at one moment, and what was measured on the way to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from vaern import __version__
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.finding import Finding, Outcome, Proof, Text
from vaern.model.relays import Endurance, endurance, plan_of
from vaern.model.situation import Measured, Situation
from vaern.model.verdict import Verdict, judge


@dataclass(frozen=True, slots=True)
class Report:
    """One run for one municipality: a verification, or an onboarding."""

    slug: str
    code: str
    deployment: str
    """Name of the joint organisation's deployment."""
    version: str
    """Version of vaern."""
    situation: Situation
    durations: tuple[tuple[str, float], ...] = ()
    """Stage and its seconds, in the order they ran; empty when only the controls were run."""
    endurance: tuple[Endurance, ...] = ()
    """How long each relay keeps everything without a link."""

    @property
    def verdict(self) -> Verdict:
        """The answer; every document shows this one."""
        return judge(self.situation)

    @property
    def name(self) -> str:
        """Name of the municipality as registered."""
        return self.situation.name

    @property
    def time(self) -> str:
        """When it was made, UTC, RFC 3339."""
        return self.situation.time

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings; empty when the controls were not run."""
        part = self.situation.controls
        return part.result.findings if isinstance(part, Measured) else ()

    @property
    def proofs(self) -> tuple[Proof, ...]:
        """The last proofs, which may have been made before this run."""
        part = self.situation.proofs
        return part.result.proofs if isinstance(part, Measured) else ()

    @property
    def proved(self) -> bool:
        """Whether the proofs were made in this run."""
        part = self.situation.proofs
        return isinstance(part, Measured) and part.time == self.time and bool(part.result.proofs)

    @property
    def alarms(self) -> tuple[Text, ...]:
        """The alarms that are known to be open."""
        part = self.situation.alarms
        return part.result.texts if isinstance(part, Measured) else ()

    def count(self, outcome: Outcome) -> int:
        """Findings with that outcome."""
        return sum(finding.outcome is outcome for finding in self.findings)

    @property
    def seen(self) -> int:
        """Proofs that arrived."""
        return sum(proof.seen for proof in self.proofs)

    @property
    def hosts(self) -> tuple[str, ...]:
        """Every host that was looked at."""
        return tuple(sorted({finding.host for finding in self.findings}))


def make_report(
    slug: str,
    municipality: Municipality,
    deployment: Deployment,
    situation: Situation,
    durations: Mapping[str, float] | None = None,
) -> Report:
    """The report of a run that has left this situation."""
    return Report(
        slug=slug,
        code=municipality.code,
        deployment=deployment.name,
        version=__version__,
        situation=situation,
        durations=tuple((durations or {}).items()),
        endurance=tuple(endurance(plan_of(deployment, municipality), municipality)),
    )
