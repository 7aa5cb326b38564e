"""Enrol: every host makes its own keys; what is public comes back, a certificate goes out.

One ssh command a host makes what is missing (WireGuard key, TLS key) and answers with public key, certificate request
and the certificate it has. Only when that certificate will not do, a second one brings the new one. Nothing but
openssl is needed on the host, which every Debian has: the roles have not run yet. A run that dies anywhere is finished
by running it again: a key that is there is never made anew.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vaern import ssh
from vaern.errors import ConfigureError
from vaern.model.naming import INTERFACE
from vaern.model.progress import Tell
from vaern.paths import Project
from vaern.secret_store import SecretStore
from vaern.signer import Signer, subject_names

if TYPE_CHECKING:
    from cryptography import x509

HEADER = "# Written by enrolment: public keys and certificates, made on the hosts. Nothing in it is secret.\n---\n"
PUBLIC_KEY = re.compile(r"^[A-Za-z0-9+/]{43}=$")
"""What a host answers becomes a variable of Ansible, so anything else than a key is refused."""
RENEW_AFTER = 2 / 3
"""Part of its life after which a certificate is renewed; the rest is for noticing that renewal fails."""

# Written in octal: the PKCS #8 header of X25519 (RFC 8410), which openssl wants before the 32 bytes WireGuard keeps.
MAKE = r"""
set -eu
umask 077
command -v openssl >/dev/null || { echo "openssl is not installed" >&2; exit 1; }
getent group vaern-pki >/dev/null || groupadd --system vaern-pki
install -d -m 0755 /etc/vaern
install -d -m 0750 -o root -g vaern-pki /etc/vaern/pki
cd /etc/vaern/pki
if [ ! -s host.key ]; then
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out host.key.new
  mv host.key.new host.key
fi
chown root:vaern-pki host.key
chmod 0640 host.key
echo "== wireguard"
if [ "$wireguard" = yes ]; then
  install -d -m 0700 /etc/wireguard
  tunnel=/etc/wireguard/$interface.key
  if [ ! -s "$tunnel" ]; then
    openssl genpkey -algorithm X25519 -outform DER | tail -c 32 | base64 >"$tunnel.new"
    mv "$tunnel.new" "$tunnel"
  fi
  chmod 0600 "$tunnel"
  { printf '\060\056\002\001\000\060\005\006\003\053\145\156\004\042\004\040'; base64 -d <"$tunnel"; } \
    | openssl pkey -inform DER -pubout -outform DER | tail -c 32 | base64
fi
echo "== request"
openssl req -new -key host.key -subj "/CN=$name"
echo "== certificate"
cat host.crt 2>/dev/null || true
echo "== authority"
cat ca.crt 2>/dev/null || true
"""

DELIVER = r"""
set -eu
umask 022
cd /etc/vaern/pki
cat >ca.crt.new <<'END'
{authority}END
cat >host.crt.new <<'END'
{certificate}END
mv ca.crt.new ca.crt
mv host.crt.new host.crt
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A host to enrol: its inventory name, the addresses its certificate is for, and whether it is a WireGuard peer."""

    name: str
    addresses: tuple[str, ...]
    wireguard: bool


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What enrolment ended with. `variables` is the content of the record, as Ansible reads it."""

    renewed: tuple[str, ...]
    """Hosts that got a certificate in this run."""
    record: Path
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """What a host said."""

    public_key: str
    request: str
    certificate: str
    authority: str


def enrol(project: Project, subjects: Iterable[Subject], record: Path, signer: Signer, tell: Tell) -> Enrolled:
    """Give each host its keys and a certificate, all hosts at once, and write what is public to `record` (YAML).

    The record holds exactly these hosts. Raises UnreachableError naming a host that does not answer, ConfigureError
    when keys cannot be made there, UsageError when a host asks for a certificate it must not have.
    """
    wanted = {subject.name: subject for subject in sorted(subjects, key=lambda subject: subject.name)}
    recorded = read_record(record)
    authority = signer.authority()

    def work(name: str) -> tuple[bool, dict[str, str]]:
        subject = wanted[name]
        answer = ask(project, subject)
        usable = usable_certificate(
            subject, answer, (answer.certificate, recorded.get(name, {}).get("certificate", "")), authority
        )
        certificate = usable or signer.sign(answer.request, name=name, addresses=subject.addresses)
        if answer.certificate != certificate or answer.authority != authority:
            _run(project, name, DELIVER.format(authority=authority, certificate=certificate))
        tell(f"{name}: {'certificate is current' if usable else 'new certificate'}")
        entry = {"certificate": certificate}
        if subject.wireguard:
            entry["wireguard_public_key"] = answer.public_key
        return not usable, entry

    done = ssh.on_each(tuple(wanted), work)
    variables: dict[str, Any] = {"enrolment": {name: entry for name, (_, entry) in done.items()}}
    write_record(record, variables)
    return Enrolled(tuple(name for name, (new, _) in done.items() if new), record, variables)


