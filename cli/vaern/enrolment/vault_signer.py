"""The authority whose key never leaves Azure: the same certificates as LocalSigner's, signed in the key vault.

The builders of `cryptography` accept any private key object with the published interface (`KeyVaultRSAPrivateKey` of
Azure's own library relies on that). So the vault's key is such an object, with `sign` as its only working method. The
alternative, to sign with a temporary key and replace the signature with an ASN.1 library, would take the certificate
apart by hand and be a second way to make one.

The root is the same every time except for its signature: it begins when Azure made the key, and its serial number is a
digest of the key. Two operators who make it at the same time make roots that differ in their signature only. Every
certificate verifies against either, so it does not matter which is kept, and a lost root can be made again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NoReturn

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA384
from cryptography.hazmat.primitives.serialization import Encoding, KeySerializationEncryption, PrivateFormat

from vaern.enrolment.certificates import HOST, Use, root_builder
from vaern.enrolment.key_vault import ROOT_SECRET, KeyVault, VaultKey
from vaern.enrolment.revocation import with_revoked
from vaern.enrolment.signer import issue
from vaern.errors import SetupError

NUMBER_BYTES = 48
"""Length of r and of s on P-384."""


class VaultSigner:
    """See signer.Signer. The root is made by the first run and kept in the vault for every other one."""

    def __init__(self, vault: KeyVault, *, title: str) -> None:
        self._vault = vault
        self._title = title
        self._loaded: tuple[x509.Certificate, SigningKey] | None = None

    def known(self) -> str:
        """See Signer. Raises as `authority`."""
        return self.authority() if self._loaded is not None or self._vault.root() is not None else ""

    def authority(self) -> str:
        """See Signer. Raises SetupError when the vault's root is not its key's, and what KeyVault raises."""
        return self._root()[0].public_bytes(Encoding.PEM).decode()

    def sign(self, request: str, *, name: str, addresses: tuple[str, ...], use: Use = HOST) -> str:
        """See Signer; also raises what KeyVault raises."""
        certificate, key = self._root()
        return issue(request, certificate, key, name=name, addresses=addresses, use=use)

    def revoked(self, certificates: Iterable[str] = ()) -> str:
        """See Signer; also raises what KeyVault raises."""
        certificate, key = self._root()
        before = self._vault.revoked()
        after = with_revoked(before, certificates, certificate, key)
        if after != before:
            self._vault.keep_revoked(after)
        return after

    def _root(self) -> tuple[x509.Certificate, SigningKey]:
        if self._loaded is None:
            kept = self._vault.root()
            if kept is None:
                self._make()
                kept = self._vault.root()
            self._loaded = self._load(*(kept or ("", "")))
        return self._loaded

    def _make(self) -> None:
        newest = self._vault.key()
        key = SigningKey(self._vault, newest)
        certificate = root_builder(key, self._title, newest.made).sign(key, SHA384())
        self._vault.keep_root(certificate.public_bytes(Encoding.PEM).decode(), newest.version)

    def _load(self, certificate: str, version: str) -> tuple[x509.Certificate, SigningKey]:
        """A key that was rotated in the vault goes on signing with the version that the hosts trust."""
        key = SigningKey(self._vault, self._vault.key(version))
        try:
            root = x509.load_pem_x509_certificate(certificate.encode())
            root.verify_directly_issued_by(root)
        except (ValueError, TypeError, InvalidSignature) as error:
            raise _foreign() from error
        if root.public_key() != key.public_key():
            raise _foreign()
        return root, key


def _foreign() -> SetupError:
    return SetupError(
        f"the secret {ROOT_SECRET} of the vault is not the root of its key",
        fix=f"find out who changed it; `az keyvault secret list-versions --name {ROOT_SECRET}` has the earlier ones",
    )


@dataclass(frozen=True, slots=True)
class SigningKey(ec.EllipticCurvePrivateKey):
    """A private key that stays in the vault; it signs ECDSA with SHA-384, and can do nothing else."""

    vault: KeyVault
    half: VaultKey

    def sign(self, data: bytes, signature_algorithm: ec.EllipticCurveSignatureAlgorithm) -> bytes:  # type: ignore[override]
        """The signature in DER (RFC 3279, 2.2.3), verified. Raises SetupError, and what KeyVault raises."""
        if not isinstance(signature_algorithm, ec.ECDSA) or not isinstance(signature_algorithm.algorithm, SHA384):
            self._refuse()
        digest = hashlib.sha384(data).digest()
        raw = self.vault.sign(self.half.version, digest)
        r, s = (int.from_bytes(part) for part in (raw[:NUMBER_BYTES], raw[NUMBER_BYTES:]))
        signature = encode_dss_signature(r, s)
        try:
            self.half.public.verify(signature, digest, ec.ECDSA(Prehashed(SHA384())))
        except InvalidSignature as error:
            raise SetupError("the vault's signature is not its key's", fix="run the same command again") from error
        return signature

    def public_key(self) -> ec.EllipticCurvePublicKey:
        """The public half."""
        return self.half.public

    @property
    def curve(self) -> ec.EllipticCurve:
        """P-384."""
        return self.half.public.curve

    @property
    def key_size(self) -> int:
        """384."""
        return self.half.public.key_size

    def exchange(self, algorithm: ec.ECDH, peer_public_key: ec.EllipticCurvePublicKey) -> bytes:
        """Not supported by a key in the vault. Raises TypeError."""
        self._refuse()

    def private_numbers(self) -> ec.EllipticCurvePrivateNumbers:
        """Not available: the key stays in the vault. Raises TypeError."""
        self._refuse()

    def private_bytes(
        self,
        encoding: Encoding,
        format: PrivateFormat,  # noqa: A002 (the name is the interface's)
        encryption_algorithm: KeySerializationEncryption,
    ) -> bytes:
        """Not available: the key stays in the vault. Raises TypeError."""
        self._refuse()

    def __copy__(self) -> SigningKey:
        return self

    def __deepcopy__(self, memo: dict[int, object]) -> SigningKey:
        return self

    def _refuse(self) -> NoReturn:
        raise TypeError("a key in the vault signs ECDSA with SHA-384, and does nothing else")
