"""From which record on a chain has to be signed.

Where the repository names a key for evidence, or one is set, every record has to be signed. A chain that was begun
before that is accepted as far as `inventories/shared/unsigned_evidence` says: the line of its head, as it was then.
"""

from __future__ import annotations

import fnmatch
import re
from pathlib import Path

from vaern.errors import EvidenceError
from vaern.evidence import signing
from vaern.evidence.chain import HEAD, Head, head_file, head_of, read_head, read_stored
from vaern.evidence.record import FIRST
from vaern.model.naming import SHARED, UNSIGNED
from vaern.runtime.paths import Project

NOTHING = Head(0, FIRST, "")
"""No record may be unsigned."""
NAMESPACES = re.compile(r'(?:^|[\s,])namespaces="([^"]*)"', re.IGNORECASE)


def unsigned_file(project: Project) -> Path:
    """Which chains were begun before evidence was signed, in the repository."""
    return project.municipality(SHARED) / UNSIGNED


def may_be_unsigned(project: Project, name: str, signers: Path | None = None) -> Head | None:
    """The last record of a chain that need not be signed; None where none has to be.

    `signers` replaces the file in the repository. Raises EvidenceError when what the repository says cannot be read.
    """
    named = signers or signing.signers_file(project)
    if not signing.signing_key() and not names_a_key(named):
        return None
    path = unsigned_file(project)
    try:
        lines = path.read_text(encoding="ascii").splitlines(keepends=True) if path.exists() else []
    except (OSError, UnicodeDecodeError) as error:
        raise EvidenceError(f"{path} cannot be read ({error})", fix="restore it from git") from error
    found = NOTHING
    for number, line in enumerate(lines, start=1):
        match = HEAD.fullmatch(line)
        if match is None:
            raise EvidenceError(
                f"{path}:{number} is not the line of a head", fix="restore it from git, or copy the line of NAME.head"
            )
        if match[2] == name:
            found = head_of(match)
    return found


def names_a_key(signers: Path) -> bool:
    """Whether a file of allowed signers lets any key sign evidence; a key without namespaces may sign everything."""
    try:
        lines = signers.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return False
    return any(_is_for_evidence(line) for line in map(str.strip, lines) if line and not line.startswith("#"))


def _is_for_evidence(line: str) -> bool:
    limited = NAMESPACES.search(line)
    patterns = limited[1].split(",") if limited else ["*"]
    return any(fnmatch.fnmatchcase(signing.NAMESPACE, pattern.strip()) for pattern in patterns)


def require_key(project: Project, name: str) -> None:
    """The record of a run can be signed, if it has to be, and the one that it follows was.

    Raises EvidenceError when no key is named where one is needed, when the key cannot sign or its owner may not, or
    when the chain is unsigned and nothing says that it was begun so.
    """
    allowed = may_be_unsigned(project, name)
    if signing.signing_key() is None:
        if allowed is not None or _last_is_signed(project, name):
            raise EvidenceError(
                f"the evidence of {name} is signed, and no key is named to sign the record of this run",
                fix=f"set {signing.KEY} to the key of the operations; `vaern evidence list {name}` says who has signed",
            )
        return
    signing.require_allowed(project)
    head, _ = read_head(project, name)
    if head and head != allowed and not _last_is_signed(project, name):
        raise EvidenceError(
            f"the evidence of {name} is not signed, and nobody says that it was begun so",
            fix=begun_unsigned(project, name),
        )


def begun_unsigned(project: Project, name: str) -> str:
    """What to do about a chain that is unsigned where it has to be signed."""
    return (
        "if evidence was not signed before, and its last digest is one that was noted, add the line of "
        f"{head_file(project, name)} to {unsigned_file(project)} and commit that. Else somebody has replaced it: "
        "restore it from a copy, or move it and its head away for whoever looks into it"
    )


def _last_is_signed(project: Project, name: str) -> bool:
    head, _ = read_head(project, name)
    folder = head_file(project, name).parent / head.path if head else None
    return folder is not None and read_stored(folder.parent).signature.exists()
