"""Enrol: every host makes its own keys, returns the public ones, and gets a certificate.

One ssh command makes the missing keys of a host (WireGuard, TLS) and returns its public key, certificate request and
current certificate. Only when that certificate is no longer usable, a second command delivers a new one. The host needs
only openssl, which every Debian has, since the roles have not run yet. An interrupted run is finished by running it
again: an existing key is never replaced.
"""

from __future__ import annotations

import base64
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vaern.enrolment.certificates import has_key_of, is_usable
from vaern.enrolment.clocks import check_clocks, made_at
from vaern.enrolment.key_record import PUBLIC_KEY, read_record, write_record
from vaern.enrolment.revocation import serial_of, serials
from vaern.enrolment.signer import Signer
from vaern.enrolment.trust import Replaced, check_trust
from vaern.errors import ConfigureError
from vaern.model.naming import INTERFACE
from vaern.model.progress import OnProgress
from vaern.runtime import ssh
from vaern.runtime.paths import Project
from vaern.runtime.secret_store import SecretStore, folder_of

SECONDS = re.compile(r"[0-9]{1,12}")
"""Since 1970, by a host's clock; so far that no number is too large to compute with."""

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
echo "== clock"
date +%s
echo "== revoked"
cat revoked.crl 2>/dev/null || true
"""

DELIVER = r"""
set -eu
umask 022
cd /etc/vaern/pki
cat >ca.crt.new <<'END'
{authority}END
cat >host.crt.new <<'END'
{certificate}END
cat >revoked.crl.new <<'END'
{revoked}END
mv revoked.crl.new revoked.crl
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
    """The result of an enrolment. `variables` is the content of the record, as Ansible is given it."""

    renewed: tuple[str, ...]
    """Hosts that got a certificate in this run."""
    record: Path
    variables: dict[str, Any]


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A host's answer: public key, request, certificate, authority and revoked certificates; all but the first PEM."""

    public_key: str
    request: str
    certificate: str
    authority: str
    revoked: str
    ahead: timedelta
    """By how much the host's clock was ahead of this machine's, when it answered."""


def enrol(
    project: Project, subjects: Iterable[Subject], record: Path, signer: Signer, on_progress: OnProgress
) -> Enrolled:
    """Give each host its keys and a certificate, all hosts at once, and write what is public to `record` (YAML).

    The record holds exactly these hosts. What it held of others, and of keys that a host has no more, is revoked.
    Raises UnreachableError naming a host that does not answer, ConfigureError when keys cannot be made there,
    UsageError when a host asks for a certificate it must not have, StateError when this machine's clock or authority
    cannot be the one that the hosts have.
    """
    wanted = {subject.name: subject for subject in sorted(subjects, key=lambda subject: subject.name)}
    recorded = read_record(record)
    answers = ssh.on_each(tuple(wanted), lambda name: read_host(project, wanted[name]))
    before_anything_is_made(answers, recorded, signer.known(), Replaced(folder_of(project)).digests())
    authority = signer.authority()
    revoked = signer.revoked(superseded(recorded, answers))

    def work(name: str) -> tuple[bool, dict[str, str]]:
        subject, answer = wanted[name], answers[name]
        candidates = (answer.certificate, recorded.get(name, {}).get("certificate", ""))
        usable = usable_certificate(subject, answer.request, candidates, authority, revoked)
        certificate = usable or signer.sign(answer.request, name=name, addresses=subject.addresses)
        if (answer.certificate, answer.authority, answer.revoked) != (certificate, authority, revoked):
            _run(project, name, DELIVER.format(authority=authority, certificate=certificate, revoked=revoked))
        on_progress(f"{name}: {'certificate is current' if usable else 'new certificate'}")
        entry = {"certificate": certificate}
        if subject.wireguard:
            entry["wireguard_public_key"] = answer.public_key
        return not usable, entry

    done = ssh.on_each(tuple(wanted), work)
    variables: dict[str, Any] = {"enrolment": {name: entry for name, (_, entry) in done.items()}}
    write_record(record, variables)
    return Enrolled(tuple(name for name, (new, _) in done.items() if new), record, variables)


