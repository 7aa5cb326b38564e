"""A relay has two keys: what is asked of it, what is signed, and how one of an earlier version comes to the second."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from support.certificates import request_for

from vaern.enrolment import Enrolled, Subject, enrol
from vaern.enrolment.key_record import read_record
from vaern.enrolment.revocation import serial_of, serials
from vaern.enrolment.signer import LocalSigner
from vaern.errors import ConfigureError
from vaern.runtime import ssh
from vaern.runtime.paths import Project

NAME = "favrskov-gw1"
RELAY = Subject(NAME, ("198.51.100.10",), wireguard=False, delivers=True)
BEFORE = Subject(NAME, ("198.51.100.10",), wireguard=False)
"""The same host as a version before saw it."""


@dataclass
class Host:
    """Makes its keys and keeps its files, as MAKE and `delivered` have a host do."""

    shares: bool = False
    keys: dict[str, ec.EllipticCurvePrivateKey] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    delivered: int = 0
    written: set[str] = field(default_factory=set)

    def run(self, _project: Project, _host: str, _command: str, stdin: str) -> subprocess.CompletedProcess[str]:
        """One of the two scripts."""
        if "== wireguard" not in stdin:
            self.delivered += 1
            written = dict(re.findall(r"^cat >(\S+)\.new <<'END'\n(.*?)END$", stdin, re.DOTALL | re.MULTILINE))
            self.files, self.written = self.files | written, set(written)
            return subprocess.CompletedProcess([], 0, "", "")
        sections = {"wireguard": "", "request": self.request("host"), "certificate": self.files.get("host.crt", "")}
        if "delivers=yes" in stdin:
            sections["delivery_request"] = self.request("delivery")
            sections["delivery_certificate"] = self.files.get("delivery.crt", "")
            sections["shares"] = "yes\n" if self.shares else ""
        sections |= {"authority": self.files.get("ca.crt", ""), "clock": f"{time.time():.0f}\n"}
        sections["revoked"] = self.files.get("revoked.crl", "")
        text = "".join(f"== {name}\n{content}" for name, content in sections.items())
        return subprocess.CompletedProcess([], 0, text, "")

    def request(self, name: str) -> str:
        """For a key that is made when there is none."""
        return request_for(NAME, self.keys.setdefault(name, ec.generate_private_key(ec.SECP256R1())))

    def certificate(self, name: str) -> x509.Certificate:
        """What it has been given for one of its keys."""
        found = x509.load_pem_x509_certificate(self.files[f"{name}.crt"].encode())
        assert found.public_key() == self.keys[name].public_key()
        return found


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    """The only host there is."""
    host = Host()
    monkeypatch.setattr(ssh, "run", host.run)
    return host


@pytest.fixture
def again(tmp_path: Path) -> Callable[..., Enrolled]:
    """Enrol the relay, or what is given, with the same authority and record each time."""
    project = Project(tmp_path, tmp_path / "state")

    def once(*subjects: Subject) -> Enrolled:
        signer = LocalSigner(tmp_path / "pki", b"right")
        return enrol(project, subjects or [RELAY], tmp_path / "keys.yml", signer, lambda _: None)

    return once


def usages(certificate: x509.Certificate) -> set[x509.ObjectIdentifier]:
    return set(certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value)


def names(certificate: x509.Certificate) -> list[str]:
    found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return [str(name) for name in found.get_values_for_type(x509.DNSName)]


def test_a_relay_gets_two_certificates_and_the_broker_knows_one_of_them(
    host: Host, again: Callable[..., Enrolled]
) -> None:
    done = again()
    shipper, delivery = host.certificate("host"), host.certificate("delivery")
    assert done.renewed == (NAME,)
    assert shipper.subject.rfc4514_string() == f"CN={NAME}.shipper"
    assert delivery.subject.rfc4514_string() == f"CN={NAME}"
    assert names(shipper)[0] == NAME
    assert NAME not in names(delivery)
    assert usages(delivery) == {ExtendedKeyUsageOID.CLIENT_AUTH}
    assert read_record(done.record)[NAME].keys() == {"certificate", "delivery_certificate"}
    assert host.delivered == 1


def test_nothing_is_made_when_both_are_current(host: Host, again: Callable[..., Enrolled]) -> None:
    again()
    before = dict(host.files)
    assert again().renewed == ()
    assert (host.files, host.delivered) == (before, 1)


@pytest.mark.parametrize(("lost", "kept"), [("host", "delivery"), ("delivery", "host")])
def test_each_is_replaced_and_revoked_by_itself(
    host: Host, again: Callable[..., Enrolled], lost: str, kept: str
) -> None:
    again()
    before = {name: host.files[f"{name}.crt"] for name in (lost, kept)}
    del host.keys[lost]
    assert again().renewed == (NAME,)
    assert host.files[f"{kept}.crt"] == before[kept]
    assert serials(host.files["revoked.crl"]) == {serial_of(before[lost])}
    assert host.written == {"revoked.crl", f"{lost}.crt"}, "what is written restarts who uses it"
    host.certificate(lost)


def test_a_relay_of_an_earlier_version_keeps_what_opens_the_broker_until_its_delivery_has_its_own(
    host: Host, again: Callable[..., Enrolled]
) -> None:
    """Whatever ends the run between: the delivery that is there goes on, and the next run finishes."""
    again(BEFORE)
    before = host.files["host.crt"]
    host.shares = True
    for _ in range(2):
        assert again().sharing == (NAME,)
        assert host.files["host.crt"] == before
        assert serials(host.files["revoked.crl"]) == set()
        host.certificate("delivery")
    host.shares = False
    assert again().sharing == ()
    assert host.certificate("host").subject.rfc4514_string() == f"CN={NAME}.shipper"
    assert serials(host.files["revoked.crl"]) == {serial_of(before)}


def test_a_host_that_is_a_relay_no_more_has_no_certificate_that_opens_the_broker(
    host: Host, again: Callable[..., Enrolled]
) -> None:
    again()
    opened = serial_of(host.files["delivery.crt"])
    again(BEFORE)
    assert opened in serials(host.files["revoked.crl"])


def test_a_relay_that_says_nothing_of_its_second_key_is_refused(
    host: Host, again: Callable[..., Enrolled], monkeypatch: pytest.MonkeyPatch
) -> None:
    def silent(*given: object, stdin: str) -> subprocess.CompletedProcess[str]:
        answer = host.run(*given, stdin=stdin)  # type: ignore[arg-type]
        answer.stdout = re.sub(r"== delivery_request\n.*?(?=^== )", "", answer.stdout, flags=re.DOTALL | re.MULTILINE)
        return answer

    monkeypatch.setattr(ssh, "run", silent)
    with pytest.raises(ConfigureError, match=f"{NAME} answered without 'delivery_request'"):
        again()
