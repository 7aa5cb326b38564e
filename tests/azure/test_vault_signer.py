"""The authority in the key vault: the signer over the double of the vault, with Azure's own client library between."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import urllib3.util.connection
from azure.core.pipeline.transport import HttpTransport
from azure.keyvault.keys._shared import http_challenge_cache as keys_challenges
from azure.keyvault.secrets._shared import http_challenge_cache as secrets_challenges
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from support.azure.graph import example_deployment, shared_graph
from support.certificates import Authority
from support.doubles.key_vault import TOKEN, Key, Vault, serving

from vaern.enrolment import authority
from vaern.enrolment.certificates import is_usable
from vaern.enrolment.key_vault import ROOT_SECRET, KeyVault
from vaern.enrolment.revocation import serials
from vaern.enrolment.signer import LocalSigner, Signer
from vaern.enrolment.vault_signer import SigningKey, VaultSigner
from vaern.errors import ExitCode, SetupError, UsageError, VaernError
from vaern.model.deployment import Deployment
from vaern.runtime.paths import Project
from vaern_stacks.azure.naming import Names

NAME, ADDRESSES = "favrskov-gw1", ("198.51.100.10", "fd5a:1c3e:9b27:710::1", "syslog.favrskov.example")
LOGGED_IN = f"""#!/bin/sh
echo "$@" >>"$0.calls"
echo '{{"accessToken": "{TOKEN}", "expires_on": 4102444800, "expiresOn": "2100-01-01 00:00:00.000000"}}'
"""
LOGGED_OUT = """#!/bin/sh
echo "ERROR: Please run 'az login' to setup account." >&2
exit 1
"""


@dataclass
class Office:
    """Operators' machines: each signer is another operator's, all of them in front of one vault."""

    vault: Vault
    deployment: Deployment
    folder: Path

    def signer(self) -> Signer:
        # The library remembers a vault's challenge as long as the process lives, and this operator is another one.
        for remembered in (keys_challenges, secrets_challenges):
            remembered.clear()
        return authority.signer(Project(self.folder, self.folder / ".vaern"), self.deployment)

    def log_in(self, script: str) -> None:
        program = self.folder / "az"
        program.write_text(script)
        program.chmod(0o755)


@pytest.fixture(scope="module")
def declared_key() -> dict[str, Any]:
    """The key as the stack declares it."""
    return shared_graph().named("authority-key").inputs


@pytest.fixture
def office(tmp_path: Path, declared_key: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    deployment = example_deployment()
    address = Names.of(deployment).vault_address()
    host = address.removeprefix("https://")
    declared = declared_key["properties"]
    keys = [Key(declared_key["keyName"], declared["curveName"], tuple(declared["keyOps"]))]
    vault = Vault(host, deployment.on_azure.tenant, keys)
    authority = Authority()
    server = authority.issue(host)
    files = {"ca.pem": authority.certificate, "server.pem": server.certificate, "server.key": server.key}
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    made = Office(vault, deployment, tmp_path)
    made.log_in(LOGGED_IN)
    for variable in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "IDENTITY_ENDPOINT", "MSI_ENDPOINT"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "ca.pem"))
    monkeypatch.setenv("NO_PROXY", "*")
    monkeypatch.setattr(HttpTransport, "sleep", lambda *_: None)
    with serving(vault, tmp_path / "server.pem", tmp_path / "server.key") as port:
        real = urllib3.util.connection.create_connection

        def connect(where: tuple[str, int], *rest: Any, **more: Any) -> Any:
            """The private network: it leads to the vault and nowhere else."""
            if where != (host, 443):
                raise ConnectionRefusedError(f"no route to {where} in a test")
            return real(("127.0.0.1", port), *rest, **more)

        monkeypatch.setattr(urllib3.util.connection, "create_connection", connect)
        yield made


def request_for(name: str) -> str:
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    builder = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return builder.sign(ec.generate_private_key(ec.SECP256R1()), SHA256()).public_bytes(Encoding.PEM).decode()


def opened(certificate: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate(certificate.encode())


def alike(certificate: str) -> dict[str, Any]:
    """All of a certificate that does not depend on keys, on chance or on the minute it was made."""
    one = opened(certificate)
    own_keys = (x509.SubjectKeyIdentifier, x509.AuthorityKeyIdentifier)
    return {
        "version": one.version,
        "subject": one.subject,
        "issuer": one.issuer,
        "life": one.not_valid_after_utc - one.not_valid_before_utc,
        "algorithm": one.signature_algorithm_oid,
        "curve": getattr(one.public_key(), "curve").name,  # noqa: B009 (not every kind of key has one)
        "extensions": [
            (extension.oid, extension.critical, None if isinstance(extension.value, own_keys) else extension.value)
            for extension in one.extensions
        ],
    }


def test_openssl_and_enrolment_accept_a_certificate_signed_in_the_vault(office: Office) -> None:
    signer, request = office.signer(), request_for(NAME)
    root, certificate = signer.authority(), signer.sign(request, name=NAME, addresses=ADDRESSES)
    (office.folder / "root.pem").write_text(root)
    (office.folder / "host.pem").write_text(certificate)
    for purpose in ("sslserver", "sslclient"):
        words = ["openssl", "verify", "-x509_strict", "-purpose", purpose, "-verify_hostname", NAME]
        done = subprocess.run(
            [*words, "-verify_ip", ADDRESSES[0], "-CAfile", "root.pem", "host.pem"],
            cwd=office.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (done.returncode, done.stdout) == (0, "host.pem: OK\n"), done.stderr
    assert is_usable(certificate, request, root, name=NAME, addresses=ADDRESSES)
    assert not is_usable(certificate, request, root, name=NAME, addresses=ADDRESSES[:1])
    vault_key = office.vault.keys[0].private.public_key()
    assert opened(root).public_key() == vault_key


@pytest.mark.parametrize("addresses", [(), ADDRESSES[:1], ADDRESSES], ids=["no address", "one address", "more"])
def test_the_vault_makes_what_the_lab_makes_but_for_keys_and_serial_numbers(
    office: Office, addresses: tuple[str, ...]
) -> None:
    vault, request = office.signer(), request_for(NAME)
    local = LocalSigner(office.folder / "pki", b"test", title=f"vaern {office.deployment.name}")
    assert alike(vault.authority()) == alike(local.authority())
    both = [signer.sign(request, name=NAME, addresses=addresses) for signer in (vault, local)]
    assert alike(both[0]) == alike(both[1])
    serials = {opened(vault.sign(request, name=NAME, addresses=addresses)).serial_number for _ in range(3)}
    assert len(serials) == 3


def test_a_request_that_is_not_the_hosts_own_is_not_signed(office: Office) -> None:
    signer = office.signer()
    signer.authority()
    asked = len(office.vault.asked)
    with pytest.raises(UsageError, match="is for"):
        signer.sign(request_for("aarhus-gw1"), name=NAME, addresses=ADDRESSES)
    assert len(office.vault.asked) == asked


def test_the_root_is_made_once_and_read_by_every_other_operator(office: Office) -> None:
    first = office.signer().authority()
    office.vault.asked.clear()
    assert office.signer().authority() == first
    assert office.vault.asked == ["get-secret", "get-key"]
    assert not (office.folder / ".vaern").exists()


def test_every_operator_has_the_same_list_of_revoked_certificates(office: Office) -> None:
    signer, request = office.signer(), request_for(NAME)
    first, second = (signer.sign(request, name=NAME, addresses=()) for _ in range(2))
    listed = signer.revoked([first])
    assert office.signer().revoked() == listed
    assert serials(office.signer().revoked([second])) == {opened(one).serial_number for one in (first, second)}
    key = opened(signer.authority()).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert x509.load_pem_x509_crl(listed.encode()).is_signature_valid(key)


def test_two_operators_who_make_the_root_at_once_sign_for_the_same_authority(office: Office) -> None:
    both_are_making_it = threading.Barrier(2, timeout=60)
    office.vault.before = lambda operation: both_are_making_it.wait() if operation == "set-secret" else None
    request = request_for(NAME)

    def operator(_: int) -> tuple[str, str]:
        signer = office.signer()
        return signer.authority(), signer.sign(request, name=NAME, addresses=ADDRESSES)

    with ThreadPoolExecutor(2) as pool:
        made = list(pool.map(operator, range(2)))
    written = [secret["value"] for secret in office.vault.secrets[ROOT_SECRET]]
    assert len(set(written)) == 2
    assert len({opened(root).tbs_certificate_bytes for root in written}) == 1
    for root in (*written, office.signer().authority()):
        for _, certificate in made:
            assert is_usable(certificate, request, root, name=NAME, addresses=ADDRESSES)


def test_a_root_that_was_lost_is_made_again_as_it_was(office: Office) -> None:
    made = datetime(2026, 11, 24, 8, 30, tzinfo=UTC)
    office.vault.keys[0].created = int(made.timestamp())
    request, signer = request_for(NAME), office.signer()
    certificate, root = signer.sign(request, name=NAME, addresses=ADDRESSES), opened(signer.authority())
    office.vault.secrets.clear()
    again = office.signer().authority()
    assert opened(again).tbs_certificate_bytes == root.tbs_certificate_bytes
    assert is_usable(certificate, request, again, name=NAME, addresses=ADDRESSES)


def test_a_key_rotated_in_the_vault_goes_on_signing_with_the_version_that_hosts_trust(office: Office) -> None:
    root, request = office.signer().authority(), request_for(NAME)
    first = office.vault.keys[0]
    office.vault.keys.append(Key(first.name, first.curve, first.operations))
    signer = office.signer()
    assert signer.authority() == root
    assert is_usable(signer.sign(request, name=NAME, addresses=()), request, root, name=NAME, addresses=())


def test_the_login_is_the_declared_tenants_and_its_token_goes_to_the_vault_only(office: Office) -> None:
    office.signer().authority()
    asked = (office.folder / "az.calls").read_text()
    assert f"--tenant {office.deployment.on_azure.tenant}" in asked
    assert "https://vault.azure.net" in asked
    # The certificate of another name is refused before a token is sent.
    stranger = KeyVault("https://other.vault.azure.net", "authority", tenant=office.deployment.on_azure.tenant)
    with pytest.raises(VaernError, match="does not answer"):
        VaultSigner(stranger, title="vaern").authority()


def without(role: str) -> Callable[[Office], None]:
    return lambda office: office.vault.roles.discard(role)


def another_root(office: Office) -> None:
    local = LocalSigner(office.folder / "pki", b"test")
    office.vault.secrets[ROOT_SECRET][-1]["value"] = local.authority()


def changed_root(office: Office) -> None:
    whole = opened(office.vault.secrets[ROOT_SECRET][-1]["value"]).public_bytes(Encoding.DER)
    last = bytes([whole[-1] ^ 1])
    changed = x509.load_der_x509_certificate(whole[:-1] + last).public_bytes(Encoding.PEM).decode()
    office.vault.secrets[ROOT_SECRET][-1]["value"] = changed


FAULTS: dict[str, tuple[Callable[[Office], None], ExitCode, str, str]] = {
    "may not sign": (without("Crypto User"), ExitCode.PROVISION, "ForbiddenByRbac", "Key Vault Crypto User"),
    "may not read": (without("Secrets Officer"), ExitCode.PROVISION, "ForbiddenByRbac", "Key Vault Secrets Officer"),
    "disabled key": (
        lambda office: setattr(office.vault.keys[0], "enabled", False),
        ExitCode.PROVISION,
        "disabled key",
        "az keyvault key set-attributes",
    ),
    "no key": (lambda office: office.vault.keys.clear(), ExitCode.PROVISION, "no key of the authority", "vaern up"),
    "another network": (
        lambda office: setattr(office.vault, "reachable", False),
        ExitCode.UNREACHABLE,
        "ForbiddenByConnection",
        "virtual network",
    ),
    "logged out": (
        lambda office: office.log_in(LOGGED_OUT),
        ExitCode.PROVISION,
        "Please run 'az login'",
        "az login --tenant",
    ),
    "another tenant": (
        lambda office: setattr(office.vault, "tenant", "00000000-0000-4000-8000-00000000000f"),
        ExitCode.PROVISION,
        "00000000-0000-4000-8000-00000000000f",
        "az login --tenant 00000000-0000-4000-8000-000000000002",
    ),
    "another's root": (another_root, ExitCode.SETUP, "not the root of its key", "list-versions"),
    "changed root": (changed_root, ExitCode.SETUP, "not the root of its key", "list-versions"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_stops_the_authority_is_named_with_what_to_do(office: Office, fault: str) -> None:
    office.signer().authority()
    break_it, code, what, fix = FAULTS[fault]
    break_it(office)
    with pytest.raises(VaernError) as refused:
        office.signer().sign(request_for(NAME), name=NAME, addresses=ADDRESSES)
    assert (refused.value.exit_code, refused.value.what.count("\n")) == (code, 0)
    assert what in refused.value.what
    assert fix in refused.value.fix


@pytest.mark.parametrize(
    ("key", "said"),
    [
        (Key("authority", "P-256", ("sign", "verify")), "not on P-384"),
        (Key("authority", "P-384", ("verify",)), "KeyOperationForbidden"),
        (Key("another", "P-384", ("sign", "verify")), "no key of the authority"),
    ],
    ids=["curve", "operation", "name"],
)
def test_a_vault_that_is_not_the_stacks_is_refused_before_anything_is_kept(office: Office, key: Key, said: str) -> None:
    office.vault.keys[:] = [key]
    with pytest.raises(VaernError, match=said) as refused:
        office.signer().authority()
    assert refused.value.fix
    assert office.vault.secrets == {}


def test_a_deleted_root_is_recovered_not_made_anew(office: Office) -> None:
    office.signer().authority()
    office.vault.deleted.add(ROOT_SECRET)
    with pytest.raises(VaernError, match="deleted root") as refused:
        office.signer().authority()
    assert "az keyvault secret recover" in refused.value.fix


def test_a_signature_that_is_not_the_keys_never_gets_into_a_certificate(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    signer = office.signer()
    signer.authority()
    monkeypatch.setattr(KeyVault, "sign", lambda *_: bytes([1] * 96))
    with pytest.raises(SetupError, match="not its key's"):
        signer.sign(request_for(NAME), name=NAME, addresses=())


def test_the_key_gives_nothing_away(office: Office) -> None:
    vault = KeyVault(Names.of(office.deployment).vault_address(), "authority", tenant="")
    key = SigningKey(vault, vault.key())
    calls: list[Callable[[], object]] = [
        key.private_numbers,
        lambda: key.private_bytes(Encoding.PEM, None, None),  # type: ignore[arg-type]
        lambda: key.exchange(ec.ECDH(), key.public_key()),
        lambda: key.sign(b"", ec.ECDSA(SHA256())),
    ]
    for call in calls:
        with pytest.raises(TypeError, match="does nothing else"):
            call()
