"""Keeps evidence of a run: what it was, what decided, and what came of it, also when it failed."""

from __future__ import annotations

import os
import platform
import pwd
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from vaern import __version__, evidence, inventory
from vaern.errors import ApprovalError, ExitCode, SetupError, VaernError
from vaern.evidence.record import Unfinished, digest
from vaern.model.fleet import Fleet
from vaern.model.naming import SHARED, SIGNATURE
from vaern.model.verdict import Verdict
from vaern.runtime import interruption
from vaern.runtime.paths import Project
from vaern.runtime.redaction import redact
from vaern.workflows import approving
from vaern.workflows.sources import Sources

PARTS = ("ansible-core", "ansible-runner", "pulumi", "pytest-testinfra")
"""Python packages of which a result depends on the version."""


@dataclass
class Recording:
    """What a run says of itself while it runs; everything else is found out."""

    exit_code: int = ExitCode.OK
    outcome: str = "done"
    """In words."""
    verdict: str = ""
    whole: bool = False
    proved: bool = False
    files: dict[str, str] = field(default_factory=dict)
    """Name and text of what belongs to the record."""

    def judge(self, document: str, verdict: Verdict, *, whole: bool, proved: bool) -> None:
        """Note a verdict, and the document of what it follows from."""
        self.files[evidence.FINDINGS] = document
        self.verdict, self.outcome, self.whole, self.proved = verdict.level, verdict.headline.en, whole, proved

    def fail(self, error: Exception) -> None:
        """Note the error that ends the run."""
        known = isinstance(error, VaernError)
        self.exit_code = error.exit_code if isinstance(error, VaernError) else ExitCode.INTERNAL
        self.outcome = str(error) if known else f"an unknown failure: {type(error).__name__}"


@contextmanager
def recorded(
    project: Project, fleet: Fleet, name: str, command: Sequence[str], say: Callable[[str], None]
) -> Iterator[Recording]:
    """Append the record of what happens in the block, and `say` which one it is.

    Args:
        project: whose state directory has the evidence.
        fleet: what is declared.
        name: slug of the municipality, or `shared`.
        command: the words after `vaern`.
        say: is given one line, when the record is kept.

    Raises EvidenceError before the block when a record could not be signed. An error of the block stays the error.
    """
    evidence.require_ready(project, name)
    declarations = _declarations(project, name)
    begun = Unfinished(command=tuple(map(evidence.short, command)), operator=_operator(), started=_now())
    recording = Recording()

    def keep(withdraw: Callable[[], None]) -> None:
        run = _run(project, fleet, name, begun, declarations, recording)
        kept = evidence.append(project, name, run, recording.files, _logs(project))
        withdraw()
        say(str(kept))

    with evidence.announced(project, name, begun) as withdraw:
        try:
            yield recording
        except Exception as error:
            if interruption.is_interrupted():  # the error follows from it; the next record names this run
                raise
            recording.fail(error)
            try:
                keep(withdraw)
            except (VaernError, OSError) as unkept:
                error.add_note(f"its record could not be kept: {unkept}")
            raise
        keep(withdraw)


def _run(
    project: Project, fleet: Fleet, name: str, begun: Unfinished, declarations: dict[str, str], recording: Recording
) -> evidence.Run:
    files = _inventory(fleet, name)
    return evidence.Run(
        command=begun.command,
        deployment=fleet.deployment.name,
        code="" if name == SHARED else fleet.municipalities[name].code,
        operator=begun.operator,
        source=_source(project),
        versions={"vaern": __version__, "python": platform.python_version(), **_versions()},
        started=begun.started,
        ended=_now(),
        exit_code=int(recording.exit_code),
        outcome=evidence.short(redact(recording.outcome)),
        verdict=recording.verdict,
        whole=recording.whole,
        proved=recording.proved,
        declarations=declarations,
        inventory=digest(_listed(files).encode()),
        approval=None if name == SHARED else _approval(project, fleet, name),
    )


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _operator() -> evidence.Operator:
    try:
        user = pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        user = str(os.geteuid())
    return evidence.Operator(user=user, as_root_for=os.environ.get("SUDO_USER", ""), machine=os.uname().nodename)


def _source(project: Project) -> evidence.Source:
    """Commit and changes of the project's folder. Git is told to trust it: vaern runs from it already."""

    def git(*words: str) -> str | None:
        command = ["git", "--no-optional-locks", "-c", f"safe.directory={project.root}", "-c", "core.fsmonitor=false"]
        try:
            done = subprocess.run(
                [*command, "-C", str(project.root), *words], capture_output=True, text=True, check=False
            )
        except OSError:
            return None
        return None if done.returncode else done.stdout.strip()

    commit = git("rev-parse", "HEAD")
    return evidence.Source(commit=commit or "", modified=git("status", "--porcelain") != "")


def _versions() -> dict[str, str]:
    found = {}
    for part in PARTS:
        try:
            found[part] = version(part)
        except PackageNotFoundError:
            continue
    return found


def _declarations(project: Project, name: str) -> dict[str, str]:
    """What decided, as it was when the run began."""
    paths = [project.municipality(SHARED) / "collector.yml"]
    if name != SHARED:
        paths.append(project.municipality(name) / "municipality.yml")
    return {str(path.relative_to(project.root)): digest(path.read_bytes()) for path in paths}


def _inventory(fleet: Fleet, name: str) -> dict[str, str]:
    return inventory.shared_files(fleet.deployment) if name == SHARED else inventory.municipality_files(fleet, name)


def _listed(files: dict[str, str]) -> str:
    """The generated files as `sha256sum` lists them."""
    return "".join(f"{digest(text.encode())}  {path}\n" for path, text in sorted(files.items()))


def _approval(project: Project, fleet: Fleet, name: str) -> evidence.Approval | None:
    """The approval that is in force; None without one."""
    if not (project.municipality(name) / SIGNATURE).exists():
        return None
    try:
        found = approving.current(project, fleet, name, Sources.read(project))
    except (ApprovalError, SetupError):
        return None
    return evidence.Approval(manifest=found.digest, signer=found.signer, countersigner=found.countersigner)


def _logs(project: Project) -> list[Path]:
    return sorted(path for path in project.logs.glob("*") if path.is_file())
