"""What no change of the repository can alter: who may sign, as operations has pinned it, and what was applied last.

Both are kept in the state directory, below `approvals/`. A change that brings its own `allowed_signers` with it is
refused, since the pinned digest is of the file that the municipality has confirmed by another way. A manifest that was
in force before is refused by its serial.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from vaern.approval.manifest import Manifest, parse
from vaern.errors import ApprovalError
from vaern.model.naming import SIGNERS
from vaern.runtime.private_file import write_private

MOST_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Roots:
    """The roots of one municipality's approvals, in a folder of the state directory."""

    folder: Path
    slug: str

    @classmethod
    def of(cls, state: Path, slug: str) -> Roots:
        """Those in this state directory."""
        return cls(state / "approvals", slug)

    @property
    def operations(self) -> Path:
        """Who may countersign for operations, written by hand: where it exists, each approval needs one of them."""
        return self.folder / "operations_signers"

    def pin(self, signers: bytes, told: str) -> None:
        """Pin the digest of `allowed_signers`, which the municipality told by another way than the repository.

        Raises ApprovalError, and pins nothing, when it is not the digest of the file.
        """
        found = hashlib.sha256(signers).hexdigest()
        if told.strip().lower() != found:
            raise ApprovalError(
                f"{SIGNERS} of {self.slug} is {found}: that is not what the municipality has told",
                fix=f"ask it again what `sha256sum {self._signers}` says there; nothing was pinned",
            )
        write_private(self._pinned, f"{found}  {self._signers}\n".encode())

    def require_pinned(self, signers: bytes) -> None:
        """Raise ApprovalError unless this is the pinned file."""
        try:
            pinned = self._pinned.read_text(encoding="ascii", errors="replace")[:64]
        except FileNotFoundError:
            pinned = ""
        found = hashlib.sha256(signers).hexdigest()
        if pinned == found:
            return
        what = f"operations has not pinned who may approve for {self.slug}"
        if pinned:
            what = f"{SIGNERS} of {self.slug} has changed since operations pinned it: {pinned[:12]} -> {found[:12]}"
        ask = f"ask the municipality by telephone what `sha256sum {self._signers}` says there"
        raise ApprovalError(what, fix=f"{ask}, then run `vaern approve {self.slug} --pin DIGEST`")

    def applied(self) -> Manifest | None:
        """The manifest with the highest serial that was ever applied; None before the first."""
        path = self._applied
        try:
            text = path.read_bytes()[:MOST_BYTES].decode("utf-8", errors="replace")
        except FileNotFoundError:
            return None
        return parse(text, str(path))

    def declared(self) -> str:
        """The declaration as it was last applied, JSON of the model; empty before the first."""
        try:
            return self._declared.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def remember(self, manifest: Manifest, declared: str) -> None:
        """Record that this is applied, with the declaration; a rollback does not lower the serial that is asked for."""
        write_private(self._declared, declared.encode())
        known = self.applied()
        if known is None or manifest.serial > known.serial:
            write_private(self._applied, manifest.text.encode())

    @property
    def _signers(self) -> str:
        return f"inventories/{self.slug}/{SIGNERS}"

    @property
    def _pinned(self) -> Path:
        return self.folder / f"{self.slug}.signers"

    @property
    def _declared(self) -> Path:
        return self.folder / f"{self.slug}.declared.json"

    @property
    def _applied(self) -> Path:
        return self.folder / f"{self.slug}.applied"
