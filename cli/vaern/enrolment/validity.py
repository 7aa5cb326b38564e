"""How long the recorded certificates of hosts are valid, read without asking a host."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from vaern.model.situation import Certificates, Validity


def validity(record: Mapping[str, Mapping[str, str]], hosts: Iterable[str]) -> Certificates:
    """The validity of the certificate of each host, from what `key_record.read_record` returns."""
    from cryptography import x509

    valid, unread = [], []
    for host in hosts:
        try:
            certificate = x509.load_pem_x509_certificate(record.get(host, {}).get("certificate", "").encode())
        except ValueError:
            unread.append(host)
            continue
        begins, ends = certificate.not_valid_before_utc, certificate.not_valid_after_utc
        valid.append(Validity(host, _written(begins), _written(ends)))
    return Certificates(tuple(valid), tuple(unread))


def _written(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
