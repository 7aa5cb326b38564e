"""The verdict: what is to be said about a municipality, computed once from its situation.

Every output shows this one and computes none: exit code, terminal, JSON, JUnit, page. Unknown is never good, a part is
never all, and where nothing was measured there is no result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from vaern.errors import ExitCode
from vaern.model.finding import Text
from vaern.model.situation import Measured, Part, PartName, Result, Situation
from vaern.model.verdict_parts import (
    JUST_NOW,
    RECENT,
    Clause,
    Level,
    aged,
    of_alarms,
    of_certificates,
    of_controls,
    of_ledger,
    of_proofs,
    without_result,
)

LEADS = {
    Level.GOOD: Text(
        "{name} er forbundet, og overvågningen virker: {good}.",
        "{name} is connected and monitoring works: {good}.",
    ),
    Level.PARTIAL: Text("{name}: der er ikke fundet fejl: {good}.", "{name}: nothing wrong was found: {good}."),
    Level.UNKNOWN: Text(
        "{name}: det vides ikke, om alt er i orden.", "{name}: it is not known whether everything is right."
    ),
    Level.NOTHING: Text("{name}: der er intet resultat.", "{name}: there is no result."),
    Level.ATTENTION: Text("{name}: {wrong}.", "{name}: {wrong}."),
    Level.BROKEN: Text(
        "Overvågningen af {name} virker ikke helt: {wrong}.", "The monitoring of {name} does not fully work: {wrong}."
    ),
}
NOT_KNOWN = Text(" Vides ikke: {}.", " Not known: {}.")
NOT_TRIED = Text(" Ikke undersøgt: {}.", " Not tried: {}.")
EXIT_CODES = {Level.GOOD: ExitCode.OK, Level.PARTIAL: ExitCode.OK, Level.BROKEN: ExitCode.PROOF}
"""Partial ends with 0: what was asked for is right. Every other level ends with 1."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer: one level, one headline, and the clauses that they follow from."""

    level: Level
    headline: Text
    clauses: tuple[Clause, ...]

    @property
    def exit_code(self) -> ExitCode:
        """What a command that shows this verdict ends with."""
        return exit_code_of([self])

    @property
    def wrong(self) -> tuple[Clause, ...]:
        """What has to be put right, the worst first."""
        return self._of(Level.BROKEN) + self._of(Level.ATTENTION)

    @property
    def unknown(self) -> tuple[Clause, ...]:
        """What could not be found out."""
        return self._of(Level.UNKNOWN)

    @property
    def untried(self) -> tuple[Clause, ...]:
        """What was not looked at, or cannot be."""
        return self._of(Level.PARTIAL)

    @property
    def good(self) -> tuple[Clause, ...]:
        """What was measured and is right."""
        return self._of(Level.GOOD)

    def of(self, part: PartName) -> Level:
        """The level of one part alone."""
        return worst(clause.level for clause in self.clauses if clause.part is part)

    def _of(self, level: Level) -> tuple[Clause, ...]:
        return tuple(clause for clause in self.clauses if clause.level is level)


def judge(situation: Situation) -> Verdict:
    """The verdict on a situation. An unknown or a bad part added to a situation never makes it better."""
    clauses = (
        *_of_part(PartName.CONTROLS, aged(situation.controls, situation.time, RECENT), of_controls),
        *_of_part(PartName.PROOFS, aged(situation.proofs, situation.time), of_proofs),
        *_of_part(PartName.ALARMS, aged(situation.alarms, situation.time, JUST_NOW), of_alarms),
        *_of_part(PartName.LEDGER, aged(situation.ledger, situation.time, JUST_NOW), of_ledger),
        *_of_part(
            PartName.CERTIFICATES,
            aged(situation.certificates, situation.time),
            lambda found, _: of_certificates(found, situation.time),
        ),
    )
    level = worst(clause.level for clause in clauses)
    if level in {Level.PARTIAL, Level.UNKNOWN} and not any(clause.level is Level.GOOD for clause in clauses):
        level = Level.NOTHING
    return Verdict(level, _headline(situation.name, level, clauses), clauses)


def exit_code_of(verdicts: Iterable[Verdict]) -> ExitCode:
    """What a command that shows several verdicts ends with: the code of the worst of them."""
    level = worst(verdict.level for verdict in verdicts)
    return EXIT_CODES.get(level, ExitCode.FINDINGS)


def _of_part(name: PartName, part: Part[Result], judge_result: Callable[[Result, str], list[Clause]]) -> list[Clause]:
    """The clauses of one part: of its result and the time it was measured, or of why there is none."""
    if isinstance(part, Measured):
        return judge_result(part.result, part.time)
    return [without_result(name, part)]


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; nothing at all is no result."""
    return max(levels, key=list(Level).index, default=Level.NOTHING)


def _headline(name: str, level: Level, clauses: tuple[Clause, ...]) -> Text:
    """The lead of the level, then everything that is not known and everything that was not tried."""
    verdict = Verdict(level, Text("", ""), clauses)

    def told(language: str) -> str:
        def joined(some: Iterable[Clause], between: str) -> str:
            return between.join(getattr(clause.text, language) for clause in some)

        lead: str = getattr(LEADS[level], language).format(
            name=name, wrong=joined(verdict.wrong, "; "), good=joined(verdict.good, ", ")
        )
        if verdict.unknown:
            lead += getattr(NOT_KNOWN, language).format(joined(verdict.unknown, "; "))
        if verdict.untried:
            lead += getattr(NOT_TRIED, language).format(joined(verdict.untried, ", "))
        return lead

    return Text(told("da"), told("en"))
