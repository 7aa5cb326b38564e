"""The list of revoked certificates: what gets into it, how long it stays, and whose list it is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from support.certificates import request_for

from vaern.enrolment import Subject, revocation
from vaern.enrolment.certificates import HOST
from vaern.enrolment.enrolling import superseded, usable_certificate
from vaern.enrolment.host_keys import HostAnswer, HostKey
from vaern.enrolment.revocation import serial_of, serials
from vaern.enrolment.signer import LocalSigner

NAME, OTHER = "favrskov-gw1", "aarhus-gw1"
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in (NAME, OTHER, "new")}


@pytest.fixture
def signer(tmp_path: Path) -> LocalSigner:
    """An authority of this test's own."""
    return LocalSigner(tmp_path / "pki", b"right")


def issued(signer: LocalSigner, name: str = NAME, key: str = "") -> str:
    """A certificate for that host and one of the keys above, its own when not said."""
    return signer.sign(request_for(name, KEYS[key or name]), name=name, addresses=())


def answered(name: str, key: str = "") -> HostAnswer:
    """What a host says that has one of the keys above; of its certificate nothing that counts here."""
    return HostAnswer(
        "", "", "", timedelta(0), {"certificate": HostKey(HOST, request_for(name, KEYS[key or name]), "")}
    )


def test_a_list_is_the_authoritys_own_and_ends_with_it(signer: LocalSigner) -> None:
    found = x509.load_pem_x509_crl(signer.revoked([issued(signer)]).encode())
    root = x509.load_pem_x509_certificate(signer.authority().encode())
    assert found.is_signature_valid(root.public_key())  # type: ignore[arg-type]
    assert found.issuer == root.subject
    assert found.next_update_utc == root.not_valid_after_utc


def test_what_is_revoked_stays_so_and_is_counted(signer: LocalSigner) -> None:
    first, second = issued(signer), issued(signer, OTHER)
    assert serials(signer.revoked()) == set()
    signer.revoked([first])
    listed = signer.revoked([second, first])
    assert serials(listed) == {serial_of(first), serial_of(second)}
    number = x509.load_pem_x509_crl(listed.encode()).extensions.get_extension_for_class(x509.CRLNumber).value
    assert number.crl_number == 3


def test_the_same_list_is_the_same_text(signer: LocalSigner, tmp_path: Path) -> None:
    """Otherwise each run would send every host another one."""
    first = issued(signer)
    listed = signer.revoked([first])
    assert signer.revoked([first]) == signer.revoked() == listed
    assert LocalSigner(tmp_path / "pki", b"right").revoked() == listed


def test_the_certificate_of_another_authority_is_not_put_in(signer: LocalSigner, tmp_path: Path) -> None:
    """Two authorities may give the same number."""
    assert serials(signer.revoked([issued(LocalSigner(tmp_path / "other", b"right"))])) == set()


@pytest.mark.parametrize("damaged", ["", "nonsense", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_list_that_is_none_is_made_again(signer: LocalSigner, tmp_path: Path, damaged: str) -> None:
    signer.revoked()
    (tmp_path / "pki" / "revoked.crl").write_text(damaged)
    assert serials(signer.revoked([first := issued(signer)])) == {serial_of(first)}


def test_a_certificate_leaves_the_list_when_it_has_ended(signer: LocalSigner, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = issued(signer), issued(signer, OTHER)
    signer.revoked([first])

    class Later(datetime):
        @classmethod
        def now(cls, tz: object = None) -> Later:
            return cls.fromtimestamp((datetime.now(UTC) + revocation.KEPT + timedelta(hours=1)).timestamp(), UTC)

    monkeypatch.setattr(revocation, "datetime", Later)
    assert serials(signer.revoked([second])) == {serial_of(second)}


def test_a_host_that_is_gone_and_a_key_that_is_gone_are_revoked(signer: LocalSigner) -> None:
    gone, rekeyed = issued(signer, OTHER), issued(signer)
    recorded = {OTHER: {"certificate": gone}, NAME: {"certificate": rekeyed}}
    assert superseded(recorded, {NAME: answered(NAME)}) == [gone]
    assert superseded(recorded, {NAME: answered(NAME, "new"), OTHER: answered(OTHER)}) == [rekeyed]


def test_a_renewed_certificate_does_not_end_the_one_before(signer: LocalSigner) -> None:
    """The relay goes on with it until it has taken the new one into use."""
    assert superseded({NAME: {"certificate": issued(signer)}}, {NAME: answered(NAME)}) == []


def test_a_host_cannot_have_the_certificate_of_another_revoked(signer: LocalSigner) -> None:
    """Certificates are public: a host could say that another's is its own."""
    other = issued(signer, OTHER)
    recorded = {NAME: {"certificate": issued(signer)}, OTHER: {"certificate": other}}
    claimed = HostKey(HOST, request_for(NAME, KEYS[NAME]), other)
    lying = HostAnswer("", "", "", timedelta(0), {"certificate": claimed})
    assert superseded(recorded, {NAME: lying, OTHER: answered(OTHER)}) == []


def test_a_host_that_comes_back_does_not_go_on_with_what_was_revoked(signer: LocalSigner) -> None:
    """It was off-boarded while nobody could reach it, and still has its key and certificate."""
    certificate, authority = issued(signer), signer.authority()
    subject, key = Subject(NAME, (), wireguard=False), answered(NAME).keys["certificate"]
    assert usable_certificate(subject, key, ("", certificate), authority, signer.revoked()) == certificate
    assert usable_certificate(subject, key, (certificate,), authority, signer.revoked([certificate])) == ""
