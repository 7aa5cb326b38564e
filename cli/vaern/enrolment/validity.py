"""How long the recorded certificates of hosts are valid, read without asking a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from vaern.enrolment.key_record import certificates_of
from vaern.model.situation import Certificates, Validity


def validity(record: Mapping[str, Mapping[str, str]], hosts: Iterable[str]) -> Certificates:
    """The validity of each host's certificates together, from what `key_record.read_record` returns."""
    from cryptography import x509

    valid, unread = [], []
    for host in hosts:
        try:
            found = [x509.load_pem_x509_certificate(one.encode()) for one in certificates_of(record.get(host, {}))]
            begins = max(certificate.not_valid_before_utc for certificate in found)
            ends = min(certificate.not_valid_after_utc for certificate in found)
        except ValueError:  # One that cannot be read, or none at all.
            unread.append(host)
            continue
        valid.append(Validity(host, _written(begins), _written(ends)))
    return Certificates(tuple(valid), tuple(unread))


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
