"""Making an approval: the manifest to sign, the municipality's signature, the countersignature of operations."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from vaern.approval.checking import content, signed_manifest, signers_of
from vaern.approval.manifest import Contents, Manifest, Predecessor, parse
from vaern.approval.roots import Roots
from vaern.approval.signing import NAMESPACE, OPERATIONS_NAMESPACE, sign, signed_by
from vaern.errors import ApprovalError
from vaern.model.naming import COUNTERSIGNATURE, EARLIER_SIGNATURE, MANIFEST, SIGNATURE, SIGNERS
from vaern.runtime.whole_file import replace_whole

VALID_DAYS = 400
"""13 months: whoever reviews once a year is not late."""
RENEW_DAYS = 30
"""With fewer days left, a new manifest is prepared although nothing has changed."""
ROLLBACK_DAYS = 14


def prepared(
    folder: Path,
    roots: Roots,
    now: Contents,
    today: date,
    *,
    valid_days: int = VALID_DAYS,
    rollback_days: int = ROLLBACK_DAYS,
) -> Manifest:
    """The manifest to sign. One in the folder that covers the same and is good for a while yet is returned as it is.

    So nobody signs twice, and who signs does not change what somebody else has prepared. The serial of a new one is
    above every one known here, and it names the one in force before as its predecessor for `rollback_days`. Raises
    ApprovalError when nobody is named who may sign it.
    """
    signers_of(folder)
    present, signed, applied = _present(folder), _signed(folder), roots.applied()
    if present and _still_good(present, now, applied, today):
        return present
    before = applied.digest if applied else signed.digest if signed else None
    if before is None and present and present.predecessor:
        before = present.predecessor.digest
    until = today + timedelta(days=rollback_days)
    return Manifest(
        municipality=roots.slug,
        serial=max((one.serial for one in (present, applied) if one), default=0) + 1,
        expires=today + timedelta(days=valid_days),
        contents=now,
        predecessor=Predecessor(before, until) if before and rollback_days else None,
    )


def _still_good(present: Manifest, now: Contents, applied: Manifest | None, today: date) -> bool:
    newest = applied is None or present.digest == applied.digest or present.serial > applied.serial
    return newest and present.contents == now and present.expires >= today + timedelta(days=RENEW_DAYS)


def write_manifest(folder: Path, manifest: Manifest) -> Path:
    """Write the manifest to sign, and remove signatures over another one. Returns its path."""
    path = folder / MANIFEST
    if not path.exists() or path.read_bytes() != manifest.text.encode():
        replace_whole(path, manifest.text.encode(), folder.parent)
        for name in (SIGNATURE, COUNTERSIGNATURE):
            (folder / name).unlink(missing_ok=True)
    return path


def approve(folder: Path, manifest: Manifest, key: Path) -> str:
    """Sign the manifest with an SSH key and write both; returns who signed.

    Raises ApprovalError, and writes nothing, when the key is not one that `allowed_signers` allows.
    """
    signers = signers_of(folder)
    signature = sign(manifest.text, key, NAMESPACE)
    signer = signed_by(manifest.text, signature, signers, NAMESPACE)
    if not signer:
        raise ApprovalError(
            f"{folder / SIGNERS} does not allow {key} to approve for {folder.name}; nothing was written",
            fix="sign with the key of a person who is named there, or have that person's key added and pinned anew",
        )
    write_manifest(folder, manifest)
    replace_whole(folder / SIGNATURE, signature, folder.parent)
    (folder / EARLIER_SIGNATURE).unlink(missing_ok=True)
    return signer


def countersign(folder: Path, roots: Roots, key: Path) -> str:
    """Countersign what the municipality has signed, on behalf of operations; returns who did.

    Raises ApprovalError, and writes nothing, without a valid signature to countersign or with a key of nobody named.
    """
    signers = signers_of(folder)
    roots.require_pinned(signers)
    manifest, _ = signed_manifest(folder, signers)
    try:
        allowed = content(roots.operations)
    except FileNotFoundError as error:
        raise ApprovalError(
            f"{roots.operations} does not exist, so nobody may countersign",
            fix=f'write one line into it: NAME@OPERATIONS namespaces="{OPERATIONS_NAMESPACE}" ssh-ed25519 AAAA...',
        ) from error
    signature = sign(manifest.text, key, OPERATIONS_NAMESPACE)
    signer = signed_by(manifest.text, signature, allowed, OPERATIONS_NAMESPACE)
    if not signer:
        raise ApprovalError(
            f"{roots.operations} does not allow {key} to countersign; nothing was written",
            fix="countersign with the key of a person who is named there",
        )
    replace_whole(folder / COUNTERSIGNATURE, signature, folder.parent)
    return signer


def _present(folder: Path) -> Manifest | None:
    """The manifest in the folder, signed or not; None when there is none that can be read."""
    try:
        return parse(content(folder / MANIFEST).decode("utf-8"), str(folder / MANIFEST))
    except (ApprovalError, FileNotFoundError, UnicodeDecodeError):
        return None


def _signed(folder: Path) -> Manifest | None:
    """The manifest in the folder when it is validly signed; else None."""
    try:
        return signed_manifest(folder, signers_of(folder))[0]
    except ApprovalError:
        return None
