"""Every error vaern raises on purpose, and the exit code each one ends the process with.

VaernError
├── ReadsLessError       1  a new reader reads less of what a relay keeps as sample
├── UsageError           2  the command line asks for something that does not exist
├── DeclarationError     3  a declaration is wrong; carries one Problem per fault
│   └── ParserError      3  a parser, or what it is tried on, cannot be read
├── ProvisionError       4  the Pulumi engine or a lab host failed
├── ConfigureError       5  an Ansible task failed
├── UnreachableError     6  a host does not answer
├── ApprovalError        7  the generated files are not signed by the municipality
├── BusyError            8  another run holds the municipality
├── ProofError           9  an event or alert did not arrive at the collector
├── SetupError          10  a part that `make setup` installs is missing
├── EvidenceError       11  a record of evidence is not as it was written, or cannot be signed
└── StateError          12  a key, a record, the state directory or the clock cannot be relied on
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes, for programs that run vaern; documented in docs/errors.md."""

    OK = 0
    FINDINGS = 1
    USAGE = 2
    DECLARATION = 3
    PROVISION = 4
    CONFIGURE = 5
    UNREACHABLE = 6
    APPROVAL = 7
    BUSY = 8
    PROOF = 9
    SETUP = 10
    EVIDENCE = 11
    STATE = 12
    INTERNAL = 70
    INTERRUPTED = 130
    READER_GONE = 141
    TERMINATED = 143


class VaernError(Exception):
    """Base of all of them. `what` says what is wrong, `fix` is the command or edit that repairs it."""

    exit_code: ExitCode = ExitCode.INTERNAL

    def __init__(self, what: str, *, fix: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.fix = fix


class ReadsLessError(VaernError):
    """A new reader reads less of a relay's sample than the one that is there; `what` names source and fields."""

    exit_code = ExitCode.FINDINGS


class UsageError(VaernError):
    """The command line names something that does not exist."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One fault in a declaration: where it is, what was found and what to write instead."""

    file: str
    line: int
    key: str
    found: str
    fix: str

    def __str__(self) -> str:
        key = f" {self.key}:" if self.key else ""
        return f"{self.file}:{self.line}:{key} {self.found}"


class DeclarationError(VaernError):
    """One or more declarations are wrong; every fault found is in `problems`, in file order."""

    exit_code = ExitCode.DECLARATION

    def __init__(
        self, problems: list[Problem], *, of: str = "the declarations", again: str = "then run `vaern check`"
    ) -> None:
        """`of` is what was read, and `again` what to do once the lines are correct."""
        self.problems = sorted(problems)
        count = len(self.problems)
        super().__init__(f"{count} fault{'s' if count != 1 else ''} in {of}", fix=f"correct the lines above, {again}")


class ParserError(DeclarationError):
    """A parser, or the file it is tried on, cannot be read; `what` names file and line."""

    def __init__(self, what: str, *, fix: str) -> None:
        VaernError.__init__(self, what, fix=fix)
        self.problems = []


class ProvisionError(VaernError):
    """The Pulumi engine, or what it creates, failed."""

    exit_code = ExitCode.PROVISION


class ConfigureError(VaernError):
    """An Ansible task failed; `what` names the host and the task."""

    exit_code = ExitCode.CONFIGURE


class UnreachableError(VaernError):
    """A host does not answer."""

    exit_code = ExitCode.UNREACHABLE


class ApprovalError(VaernError):
    """The generated files are not signed by the municipality, or changed after it signed."""

    exit_code = ExitCode.APPROVAL


class BusyError(VaernError):
    """Another run holds the lock on the same municipality."""

    exit_code = ExitCode.BUSY


class ProofError(VaernError):
    """An event or an alert did not arrive at the collector; `what` names the last place it was seen."""

    exit_code = ExitCode.PROOF


class SetupError(VaernError):
    """Something that `make setup` installs is missing."""

    exit_code = ExitCode.SETUP


class EvidenceError(VaernError):
    """A record of evidence is not as it was written, or cannot be signed; `what` names the first that does not fit."""

    exit_code = ExitCode.EVIDENCE


class StateError(VaernError):
    """What this machine keeps, or its clock, cannot be relied on; nothing was changed."""

    exit_code = ExitCode.STATE
