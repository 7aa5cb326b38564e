"""A certificate authority for tests of roles: real keys and certificates, good for a day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


@dataclass(frozen=True)
class Certificate:
    """A key and its certificate, PEM."""

    key: str
    certificate: str


class Authority:
    """Signs certificates whose common name is the name of a host."""

    def __init__(self) -> None:
        """Make the authority's key and its own certificate."""
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = _name("test authority")
        self.certificate = _pem(self._sign(self.name, self.key, []))

    def issue(self, name: str, *addresses: str, names: Sequence[str] = (), hours: float = 24) -> Certificate:
        """A new key, and a certificate for it with that name, these IP addresses and these other names.

        It began an hour ago and ends in so many `hours`.
        """
        return self._issued(ec.generate_private_key(ec.SECP256R1()), name, addresses, names, hours)

    def renew(self, own: Certificate, name: str, *, hours: float) -> Certificate:
        """Another certificate for the same key."""
        key = serialization.load_pem_private_key(own.key.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return self._issued(key, name, (), (), hours)

    def revoked(self, *certificates: Certificate) -> str:
        """The authority's list of revoked certificates (PEM), with these in it."""
        now = datetime.now(UTC) - timedelta(minutes=5)
        builder = x509.CertificateRevocationListBuilder(self.name, now, now + timedelta(days=1))
        for one in certificates:
            serial = x509.load_pem_x509_certificate(one.certificate.encode()).serial_number
            entry = x509.RevokedCertificateBuilder(serial, now).build()
            builder = builder.add_revoked_certificate(entry)
        return builder.sign(self.key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()

    def _issued(
        self,
        key: ec.EllipticCurvePrivateKey,
        name: str,
        addresses: Sequence[str],
        names: Sequence[str],
        hours: float,
    ) -> Certificate:
        alternatives = [*map(x509.DNSName, (name, *names)), *(x509.IPAddress(ip_address(a)) for a in addresses)]
        signed = self._sign(_name(name), key, alternatives, hours)
        form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        return Certificate(key.private_bytes(*form).decode(), _pem(signed))

    def _sign(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, names: list[x509.GeneralName], hours: float = 24
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(
            issuer_name=self.name,
            subject_name=name,
            public_key=key.public_key(),
            serial_number=x509.random_serial_number(),
            not_valid_before=now - timedelta(hours=1),
            not_valid_after=now + timedelta(hours=hours),
        ).add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        # Python 3.13 checks as strictly as RFC 5280 is written: who signed, and what an authority may do.
        own, signer = key.public_key(), self.key.public_key()
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer), critical=False)
        if not names:
            signs = ("key_cert_sign", "crl_sign")
            others = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment")
            others += ("key_agreement", "encipher_only", "decipher_only")
            usage = x509.KeyUsage(**dict.fromkeys(signs, True), **dict.fromkeys(others, False))
            builder = builder.add_extension(usage, critical=True)
        if names:
            usages = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(usages, critical=False)
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        return builder.sign(self.key, hashes.SHA256())


def self_signed(name: str) -> Certificate:
    """A key, and a certificate that nobody but it has signed, as devices make it."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(
        issuer_name=_name(name),
        subject_name=_name(name),
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=now - timedelta(hours=1),
        not_valid_after=now + timedelta(days=1),
    )
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certificate(key.private_bytes(*form).decode(), _pem(builder.sign(key, hashes.SHA256())))


def request_for(name: str, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | None = None) -> str:
    """A certificate request as a host makes it."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_name(name))
    # A host may ask for anything; only its key is taken.
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    return (
        builder.sign(key or ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
        .decode()
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()
