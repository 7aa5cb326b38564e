"""Whether what would be applied now is what the municipality signed; a refusal says what is wrong and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from vaern.approval.manifest import Contents, Manifest, changes, in_words, parse
from vaern.approval.roots import Roots
from vaern.approval.signing import NAMESPACE, OPERATIONS_NAMESPACE, signed_by
from vaern.errors import ApprovalError
from vaern.model.naming import COUNTERSIGNATURE, EARLIER_SIGNATURE, MANIFEST, SIGNATURE, SIGNERS

MOST_BYTES = 4 * 2**20
"""Of any file of an approval; a manifest has some 30 kB."""
MOST_VALID_DAYS = 800
MOST_ROLLBACK_DAYS = 90


@dataclass(frozen=True, slots=True)
class Approval:
    """A manifest that is in force, and who signed it."""

    manifest: Manifest
    signer: str
    countersigner: str
    rolled_back: bool = False

    @property
    def digest(self) -> str:
        """Identity of what was approved: the SHA-256 of the manifest."""
        return self.manifest.digest

    def __str__(self) -> str:
        also = f", countersigned by {self.countersigner}" if self.countersigner else ""
        back = ", a rollback" if self.rolled_back else ""
        return f"approved by {self.signer}{also}: serial {self.manifest.serial}, until {self.manifest.expires}{back}"


def check(folder: Path, roots: Roots, now: Contents, today: date) -> Approval:
    """The approval of `folder` (`inventories/<slug>`) over what would be applied now.

    Raises ApprovalError when nobody has pinned who may sign; when nothing is signed, or by somebody else, or over
    something else; when it has expired, is older than what was applied, or operations has not countersigned.
    """
    signers = signers_of(folder)
    roots.require_pinned(signers)
    manifest, signer = signed_manifest(folder, signers)
    if manifest.municipality != roots.slug:
        raise _refused(roots.slug, f"is that of {manifest.municipality}")
    if found := changes(manifest.contents, now):
        raise _refused(roots.slug, f"does not cover what would be applied now; since it was signed:{in_words(found)}")
    _require_dates(roots.slug, manifest, today)
    rolled_back = _require_order(roots, manifest, today)
    return Approval(manifest, signer, _countersigner(folder, roots, manifest), rolled_back)


def signers_of(folder: Path) -> bytes:
    """The content of `allowed_signers`. Raises ApprovalError when there is none."""
    try:
        return content(folder / SIGNERS)
    except FileNotFoundError as error:
        raise ApprovalError(
            f"{folder / SIGNERS} does not exist, so nobody may approve for {folder.name}",
            fix=f'write one line into it: NAME@MUNICIPALITY namespaces="{NAMESPACE}" ssh-ed25519 AAAA...',
        ) from error


def signed_manifest(folder: Path, signers: bytes) -> tuple[Manifest, str]:
    """The manifest of `folder` and who of the signers signed exactly it. Raises ApprovalError."""
    slug = folder.name
    try:
        text = content(folder / MANIFEST).decode("utf-8")
        signature = content(folder / SIGNATURE)
    except FileNotFoundError as error:
        if (folder / EARLIER_SIGNATURE).exists():
            raise ApprovalError(
                f"{slug} approved by an earlier version of vaern, whose signature covers less than what decides",
                fix=f"run `vaern approve {slug} --prepare` and have it signed once, as docs/municipal-it.md says",
            ) from error
        raise ApprovalError(
            f"{slug} has not approved: there is no {Path(str(error.filename)).name} in {folder}",
            fix=f"run `vaern approve {slug} --prepare`; municipal IT reviews and signs as docs/municipal-it.md says",
        ) from error
    except UnicodeDecodeError as error:
        raise _refused(slug, f"has a {MANIFEST} that is no text") from error
    signer = signed_by(text, signature, signers, NAMESPACE)
    if not signer:
        raise _refused(
            slug, f"is not valid: {SIGNATURE} is not a signature over {MANIFEST} by a key that {SIGNERS} allows"
        )
    return parse(text, str(folder / MANIFEST)), signer


def _require_dates(slug: str, manifest: Manifest, today: date) -> None:
    """Raise ApprovalError for a manifest that has expired, or that gives itself more time than a review may be old."""
    if today > manifest.expires:
        raise _refused(slug, f"expired on {manifest.expires}")
    if manifest.expires > today + timedelta(days=MOST_VALID_DAYS):
        raise _refused(slug, f"expires on {manifest.expires}, more than {MOST_VALID_DAYS} days from now")
    before = manifest.predecessor
    if before and before.until > today + timedelta(days=MOST_ROLLBACK_DAYS):
        raise _refused(slug, f"allows a rollback until {before.until}, more than {MOST_ROLLBACK_DAYS} days from now")


def _require_order(roots: Roots, manifest: Manifest, today: date) -> bool:
    """Whether this manifest is a rollback. Raises ApprovalError for an older one that is not."""
    applied = roots.applied()
    if applied is None or manifest.digest == applied.digest or manifest.serial > applied.serial:
        return False
    before = applied.predecessor
    if before is None or before.digest != manifest.digest:
        said = f"has serial {manifest.serial}; what was applied has serial {applied.serial}"
        raise _refused(roots.slug, f"{said} and does not name this one as its predecessor")
    if today > before.until:
        raise _refused(roots.slug, f"may be returned to until {before.until} only, which has passed")
    return True


def _countersigner(folder: Path, roots: Roots, manifest: Manifest) -> str:
    """Who countersigned for operations; empty where operations has named nobody. Raises ApprovalError."""
    try:
        allowed = content(roots.operations)
    except FileNotFoundError:
        return ""
    try:
        signature = content(folder / COUNTERSIGNATURE)
    except FileNotFoundError:
        signature = b""
    found = signed_by(manifest.text, signature, allowed, OPERATIONS_NAMESPACE) if signature else ""
    if not found:
        raise ApprovalError(
            f"operations has not countersigned the approval of {roots.slug}, and {roots.operations} asks for it",
            fix=f"one of those named there reviews and runs `vaern approve {roots.slug} --countersign KEY`",
        )
    return found


def content(path: Path) -> bytes:
    """A file of an approval, as far as one can be long. Raises FileNotFoundError."""
    with path.open("rb") as handle:
        return handle.read(MOST_BYTES)


def _refused(slug: str, why: str) -> ApprovalError:
    return ApprovalError(
        f"the approval of {slug} {why}",
        fix=f"review `git diff` of the folder, run `vaern approve {slug} --prepare` and have it signed",
    )
