"""Chains of evidence as tests write them."""

from __future__ import annotations

import json
from pathlib import Path

from vaern import evidence
from vaern.evidence import FINDINGS, Kept, Operator, Run, Source
from vaern.runtime.paths import Project

NAME = "favrskov"
PRINCIPAL = "operations@joint.example"


def project_in(folder: Path) -> Project:
    """A project with nothing in it but what a chain needs."""
    return Project(folder, folder / "state")


def run(number: int = 1) -> Run:
    """A run of `vaern verify` in minute `number`."""
    return Run(
        command=("verify", NAME),
        deployment="faelles",
        code="0710",
        operator=Operator(user="root", as_root_for="kim", machine="ops1"),
        source=Source(commit="c" * 40, modified=False),
        versions={"vaern": "0.1.0"},
        started=f"2026-11-29T10:{number:02}:00Z",
        ended=f"2026-11-29T10:{number:02}:09Z",
        exit_code=0,
        outcome="every demand is met",
        whole=True,
    )


def findings(number: int, outcome: str = "passed") -> dict[str, str]:
    """The files of a record: findings of one control, with `number` as what was observed."""
    found = {"control": "BASE-01", "host": "hub1", "outcome": outcome, "observed": str(number)}
    return {FINDINGS: json.dumps({"findings": [found]}) + "\n"}


def write(project: Project, records: int, name: str = NAME) -> list[Kept]:
    """Append some records."""
    return [evidence.append(project, name, run(number), findings(number)) for number in range(1, records + 1)]


def allow(project: Project, *keys: Path, more: str = "") -> Path:
    """Let the owners of these keys sign evidence; returns the file that says so."""
    signers = project.municipality("shared") / "allowed_signers"
    signers.parent.mkdir(parents=True, exist_ok=True)
    lines = [f'{PRINCIPAL} namespaces="vaern-evidence"{more} {key.with_suffix(".pub").read_text()}' for key in keys]
    signers.write_text("".join(lines))
    return signers
