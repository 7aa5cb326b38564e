"""Builds certificates and decides which are usable: X.509 only, without private keys, files or hosts.

The root is P-384 and valid for ten years. Host certificates are P-256, which librdkafka, Kafka and rsyslog all
accept, and valid for 90 days (the joint rotation period of keys). They are renewed after 60 days, which leaves a
month to notice that renewal fails.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

ROOT_LIFE = timedelta(days=3650)
HOST_LIFE = timedelta(days=90)
CLOCK_SKEW = timedelta(hours=1)
"""A certificate begins this long before it is made, for hosts whose clock is behind; `clocks` refuses more."""
RENEW_AFTER = 2 / 3
"""Fraction of its lifetime after which a certificate is renewed; the rest is for noticing that renewal fails."""


@dataclass(frozen=True, slots=True)
class Use:
    """What a certificate of a host is for."""

    file: str
    """Its files on the host: FILE.key and FILE.crt."""
    suffix: str = ""
    """What is added to the host's name in the subject, which is the name that the broker knows."""
    serves: bool = True
    """Whether others connect to it; if not, it is good for the client's end of TLS only, and for no name or address."""

    def common_name(self, host: str) -> str:
        """The common name in the subject of that host's certificate."""
        return f"{host}{self.suffix}"


HOST = Use("host")
SHIPPER = Use("host", suffix=".shipper")
"""That of a relay's rsyslog: no name with a dot is one that the broker lets in (`server.properties.j2`)."""
DELIVERY = Use("delivery", serves=False)
"""That of a relay's delivery: the broker knows it by the name of the relay."""


def host_builder(
    key: EllipticCurvePublicKey,
    name: str,
    addresses: tuple[str, ...],
    issuer: x509.Name,
    issuer_key: EllipticCurvePublicKey,
    use: Use = HOST,
) -> x509.CertificateBuilder:
    """A certificate for one host; nothing is copied from the CSR but its key."""
    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID

    now = datetime.now(UTC)
    usages = [*([ExtendedKeyUsageOID.SERVER_AUTH] if use.serves else []), ExtendedKeyUsageOID.CLIENT_AUTH]
    return (
        _builder(use.common_name(name), key, issuer, now, now + HOST_LIFE)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        .add_extension(_names_for(use, name, addresses, key_name(key)), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False)
    )


def root_builder(key: EllipticCurvePrivateKey, title: str, start: datetime | None = None) -> x509.CertificateBuilder:
    """The self-signed root: it signs hosts, never another authority. It begins now unless `start` says when.

    Its serial number is a digest of its key, so that the same key and `start` always give the same root.
    """
    from cryptography import x509

    name = f"{title} root"
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = start or datetime.now(UTC)
    return (
        _builder(name, key.public_key(), subject, begin, begin + ROOT_LIFE, _key_serial(key.public_key()))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_key_usage(signs_certificates=True), critical=True)
    )


def subject_names(name: str, addresses: tuple[str, ...]) -> x509.SubjectAlternativeName:
    """The alternative names of a host: its inventory name, then its addresses and further names in the order given."""
    from cryptography import x509

    return x509.SubjectAlternativeName([x509.DNSName(name), *map(_general_name, addresses)])


def _names_for(use: Use, name: str, addresses: tuple[str, ...], key: str) -> x509.SubjectAlternativeName:
    """The name of its key is always there; names at which others connect only where they do."""
    return subject_names(name, (*addresses, key)) if use.serves else subject_names(key, ())


def key_name(key: EllipticCurvePublicKey) -> str:
    """The name of a key, which is in its certificate beside the name of the host.

    A relay lets a host in by RELP by the name of its key, not by that of the host: librelp looks at no list of revoked
    certificates, and so a key that was replaced is let in no more.
    """
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return f"key-{hashlib.sha256(whole).hexdigest()[:40]}.vaern.internal"


def key_name_of(certificate: str) -> str:
    """The name of the key of a certificate (PEM); empty when it has none."""
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
    except ValueError:
        return ""
    return key_name(key) if isinstance(key, EllipticCurvePublicKey) else ""


def _general_name(address: str) -> x509.GeneralName:
    from ipaddress import ip_address

    from cryptography import x509

    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)


def _key_serial(key: EllipticCurvePublicKey) -> int:
    """A serial number of at most 20 octets (RFC 5280, 4.1.2.2) that is always the same for one key."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return int.from_bytes(hashlib.sha256(whole).digest()[:16]) + 1


def _builder(
    name: str,
    key: EllipticCurvePublicKey,
    issuer: x509.Name,
    start: datetime,
    end: datetime,
    serial: int | None = None,
) -> x509.CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(serial or x509.random_serial_number())
        .not_valid_before(start - CLOCK_SKEW)
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(*, signs_certificates: bool) -> x509.KeyUsage:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def is_usable(
    certificate: str, request: str, authority: str, *, name: str, addresses: tuple[str, ...], use: Use = HOST
) -> bool:
    """Whether a certificate (PEM) is the authority's, for the request's key, this host and use, and not due."""
    from cryptography import x509

    try:
        present = x509.load_pem_x509_certificate(certificate.encode())
        csr = x509.load_pem_x509_csr(request.encode())
        issuer = x509.load_pem_x509_certificate(authority.encode())
    except ValueError:
        return False
    if present.public_key() != csr.public_key() or not is_issued_by(present, issuer):
        return False
    start, end = present.not_valid_before_utc, present.not_valid_after_utc
    fresh = start <= datetime.now(UTC) < start + (end - start) * RENEW_AFTER
    names = _names_for(use, name, addresses, key_name_of(certificate))
    return fresh and has_name(certificate, use.common_name(name)) and _names_of(present) == names


def has_name(certificate: str, common_name: str) -> bool:
    """Whether a certificate (PEM) is in that name; also when it cannot be read."""
    from cryptography import x509

    try:
        subject = x509.load_pem_x509_certificate(certificate.encode()).subject
    except ValueError:
        return True
    return [attribute.value for attribute in subject] == [common_name]


def has_key_of(certificate: str, request: str) -> bool:
    """Whether a certificate and a request (PEM) are for the same key; also when one of them cannot be read."""
    from cryptography import x509

    try:
        present = x509.load_pem_x509_certificate(certificate.encode())
        return present.public_key() == x509.load_pem_x509_csr(request.encode()).public_key()
    except ValueError:
        return True


def is_issued_by(certificate: x509.Certificate, issuer: x509.Certificate) -> bool:
    """Whether the issuer's key has signed the certificate."""
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _names_of(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    from cryptography import x509

    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return None
