"""Secrets of the control node, made by it (pre-shared keys) or told to it, kept encrypted beside the authority.

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

from vaern.errors import SetupError, StateError
from vaern.runtime.paths import Project
from vaern.runtime.private_file import folder_lock, write_private
from vaern.runtime.state_file import damaged

VARIABLE = "VAERN_PASSPHRASE"
SEALED = ("ca.key", "secrets")
"""What the passphrase opens, beside it."""
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
            _refuse_without(path, [path.with_name(name) for name in SEALED])
            write_private(path, secrets.token_urlsafe(32).encode())
    found = path.read_bytes().strip()
    if not found:
        raise StateError(f"{path} is empty: it held the passphrase", fix=f"restore {path} from its backup")
    return found


def _refuse_without(path: Path, sealed: list[Path]) -> None:
    """A new passphrase would open nothing of what the lost one has sealed."""
    closed = [str(one) for one in sealed if one.exists()]
    if closed:
        raise StateError(
            f"{path} is lost: the passphrase that opens {' and '.join(closed)}",
            fix=f"restore it from its backup, or set {VARIABLE} to the passphrase; only when it is lost for good, move "
            f"{path.parent} away and run the same command again",
        )


class SecretStore:
    """Named secrets in one encrypted file, and beside it their names, by which its loss is noticed."""

    def __init__(self, path: Path, passphrase: bytes) -> None:
        self._path = path
        self._names_path = path.with_name(f"{path.name}.names")
        self._passphrase = passphrase
        self._salt = os.urandom(SALT_BYTES)
        self._keys: dict[bytes, bytes] = {}

    def get_or_make(self, names: Iterable[str], make: Callable[[], str]) -> dict[str, str]:
        """The secrets with those names; a missing one is made with `make` and stored before it is returned.

        Raises StateError when the whole file is lost, SetupError when the passphrase does not open it.
        """
        wanted = sorted(set(names))
        with folder_lock(self._path.parent):
            known = self._read()
            if not self._names_path.exists() and known:
                self._write_names(known)
            missing = [name for name in wanted if name not in known]
            if missing:
                known |= {name: make() for name in missing}
                self._write(known)
        return {name: known[name] for name in wanted}

    def find(self, name: str) -> str | None:
        """The secret of that name; None when there is none."""
        with folder_lock(self._path.parent):
            return self._read().get(name)

    def put(self, name: str, secret: str) -> None:
        """Keep a secret that somebody else has made, in place of the one before."""
        with folder_lock(self._path.parent):
            known = self._read()
            if known.get(name) != secret:
                self._write(known | {name: secret})

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
            self._refuse_lost()
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
        try:
            found: dict[str, str] = json.loads(opened)
        except ValueError as error:
            raise damaged(self._path, str(error), fix="restore it from its backup") from error
        return found

    def _write(self, known: dict[str, str]) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        sealed = AESGCM(self._key(self._salt)).encrypt(nonce, json.dumps(known, sort_keys=True).encode(), MAGIC)
        write_private(self._path, MAGIC + self._salt + nonce + sealed)
        self._write_names(known)

    def _write_names(self, known: Iterable[str]) -> None:
        write_private(self._names_path, "".join(f"{name}\n" for name in sorted(known)).encode())

    def _refuse_lost(self) -> None:
        """Both ends of a tunnel have its key, so one made again would end every tunnel unnoticed."""
        try:
            lost = self._names_path.read_text(encoding="utf-8", errors="replace").split()
        except FileNotFoundError:
            return
        if lost:
            raise StateError(
                f"{self._path} is lost, which held the secrets of {', '.join(lost)}",
                fix=f"restore it from its backup; only when it is lost for good, remove {self._names_path} and run "
                "`vaern onboard MUNICIPALITY` for each one, which gives its tunnels new keys",
            )

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
