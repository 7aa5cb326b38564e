"""With which key records are signed, and whether what signed one was allowed to.

The key is the operations' own, named by VAERN_EVIDENCE_KEY; who may sign is in the repository, in
`inventories/shared/allowed_signers`. Where no key is named, records are unsigned and say so.
"""

from __future__ import annotations

import os
from pathlib import Path

from vaern.errors import EvidenceError
from vaern.evidence.chain import Stored
from vaern.evidence.checking import Signer
from vaern.evidence.record import Record
from vaern.model.naming import SHARED, SIGNERS
from vaern.runtime import ssh_signature
from vaern.runtime.paths import Project

NAMESPACE = "vaern-evidence"
LARGEST_SIGNATURE = 2**16
"""Bytes that are read of one."""
KEY = "VAERN_EVIDENCE_KEY"


def signers_file(project: Project) -> Path:
    """Who may sign evidence, in the repository."""
    return project.municipality(SHARED) / SIGNERS


def signing_key() -> Path | None:
    """The key that VAERN_EVIDENCE_KEY names. None without one."""
    named = os.environ.get(KEY)
    return Path(named).expanduser() if named else None


def sign(content: bytes, key: Path) -> bytes:
    """The signature of a record. Raises EvidenceError; no passphrase is asked for in the middle of a run."""
    try:
        return ssh_signature.sign(content, key, NAMESPACE, ask=False)
    except ssh_signature.KeyRefusedError as error:
        raise EvidenceError(
            f"ssh-keygen could not sign the evidence with {key}: {error}",
            fix=f"let {KEY} name a key without a passphrase, or the public key of one that is in an ssh agent",
        ) from error


def require_allowed(project: Project) -> None:
    """The key that is named can sign, and its owner may. Raises EvidenceError."""
    key = signing_key()
    if key is None:
        return
    probe = b"vaern"
    signature, signers = sign(probe, key), signers_file(project)
    if not signers.is_file() or not ssh_signature.signed_by(probe, signature, signers.read_bytes(), NAMESPACE):
        raise EvidenceError(
            f"the key {key} may not sign evidence: {signers} does not name it",
            fix=f'write one line into it: NAME@ORGANISATION namespaces="{NAMESPACE}" ssh-ed25519 AAAA...',
        )


def signer(signers: Path) -> Signer:
    """Judges signatures by a file of allowed signers, each at the time of its run. Raises EvidenceError without it."""

    def who(stored: Stored, record: Record) -> str:
        if not signers.is_file():
            raise EvidenceError(
                f"the evidence of {record.chain} is signed, and {signers}, which says who may sign, does not exist",
                fix="restore it from git, or name one with --signers",
            )
        at = "".join(character for character in record.run.ended if character.isdigit()) + "Z"
        with stored.signature.open("rb") as handle:
            signature = handle.read(LARGEST_SIGNATURE)
        return ssh_signature.signed_by(stored.content or b"", signature, signers.read_bytes(), NAMESPACE, at=at)

    return who
