"""The authority's part of the key vault: a key that signs there, and a secret with the root certificate.

Uses Microsoft's own client library. It answers the vault's challenge for the right tenant and to no other host, waits
when the vault is busy, and finds the login of a pipeline, of `az login` or of a machine in Azure: all easy to get wrong
over plain HTTP. It is imported with this module, so only runs that enrol on Azure pay for it (0.1 s).
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ResourceNotFoundError
from azure.identity import AzureCliCredential, ChainedTokenCredential, EnvironmentCredential, ManagedIdentityCredential
from azure.keyvault.keys import KeyClient, KeyVaultKey
from azure.keyvault.keys.crypto import CryptographyClient, SignatureAlgorithm
from azure.keyvault.secrets import KeyVaultSecret, SecretClient
from cryptography.hazmat.primitives.asymmetric import ec

from vaern.enrolment.vault_faults import explained
from vaern.errors import SetupError, VaernError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

ROOT_SECRET = "authority-root"  # noqa: S105 (the name of a secret is none)
"""The root certificate (PEM). It is public; the vault keeps it so that every operator reads the same."""
REVOKED_SECRET = "authority-revoked"  # noqa: S105 (the name of a secret is none)
"""The list of revoked certificates (PEM), public too. A secret has room for 400 of them; each is there for 91 days."""
VERSION_TAG = "key-version"
CURVE = "P-384"

# Without a handler, Python prints the library's warnings between our lines; what they say is in the error we raise.
logging.getLogger("azure").addHandler(logging.NullHandler())


@dataclass(frozen=True, slots=True)
class VaultKey:
    """The public half of one version of the authority's key."""

    version: str
    public: ec.EllipticCurvePublicKey
    made: datetime
    """When Azure made it, UTC."""


class KeyVault:
    """The vault at `address`, such as https://kv-dcissund.vault.azure.net; `key_name` is the authority's key in it.

    Every method raises UnreachableError when the vault cannot be reached from here, and ProvisionError when the login,
    its rights or the key are not sufficient.
    """

    def __init__(self, address: str, key_name: str, *, tenant: str) -> None:
        self._address = address
        self._key_name = key_name
        self._tenant = tenant
        self._known: dict[str, KeyVaultKey] = {}

    def key(self, version: str = "") -> VaultKey:
        """That version of the authority's key, or its newest. Raises SetupError when it is of another kind."""
        with self._explained():
            found = self._keys.get_key(self._key_name, version or None)
        public, made, name = _public_half(found), found.properties.created_on, found.properties.version
        if public is None or made is None or name is None:
            raise SetupError(
                f"the key {self._key_name} of {self._address} is not on {CURVE}",
                fix="it is not the one `vaern up` made: correct azure.subscription and name in collector.yml",
            )
        self._known[name] = found
        return VaultKey(name, public, made)

    def sign(self, version: str, digest: bytes) -> bytes:
        """ES384 of a SHA-384 digest: the numbers r and s, 48 bytes each (RFC 7518, 3.4)."""
        with self._explained():
            client = CryptographyClient(self._known[version], self._credential)
            return client.sign(SignatureAlgorithm.es384, digest).signature

    def root(self) -> tuple[str, str] | None:
        """The root certificate (PEM) and the version of the key that signed it; None before the first run."""
        secret = self._secret(ROOT_SECRET)
        return None if secret is None else (secret.value or "", (secret.properties.tags or {}).get(VERSION_TAG, ""))

    def keep_root(self, certificate: str, version: str) -> None:
        """Store the root certificate; when two operators do so at once, the later one wins."""
        with self._explained():
            self._secrets.set_secret(
                ROOT_SECRET, certificate, content_type="application/x-pem-file", tags={VERSION_TAG: version}
            )

    def revoked(self) -> str:
        """The list of revoked certificates (PEM); empty before there is one."""
        secret = self._secret(REVOKED_SECRET)
        return (secret and secret.value) or ""

    def keep_revoked(self, listed: str) -> None:
        """Store the list; when two operators do so at once, the later one wins."""
        with self._explained():
            self._secrets.set_secret(REVOKED_SECRET, listed, content_type="application/x-pem-file")

    def _secret(self, name: str) -> KeyVaultSecret | None:
        try:
            with self._explained():
                return self._secrets.get_secret(name)
        except VaernError as error:
            if isinstance(error.__cause__, ResourceNotFoundError):
                return None
            raise

    @cached_property
    def _credential(self) -> TokenCredential:
        """A pipeline's variables, else `az login` for the declared tenant, else the machine's own identity."""
        return ChainedTokenCredential(
            EnvironmentCredential(), AzureCliCredential(tenant_id=self._tenant), ManagedIdentityCredential()
        )

    @cached_property
    def _keys(self) -> KeyClient:
        return KeyClient(self._address, self._credential)

    @cached_property
    def _secrets(self) -> SecretClient:
        return SecretClient(self._address, self._credential)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except AzureError as error:
            raise explained(error, self._address, self._tenant) from error


def _public_half(found: KeyVaultKey) -> ec.EllipticCurvePublicKey | None:
    """The public key of what the vault answered, if it is on our curve; the library declares no attributes for it."""
    answered = vars(found.key)
    if answered.get("crv") != CURVE:
        return None
    x, y = int.from_bytes(answered["x"]), int.from_bytes(answered["y"])
    return ec.EllipticCurvePublicNumbers(x, y, ec.SECP384R1()).public_key()
