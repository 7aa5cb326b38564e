"""Secrets the control node makes itself (pre-shared keys), kept encrypted beside the authority.

AES-256-GCM with a key that scrypt derives from the passphrase (RFC 7914; 2^15 rounds, about 0.1 s and 32 MB, so that
guessing is expensive and a run hardly slower). The salt is made with the file, so that reading and writing derive only
one key; every write uses a new nonce.
"""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path

from vaern.errors import SetupError
from vaern.runtime.paths import Project
from vaern.runtime.private_file import folder_lock, write_private

VARIABLE = "VAERN_PASSPHRASE"
MAGIC = b"vaern-secrets-1\n"
SALT_BYTES = 16
NONCE_BYTES = 12


def folder_of(project: Project) -> Path:
    """Where the authority and the secrets of this state directory are."""
    return project.state / "pki"


def passphrase(project: Project, *, may_make: bool) -> bytes:
    """The passphrase that opens the authority and the secrets: VAERN_PASSPHRASE, else a file made on first use.

    `may_make` is true in the lab, where the file beside the secrets is good enough. Raises SetupError otherwise.
    """
    given = os.environ.get(VARIABLE, "")
    if given:
        return given.encode()
    path = folder_of(project) / "passphrase"
    if not may_make:
        raise SetupError(
            f"{VARIABLE} is not set, and outside the lab the passphrase is not kept on disk",
            fix=f"read it from your password store into the environment: export {VARIABLE}=...",
        )
    with folder_lock(path.parent):
        if not path.exists():
            write_private(path, secrets.token_urlsafe(32).encode())
    return path.read_bytes().strip()


class SecretStore:
    """Named secrets in one encrypted file."""

    def __init__(self, path: Path, passphrase: bytes) -> None:
        self._path = path
        self._passphrase = passphrase
        self._salt = os.urandom(SALT_BYTES)
        self._keys: dict[bytes, bytes] = {}

    def get_or_make(self, names: Iterable[str], make: Callable[[], str]) -> dict[str, str]:
        """The secrets with those names; a missing one is made with `make` and stored before it is returned."""
        wanted = sorted(set(names))
        with folder_lock(self._path.parent):
            known = self._read()
            missing = [name for name in wanted if name not in known]
            if missing:
                known |= {name: make() for name in missing}
                self._write(known)
        return {name: known[name] for name in wanted}

    def remove(self, names: Iterable[str]) -> None:
        """Delete the secrets with those names, if they exist."""
        with folder_lock(self._path.parent):
            known = self._read()
            left = {name: secret for name, secret in known.items() if name not in set(names)}
            if left != known:
                self._write(left)

    def _read(self) -> dict[str, str]:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        if not self._path.exists():
            return {}
        try:
            salt, nonce, sealed = _parts(self._path.read_bytes())
            opened = AESGCM(self._key(salt)).decrypt(nonce, sealed, MAGIC)
            self._salt = salt
        except (InvalidTag, ValueError) as error:
            raise SetupError(
                f"the passphrase does not open {self._path}, or the file was changed",
                fix=f"set {VARIABLE} to the passphrase it was made with, or restore it from its backup",
            ) from error
        found: dict[str, str] = json.loads(opened)
        return found

    def _write(self, known: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._key(self._salt)).encrypt(nonce, json.dumps(known, sort_keys=True).encode(), MAGIC)
        write_private(self._path, MAGIC + self._salt + nonce + sealed)

    def _key(self, salt: bytes) -> bytes:
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

        if salt not in self._keys:
            self._keys[salt] = Scrypt(salt=salt, length=32, n=2**15, r=8, p=1).derive(self._passphrase)
        return self._keys[salt]


def _parts(content: bytes) -> tuple[bytes, bytes, bytes]:
    """Salt, nonce and ciphertext. Raises ValueError for any other file, before a key is derived."""
    body = content.removeprefix(MAGIC)
    sealed_at = SALT_BYTES + NONCE_BYTES
    if not content.startswith(MAGIC) or len(body) <= sealed_at:
        raise ValueError("not a file of secrets")
    return body[:SALT_BYTES], body[SALT_BYTES:sealed_at], body[sealed_at:]
