"""What differs between two records of a municipality. Pure: two documents of findings in, differences out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vaern.evidence.record import Record, Run

NONE = "-"
"""Stands for what only the other record has."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `subject` is a control, a source, or what was known of the run; `host` may be empty."""

    kind: str
    subject: str
    host: str
    was: str
    now: str

    @property
    def lines(self) -> tuple[str, str, str]:
        """What it is about, what was, and what is."""
        return (
            f"{self.kind} {self.subject}{' on ' if self.host else ''}{self.host}",
            f"was {self.was}",
            f"is  {self.now}",
        )


def compare_runs(first: Record, second: Record) -> list[Difference]:
    """What differs in what decided: commit, versions, declarations, inventory, approval; and the verdict."""
    before, after = _facts(first.run), _facts(second.run)
    return [
        Difference("run", name, "", before.get(name, NONE), after.get(name, NONE))
        for name in sorted(before.keys() | after.keys())
        if before.get(name) != after.get(name)
    ]


def compare_findings(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[Difference]:
    """Findings and proofs whose result or observed value differs, or that only one of the two has."""
    differences = []
    for kind, values in (("finding", _findings), ("proof", _proofs)):
        before, after = dict(values(first)), dict(values(second))
        differences += [
            Difference(kind, *key, before.get(key, NONE), after.get(key, NONE))
            for key in sorted(before.keys() | after.keys())
            if before.get(key) != after.get(key)
        ]
    return differences


def _facts(run: Run) -> dict[str, str]:
    approval = run.approval
    return {
        "commit": run.source.commit + (" with changes" if run.source.modified else ""),
        "verdict": run.verdict or NONE,
        "inventory": run.inventory,
        "approval": f"{approval.manifest} by {approval.signer}" if approval else NONE,
        **run.declarations,
        **{f"version of {name}": version for name, version in run.versions.items()},
    }


def _findings(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in document.get("findings", ()):
        yield (str(one["control"]), str(one["host"])), f"{one['outcome']}: {one['observed']}"


def _proofs(document: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
    for one in document.get("proofs", ()):
        yield (str(one["subject"]), ""), "seen" if one["seen"] else f"not seen, last at {one['leg']}"
