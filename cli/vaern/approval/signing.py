"""What the signatures of an approval are for: the municipality's own, and the countersignature of operations."""

from __future__ import annotations

from pathlib import Path

from vaern.errors import ApprovalError
from vaern.runtime import ssh_signature

NAMESPACE = "vaern-inventory"
"""Of a municipality's signature."""
OPERATIONS_NAMESPACE = "vaern-operations"
"""Of the countersignature, so that neither passes for the other."""


def sign(text: str, key: Path, namespace: str) -> bytes:
    """The signature over a text by an SSH key; a public `key` is signed with by the ssh agent.

    Raises ApprovalError when ssh-keygen refuses.
    """
    try:
        return ssh_signature.sign(text.encode(), key, namespace)
    except ssh_signature.KeyRefusedError as error:
        raise ApprovalError(
            f"ssh-keygen could not sign: {error}", fix=f"check that {key} is a key, and that its agent has it"
        ) from error


def signed_by(text: str, signature: bytes, signers: bytes, namespace: str) -> str:
    """Who of the signers made this signature over exactly this text; empty when nobody of them did.

    `signers` is the content of an allowed_signers file (ssh-keygen(1)).
    """
    return ssh_signature.signed_by(text.encode(), signature, signers, namespace)
