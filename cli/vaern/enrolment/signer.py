"""A small certificate authority that signs host certificates, behind an interface that a key vault also implements.

The root signs hosts directly, because a few hundred hosts need no intermediate authority. Its private key is encrypted
with the passphrase of `secret_store.py` and never leaves the state directory.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from vaern.enrolment.certificates import HOST, Use, host_builder, root_builder
from vaern.enrolment.revocation import with_revoked
from vaern.enrolment.trust import refuse_lost
from vaern.errors import SetupError, StateError, UsageError
from vaern.runtime.private_file import folder_lock, write_private

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey


class Signer(Protocol):
    """What enrolment needs of a certificate authority."""

    def known(self) -> str:
        """The authority's own certificate, PEM, if it has been made already; empty otherwise."""
        ...

    def authority(self) -> str:
        """The authority's own certificate, PEM."""
        ...

    def sign(self, request: str, *, name: str, addresses: tuple[str, ...], use: Use = HOST) -> str:
        """Sign a CSR (PEM) for that use by the host of that inventory name, and return the certificate (PEM).

        Only the key is taken from the CSR; name and addresses come from the inventory.
        Raises UsageError when the CSR is not signed by its own key, names another host or has a key of another kind.
        """
        ...

    def revoked(self, certificates: Iterable[str] = ()) -> str:
        """The authority's list of revoked certificates (PEM), after these certificates (PEM) have been added to it."""
        ...


class LocalSigner:
    """An authority in the state directory, made on first use: `ca.crt`, `ca.key` (encrypted) and `revoked.crl`."""

    def __init__(self, folder: Path, passphrase: bytes, *, title: str = "vaern") -> None:
        self._certificate_file = folder / "ca.crt"
        self._key_file = folder / "ca.key"
        self._revoked_file = folder / "revoked.crl"
        self._passphrase = passphrase
        self._title = title
        self._loaded: tuple[x509.Certificate, EllipticCurvePrivateKey] | None = None

    def known(self) -> str:
        """See Signer. Raises as `authority`."""
        return self.authority() if self._key_file.exists() or self._certificate_file.exists() else ""

    def authority(self) -> str:
        """See Signer. Raises SetupError when the passphrase does not open the key, StateError when it is lost."""
        from cryptography.hazmat.primitives.serialization import Encoding

        return self._root()[0].public_bytes(Encoding.PEM).decode()

    def sign(self, request: str, *, name: str, addresses: tuple[str, ...], use: Use = HOST) -> str:
        """See Signer."""
        certificate, key = self._root()
        return issue(request, certificate, key, name=name, addresses=addresses, use=use)

    def revoked(self, certificates: Iterable[str] = ()) -> str:
        """See Signer."""
        certificate, key = self._root()
        with folder_lock(self._revoked_file.parent):
            before = self._revoked_file.read_text(encoding="ascii") if self._revoked_file.exists() else ""
            after = with_revoked(before, certificates, certificate, key)
            if after != before:
                write_private(self._revoked_file, after.encode())
        return after

    def _root(self) -> tuple[x509.Certificate, EllipticCurvePrivateKey]:
        if self._loaded is None:
            with folder_lock(self._key_file.parent):
                if not self._key_file.exists():
                    refuse_lost(self._key_file.parent)
                    self._make_key()
                key = self._load_key()
                if not self._certificate_file.exists():
                    self._make_certificate(key)
            self._loaded = self._load_certificate(key), key
        return self._loaded

    def _make_key(self) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat

        key = ec.generate_private_key(ec.SECP384R1())
        encrypted = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(self._passphrase))
        write_private(self._key_file, encrypted)

    def _make_certificate(self, key: EllipticCurvePrivateKey) -> None:
        """Of the same key, so hosts that trust an earlier one go on: what was signed verifies against either."""
        from cryptography.hazmat.primitives.hashes import SHA384
        from cryptography.hazmat.primitives.serialization import Encoding

        certificate = root_builder(key, self._title).sign(key, SHA384())
        write_private(self._certificate_file, certificate.public_bytes(Encoding.PEM))

    def _load_key(self) -> EllipticCurvePrivateKey:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key = load_pem_private_key(self._key_file.read_bytes(), self._passphrase)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise SetupError(
                f"the passphrase does not open the authority {self._key_file}, or the file is damaged",
                fix="set VAERN_PASSPHRASE to the passphrase the authority was made with, or restore its folder",
            ) from error
        if not isinstance(key, EllipticCurvePrivateKey):
            raise self._apart()
        return key

    def _load_certificate(self, key: EllipticCurvePrivateKey) -> x509.Certificate:
        from cryptography import x509
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            certificate = x509.load_pem_x509_certificate(self._certificate_file.read_bytes())
            if certificate.public_key() != key.public_key():
                raise self._apart()
        except (ValueError, UnsupportedAlgorithm) as error:
            raise StateError(
                f"{self._certificate_file} is no certificate: it is damaged",
                fix=f"restore {self._key_file.parent} from its backup, or remove the file: it is made of the key again",
            ) from error
        return certificate

    def _apart(self) -> SetupError:
        return SetupError(
            f"{self._key_file} and {self._certificate_file} do not belong together",
            fix=f"restore {self._key_file.parent} from its backup",
        )


def issue(
    request: str,
    root: x509.Certificate,
    key: EllipticCurvePrivateKey,
    *,
    name: str,
    addresses: tuple[str, ...],
    use: Use = HOST,
) -> str:
    """The certificate (PEM) for a CSR, the same for every signer wherever its `key` is. Raises as `Signer.sign`."""
    from cryptography.hazmat.primitives.hashes import SHA384
    from cryptography.hazmat.primitives.serialization import Encoding

    builder = host_builder(_checked(request, name, use), name, addresses, root.subject, key.public_key(), use)
    return builder.sign(key, SHA384()).public_bytes(Encoding.PEM).decode()


def _checked(request: str, name: str, use: Use) -> EllipticCurvePublicKey:
    """The key of a CSR that may be signed for that host. Raises UsageError."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric import ec

    fix = f"remove /etc/vaern/pki/{use.file}.key on {name} and enrol it again"
    try:
        csr = x509.load_pem_x509_csr(request.encode())
    except ValueError as error:
        raise UsageError(f"{name} sent something that is not a certificate request", fix=fix) from error
    if not csr.is_signature_valid:
        raise UsageError(f"the certificate request of {name} is not signed by its own key", fix=fix)
    key = csr.public_key()
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise UsageError(f"the key of {name} is not on P-256", fix=fix)
    names = [attribute.value for attribute in csr.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    if names != [name]:
        raise UsageError(f"the certificate request of {name} is for {names}", fix=fix)
    return key
