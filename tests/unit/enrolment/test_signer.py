"""The authority: what it signs, what it refuses, and what keeps its key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from support.certificates import request_for

from vaern.enrolment.certificates import HOST_LIFE, RENEW_AFTER, is_usable
from vaern.enrolment.signer import LocalSigner
from vaern.errors import SetupError, UsageError
from vaern.runtime.secret_store import MAGIC, NONCE_BYTES, SALT_BYTES, SecretStore

ADDRESSES = ("198.51.100.10", "fd5a:1c3e:9b27:710::1")


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> LocalSigner:
    """An authority of this module's own."""
    return LocalSigner(tmp_path_factory.mktemp("pki"), b"right")


def test_a_host_gets_a_certificate_for_both_ends_of_tls_and_never_an_authority(signer: LocalSigner) -> None:
    signed = x509.load_pem_x509_certificate(
        signer.sign(request_for("favrskov-gw1"), name="favrskov-gw1", addresses=ADDRESSES).encode()
    )
    signed.verify_directly_issued_by(x509.load_pem_x509_certificate(signer.authority().encode()))
    names = signed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    host, key = names.get_values_for_type(x509.DNSName)
    assert host == "favrskov-gw1"
    assert re.fullmatch(r"key-[0-9a-f]{40}\.vaern\.internal", key)
    assert [str(address) for address in names.get_values_for_type(x509.IPAddress)] == list(ADDRESSES)
    assert signed.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usages = signed.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert {usage._name for usage in usages} == {"serverAuth", "clientAuth"}


@pytest.mark.parametrize(
    ("request_text", "found"),
    [
        (request_for("aarhus-gw1"), "is for ['aarhus-gw1']"),
        (request_for("favrskov-gw1", ec.generate_private_key(ec.SECP384R1())), "not on P-256"),
        (request_for("favrskov-gw1", rsa.generate_private_key(65537, 2048)), "not on P-256"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "not a certificate request"),
        ("", "not a certificate request"),
    ],
    ids=["another host", "another curve", "rsa", "garbage", "empty"],
)
def test_a_request_that_is_not_the_hosts_own_is_refused(signer: LocalSigner, request_text: str, found: str) -> None:
    with pytest.raises(UsageError) as refused:
        signer.sign(request_text, name="favrskov-gw1", addresses=ADDRESSES)
    assert found in refused.value.what
    assert "favrskov-gw1" in refused.value.fix


def test_a_request_signed_by_another_key_is_refused(signer: LocalSigner) -> None:
    der = bytearray(x509.load_pem_x509_csr(request_for("favrskov-gw1").encode()).public_bytes(Encoding.DER))
    at = der.index(b"favrskov-gw1")
    der[at : at + 12] = b"favrskov-gw2"
    forged = x509.load_der_x509_csr(bytes(der)).public_bytes(Encoding.PEM).decode()
    with pytest.raises(UsageError, match="not signed by its own key"):
        signer.sign(forged, name="favrskov-gw2", addresses=ADDRESSES)


def test_the_authority_is_the_same_next_time_and_closed_to_a_wrong_passphrase(tmp_path: Path) -> None:
    made = LocalSigner(tmp_path, b"right").authority()
    assert LocalSigner(tmp_path, b"right").authority() == made
    with pytest.raises(SetupError) as closed:
        LocalSigner(tmp_path, b"wrong").authority()
    assert "VAERN_PASSPHRASE" in closed.value.fix
    assert (tmp_path / "ca.key").stat().st_mode & 0o777 == 0o600
    assert b"ENCRYPTED" in (tmp_path / "ca.key").read_bytes()


def test_a_key_and_a_certificate_of_two_authorities_are_noticed(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        LocalSigner(tmp_path / folder, b"right").authority()
    (tmp_path / "one" / "ca.crt").replace(tmp_path / "two" / "ca.crt")
    with pytest.raises(SetupError, match="do not belong together"):
        LocalSigner(tmp_path / "two", b"right").authority()


def test_a_certificate_will_do_for_its_host_key_and_addresses_only(signer: LocalSigner, tmp_path: Path) -> None:
    request, authority = request_for("favrskov-gw1"), signer.authority()
    certificate = signer.sign(request, name="favrskov-gw1", addresses=ADDRESSES)
    assert is_usable(certificate, request, authority, name="favrskov-gw1", addresses=ADDRESSES)
    assert not is_usable(certificate, request, authority, name="favrskov-gw2", addresses=ADDRESSES)
    assert not is_usable(certificate, request, authority, name="favrskov-gw1", addresses=ADDRESSES[:1])
    assert not is_usable(certificate, request_for("favrskov-gw1"), authority, name="favrskov-gw1", addresses=ADDRESSES)
    other = LocalSigner(tmp_path, b"other").authority()
    assert not is_usable(certificate, request, other, name="favrskov-gw1", addresses=ADDRESSES)
    assert not is_usable("rubbish", request, authority, name="favrskov-gw1", addresses=ADDRESSES)


def test_a_certificate_is_renewed_after_two_thirds_of_its_life(
    signer: LocalSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = request_for("favrskov-gw1")
    monkeypatch.setattr("vaern.enrolment.certificates.HOST_LIFE", HOST_LIFE * 0)
    old = signer.sign(request, name="favrskov-gw1", addresses=ADDRESSES)
    assert 0 < RENEW_AFTER < 1
    assert not is_usable(old, request, signer.authority(), name="favrskov-gw1", addresses=ADDRESSES)


def test_secrets_are_made_once_and_kept_encrypted(tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    made = SecretStore(path, b"right").get_or_make(["a/hub1"], lambda: "the-secret")
    store = SecretStore(path, b"right")
    assert store.get_or_make(["a/hub1", "b/hub1"], lambda: "another") == {**made, "b/hub1": "another"}
    assert b"the-secret" not in path.read_bytes()
    written = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    store.remove(["a/hub1"])
    assert store.get_or_make(["a/hub1"], lambda: "new") == {"a/hub1": "new"}
    salt_ends, nonce_ends = len(MAGIC) + SALT_BYTES, len(MAGIC) + SALT_BYTES + NONCE_BYTES
    assert path.read_bytes()[:salt_ends] == written[:salt_ends]
    assert path.read_bytes()[salt_ends:nonce_ends] != written[salt_ends:nonce_ends], "a nonce is used once"
    with pytest.raises(SetupError, match="does not open"):
        SecretStore(path, b"wrong").get_or_make(["a/hub1"], lambda: "never")


# One that looks like ours derives a key, on purpose slowly. Nothing is written, so all use one folder.
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(content=MAGIC)
@example(content=MAGIC + bytes(28))
@example(content=MAGIC + bytes(60))
@given(content=st.binary(max_size=80))
def test_a_damaged_secret_file_is_an_error_with_a_fix(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "secrets"
    path.write_bytes(content)
    with pytest.raises(SetupError) as closed:
        SecretStore(path, b"right").get_or_make(["a"], lambda: "b")
    assert closed.value.fix