def preshared_keys(store: SecretStore, pairs: Iterable[str]) -> dict[str, str]:
    """The WireGuard pre-shared key of each pair (`naming.pair_key`), made on first use."""
    return store.get_or_make(pairs, lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def ask(project: Project, subject: Subject) -> Answer:
    """Have a host make what is missing, and read what it has. Raises as `enrol` does."""
    wireguard = "yes" if subject.wireguard else "no"
    settings = f"name={subject.name}\nwireguard={wireguard}\ninterface={INTERFACE}\n"
    return parse_answer(subject, _run(project, subject.name, settings + MAKE))


def parse_answer(subject: Subject, text: str) -> Answer:
    """The answer of MAKE. Raises ConfigureError when it is not one; a host is not trusted to send what it should."""
    sections = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", text, re.DOTALL | re.MULTILINE))
    try:
        answer = Answer(
            sections["wireguard"].strip(), sections["request"], sections["certificate"], sections["authority"]
        )
    except KeyError as error:
        raise ConfigureError(f"{subject.name} answered without {error}", fix="run it again") from error
    if subject.wireguard and not PUBLIC_KEY.match(answer.public_key):
        raise ConfigureError(
            f"{subject.name} sent something that is not a WireGuard public key",
            fix=f"remove /etc/wireguard/{INTERFACE}.key on {subject.name} and enrol it again",
        )
    return answer


def usable_certificate(subject: Subject, answer: Answer, candidates: tuple[str, ...], authority: str) -> str:
    """The first candidate that is ours, for the key, name and addresses of the host, and not old; else empty."""
    from cryptography import x509

    for candidate in filter(None, candidates):
        try:
            certificate = x509.load_pem_x509_certificate(candidate.encode())
            request = x509.load_pem_x509_csr(answer.request.encode())
            issuer = x509.load_pem_x509_certificate(authority.encode())
        except ValueError:
            continue
        if certificate.public_key() == request.public_key() and _will_do(certificate, subject, issuer):
            return candidate
    return ""


def _will_do(certificate: x509.Certificate, subject: Subject, issuer: x509.Certificate) -> bool:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        certificate.verify_directly_issued_by(issuer)
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    start, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    fresh = start <= datetime.now(UTC) < start + (end - start) * RENEW_AFTER
    common = [attribute.value for attribute in certificate.subject]
    return fresh and common == [subject.name] and names == subject_names(subject.name, subject.addresses)


def read_record(record: Path) -> dict[str, dict[str, str]]:
    """Host to its recorded public key and certificate; empty before the first enrolment."""
    import yaml

    try:
        found = yaml.safe_load(record.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    hosts: dict[str, dict[str, str]] = found.get("enrolment", {})
    return hosts


def write_record(record: Path, variables: Mapping[str, Any]) -> None:
    """Write the record, the same bytes for the same keys; an unchanged one is left alone."""
    text = HEADER + _render(variables)
    if record.exists() and record.read_text(encoding="utf-8") == text:
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    temporary = record.with_name(f".{record.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(record)


def _render(variables: Mapping[str, Any]) -> str:
    import yaml

    class Dumper(yaml.SafeDumper):
        """Writes certificates as blocks, so that a diff shows them line by line."""

    def block(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)

    Dumper.add_representer(str, block)
    return yaml.dump(dict(variables), Dumper=Dumper, sort_keys=True, width=200)


def _run(project: Project, host: str, script: str) -> str:
    """Output of a script on a host. Raises UnreachableError, or ConfigureError when the script fails there."""
    done = ssh.run(project, host, "sh -s", stdin=script)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[:300]
        raise ConfigureError(f"{host} could not make its keys: {reason}", fix=f"mend it on {host}, then run it again")
    return done.stdout