def before_anything_is_made(
    answers: Mapping[str, HostAnswer], recorded: Mapping[str, Mapping[str, str]], own: str, replaced: frozenset[str]
) -> None:
    """Raise StateError when clocks differ, or when hosts trust another authority than `own` (PEM) and the replaced."""
    certificates = {name: entry.get("certificate", "") for name, entry in recorded.items()} | {"the authority": own}
    check_clocks(datetime.now(UTC), {host: answer.ahead for host, answer in answers.items()}, made_at(certificates))
    check_trust({host: answer.authority for host, answer in answers.items()}, own, replaced)


def preshared_keys(store: SecretStore, pairs: Iterable[str]) -> dict[str, str]:
    """The WireGuard pre-shared key of each pair (`naming.pair_key`), made on first use."""
    return store.get_or_make(pairs, lambda: base64.b64encode(secrets.token_bytes(32)).decode())


def read_host(project: Project, subject: Subject) -> HostAnswer:
    """Make the missing keys on a host, and return its public parts. Raises as `enrol` does."""
    wireguard = "yes" if subject.wireguard else "no"
    settings = f"name={subject.name}\nwireguard={wireguard}\ninterface={INTERFACE}\n"
    text = _run(project, subject.name, settings + MAKE)
    return parse_answer(subject, text, datetime.now(UTC))


def parse_answer(subject: Subject, text: str, now: datetime) -> HostAnswer:
    """Parse the answer of MAKE. Raises ConfigureError for anything unexpected, since a host is not trusted."""
    sections = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", text, re.DOTALL | re.MULTILINE))
    try:
        answer = HostAnswer(
            sections["wireguard"].strip(),
            sections["request"],
            sections["certificate"],
            sections["authority"],
            sections["revoked"],
            _ahead(sections["clock"], now),
        )
    except KeyError as error:
        raise ConfigureError(f"{subject.name} answered without {error}", fix="run the same command again") from error
    # The answer becomes an Ansible variable, so anything other than a key is refused.
    if subject.wireguard and not PUBLIC_KEY.fullmatch(answer.public_key):
        raise ConfigureError(
            f"{subject.name} sent something that is not a WireGuard public key",
            fix=f"remove /etc/wireguard/{INTERFACE}.key on {subject.name} and enrol it again",
        )
    return answer


def usable_certificate(subject: Subject, request: str, candidates: Iterable[str], authority: str, revoked: str) -> str:
    """The first certificate that is usable and not revoked, else empty.

    Candidates (PEM, or empty) are the host's own, and the recorded one for a run that died before it was delivered.
    """
    refused = serials(revoked)
    for candidate in filter(None, candidates):
        usable = is_usable(candidate, request, authority, name=subject.name, addresses=subject.addresses)
        if usable and serial_of(candidate) not in refused:
            return candidate
    return ""


def superseded(recorded: Mapping[str, Mapping[str, str]], answers: Mapping[str, HostAnswer]) -> list[str]:
    """The recorded certificates (PEM) that nobody may use any more: of hosts that are gone, and of a key that is.

    A renewed certificate is for the same key as the one before, so both hold until that one ends: revoking it would
    stop nobody who has the key, and would cut off a relay that has not yet taken the new one into use. Only what is
    recorded counts, never what a host says of itself: a host could send the certificate of another.
    """
    known = {name: entry["certificate"] for name, entry in recorded.items() if entry.get("certificate")}
    return [
        certificate
        for name, certificate in known.items()
        if name not in answers or not has_key_of(certificate, answers[name].request)
    ]


def _run(project: Project, host: str, script: str) -> str:
    """Output of a script on a host. Raises UnreachableError, or ConfigureError when the script fails there."""
    done = ssh.run(project, host, "sh -s", stdin=script)
    if done.returncode != 0:
        reason = " ".join(done.stderr.split())[:300]
        raise ConfigureError(
            f"{host} could not make its keys: {reason}", fix=f"repair it on {host}, then run the same command again"
        )
    return done.stdout


def _ahead(text: str, now: datetime) -> timedelta:
    """How far a clock, in seconds since 1970, is ahead of `now`. Raises KeyError for what no clock shows."""
    if not SECONDS.fullmatch(text.strip()):
        raise KeyError("a clock")
    return timedelta(seconds=int(text) - int(now.timestamp()))
