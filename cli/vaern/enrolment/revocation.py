"""The authority's list of revoked certificates (a CRL, RFC 5280): X.509 only, without files or hosts.

A certificate is in it from the day it is revoked until the day after it has ended anyway, so the list stays short. It
is sent to the hosts and never fetched by them, so it does not end before the authority: a hub that nobody has run
`vaern` against for a year goes on working (decision 44).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from vaern.enrolment.certificates import CLOCK_SKEW, HOST_LIFE, is_issued_by

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

KEPT = HOST_LIFE + timedelta(days=1)
"""How long after its revocation a certificate stays in the list; it was made before, so it has ended by then."""


def with_revoked(
    current: str, certificates: Iterable[str], root: x509.Certificate, key: EllipticCurvePrivateKey
) -> str:
    """The list (PEM) with these certificates (PEM) added; the same text when it has them all.

    A certificate of another authority is left out. So is what `current`, the list before or nothing, holds of another
    authority: such a list is not continued.
    """
    from cryptography import x509

    before = _read(current, root)
    known = {entry.serial_number: entry.revocation_date_utc for entry in before or ()}
    now = datetime.now(UTC).replace(microsecond=0)
    loaded = (x509.load_pem_x509_certificate(one.encode()) for one in certificates)
    new = {one.serial_number for one in loaded if is_issued_by(one, root)} - known.keys()
    if before is not None and not new:
        return current
    kept = {serial: since for serial, since in known.items() if since > now - KEPT}
    return _signed(kept | dict.fromkeys(new, now), _number(before) + 1, root, key)


def serials(text: str) -> set[int]:
    """The serial numbers in a list (PEM)."""
    from cryptography import x509

    return {entry.serial_number for entry in x509.load_pem_x509_crl(text.encode())}


def serial_of(certificate: str) -> int:
    """The serial number of a certificate (PEM)."""
    from cryptography import x509

    return x509.load_pem_x509_certificate(certificate.encode()).serial_number


def _read(text: str, root: x509.Certificate) -> x509.CertificateRevocationList | None:
    from cryptography import x509

    if not text:
        return None
    try:
        found = x509.load_pem_x509_crl(text.encode())
    except ValueError:
        return None
    key = root.public_key()
    return found if found.is_signature_valid(key) else None  # type: ignore[arg-type]


def _number(found: x509.CertificateRevocationList | None) -> int:
    from cryptography import x509

    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number if found is not None else 0


def _signed(revoked: dict[int, datetime], number: int, root: x509.Certificate, key: EllipticCurvePrivateKey) -> str:
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA384
    from cryptography.hazmat.primitives.serialization import Encoding

    builder = (
        x509.CertificateRevocationListBuilder(root.subject, datetime.now(UTC) - CLOCK_SKEW, root.not_valid_after_utc)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
    )
    for serial, since in sorted(revoked.items()):
        entry = x509.RevokedCertificateBuilder(serial, since).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(key, SHA384()).public_bytes(Encoding.PEM).decode()
