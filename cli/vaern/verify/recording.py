"""Turns the checks of one control on one host into one finding."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vaern.model.finding import Finding, Outcome
from vaern.runtime.redaction import redact

LONGEST_TEXT = 2000
"""Characters of one field; a finding is read by people, a dump belongs in a log."""


def now() -> str:
    """UTC, RFC 3339, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def readable(value: object) -> str:
    """A value as text for people: lists with commas in a fixed order, mappings as key=value, no quotes."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={readable(content)}" for key, content in sorted(value.items())) or "none"
    if isinstance(value, Collection) and not isinstance(value, str | bytes):
        parts = [readable(part) for part in value]
        return ", ".join(sorted(parts) if isinstance(value, set | frozenset) else parts) or "none"
    return str(value) if value is not None and value != "" else "none"


@dataclass(slots=True)
class Check:
    """Called by a control's function: records what was expected and observed, and fails when they differ.

        check(expected="enabled", observed=facts.unit("ssh.service").enabled, evidence="systemctl show ssh.service")

    The two are compared for equality, unless `holds` gives the result; `expected` is then the rule in words.
    """

    passed: list[tuple[str, str, str]] = field(default_factory=list)
    failed: tuple[str, str, str] | None = None

    def __call__(self, *, expected: object, observed: object, evidence: str, holds: bool | None = None) -> None:
        """Record, then assert."""
        entry = (_short(readable(expected)), _short(readable(observed)), evidence)
        if expected == observed if holds is None else holds:
            self.passed.append(entry)
            return
        self.failed = entry
        raise AssertionError(f"expected {entry[0]}; observed {entry[1]}; evidence {evidence}")

    def finding(
        self, municipality: str, control: str, host: str, *, error: str = "", skipped: str = "", unknown: str = ""
    ) -> Finding:
        """The finding: failed if a check failed or could not be made on a host that answers, else passed.

        `skipped` says why it is not possible there, `unknown` why the host could not be asked.
        """
        if self.failed:
            return _finding(municipality, control, host, Outcome.FAILED, self.failed)
        if unknown:
            return _finding(municipality, control, host, Outcome.UNKNOWN, ("an answer", unknown, ""))
        if error:
            return _finding(municipality, control, host, Outcome.FAILED, ("the check can be made", error, ""))
        if skipped:
            return _finding(municipality, control, host, Outcome.SKIPPED, ("possible here", skipped, ""))
        if not self.passed:
            return _finding(municipality, control, host, Outcome.FAILED, ("at least one comparison", "none made", ""))
        columns = zip(*self.passed, strict=True)
        joined = tuple("; ".join(dict.fromkeys(column)) for column in columns)
        return _finding(municipality, control, host, Outcome.PASSED, joined)


def _finding(municipality: str, control: str, host: str, outcome: Outcome, texts: tuple[str, ...]) -> Finding:
    expected, observed, evidence = (_short(redact(text)) for text in texts)
    return Finding(municipality, control, host, outcome, expected, observed, evidence, now())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
