"""What a host is asked for its keys: scripts that it runs, and its answer.

One command makes the missing keys of a host (WireGuard, TLS) and returns its public key, certificate requests and
current certificates; a second one delivers new ones. The host needs only openssl, which every Debian has, since the
roles have not run yet. An existing key is never replaced.

A relay has two keys: one of its rsyslog, which reads what anybody sends, and one of its delivery, which alone the
broker lets in (decision 55). A relay of a version before that has one. It keeps a certificate that the broker lets in
until its delivery shows its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from vaern.enrolment.certificates import DELIVERY, HOST, SHIPPER, Use
from vaern.enrolment.key_record import PUBLIC_KEY
from vaern.errors import ConfigureError
from vaern.model.naming import INTERFACE
from vaern.runtime import ssh
from vaern.runtime.paths import Project

SECONDS = re.compile(r"[0-9]{1,12}")
"""Since 1970, by a host's clock; so far that no number is too large to compute with."""

# Written in octal: the PKCS #8 header of X25519 (RFC 8410), which openssl wants before the 32 bytes WireGuard keeps.
MAKE = r"""
set -eu
umask 077
command -v openssl >/dev/null || { echo "openssl is not installed" >&2; exit 1; }
make_key() { # NAME GROUP
  getent group "$2" >/dev/null || groupadd --system "$2"
  if [ ! -s "$1.key" ]; then
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key.new"
    mv "$1.key.new" "$1.key"
  fi
  chown "root:$2" "$1.key"
  chmod 0640 "$1.key"
}
getent group vaern-pki >/dev/null || groupadd --system vaern-pki
install -d -m 0755 /etc/vaern
install -d -m 0751 -o root -g vaern-pki /etc/vaern/pki
cd /etc/vaern/pki
make_key host vaern-pki
[ "$delivers" = no ] || make_key delivery vaern-delivery
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
if [ "$delivers" = yes ]; then
  echo "== delivery_request"
  openssl req -new -key delivery.key -subj "/CN=$name"
  echo "== delivery_certificate"
  cat delivery.crt 2>/dev/null || true
  echo "== shares"
  process=/proc/$(systemctl show --property MainPID --value vaern-delivery.service 2>/dev/null || echo 0)
  if grep -qs '"/etc/vaern/pki/host.key"' /etc/vaern/log_shipper/spool.json ||
    [ "$(stat -c %U "$process" 2>/dev/null)" = vaern-relay ]; then
    echo yes
  fi
fi
echo "== authority"
cat ca.crt 2>/dev/null || true
echo "== clock"
date +%s
echo "== revoked"
cat revoked.crl 2>/dev/null || true
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """A host to enrol: its inventory name, the addresses its certificate is for, and what it does."""

    name: str
    addresses: tuple[str, ...]
    wireguard: bool
    """Whether it is a WireGuard peer."""
    delivers: bool = False
    """Whether it is a relay that shows a certificate to the broker."""


@dataclass(frozen=True, slots=True)
class HostKey:
    """A TLS key of a host: what it is for, its request, and the certificate it has now (PEM, or empty)."""

    use: Use
    request: str
    certificate: str


@dataclass(frozen=True, slots=True)
class HostAnswer:
    """A host's answer: public key of its tunnel, authority and revoked certificates (PEM), and its TLS keys."""

    public_key: str
    authority: str
    revoked: str
    ahead: timedelta
    """By how much the host's clock was ahead of this machine's, when it answered."""
    keys: Mapping[str, HostKey]
    """By the name that the certificate of each has in the record."""
    shares: bool = False
    """Whether the delivery of a relay still shows the certificate of its rsyslog, as before it had its own."""

    def files(self) -> dict[str, str]:
        """What is in its folder now, as `delivered` takes it."""
        certificates = {f"{key.use.file}.crt": key.certificate for key in self.keys.values()}
        return {"revoked.crl": self.revoked, "ca.crt": self.authority, **certificates}


def read_host(project: Project, subject: Subject) -> HostAnswer:
    """Make the missing keys on a host, and return its public parts. Raises as `enrolling.enrol` does."""
    asked = {"wireguard": subject.wireguard, "delivers": subject.delivers}
    settings = "".join(f"{name}={'yes' if value else 'no'}\n" for name, value in asked.items())
    script = f"name={subject.name}\ninterface={INTERFACE}\n{settings}{MAKE}"
    return parse_answer(subject, run_script(project, subject.name, script), datetime.now(UTC))


def parse_answer(subject: Subject, text: str, now: datetime) -> HostAnswer:
    """Parse the answer of MAKE. Raises ConfigureError for anything unexpected, since a host is not trusted."""
    sections = dict(re.findall(r"^== (\w+)\n(.*?)(?=^== |\Z)", text, re.DOTALL | re.MULTILINE))
    try:
        shares = subject.delivers and sections["shares"].strip() == "yes"
        own = HOST if shares or not subject.delivers else SHIPPER
        keys = {"certificate": HostKey(own, sections["request"], sections["certificate"])}
        if subject.delivers:
            request, certificate = sections["delivery_request"], sections["delivery_certificate"]
            keys["delivery_certificate"] = HostKey(DELIVERY, request, certificate)
        answer = HostAnswer(
            sections["wireguard"].strip(),
            sections["authority"],
            sections["revoked"],
            _ahead(sections["clock"], now),
            keys,
            shares,
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


def delivered(files: Mapping[str, str]) -> str:
    """The script that puts these files (PEM, by their names) in the folder of keys, each whole or not at all."""
    written = "".join(f"cat >{name}.new <<'END'\n{text}END\n" for name, text in files.items())
    moved = "".join(f"mv {name}.new {name}\n" for name in files)
    return f"set -eu\numask 022\ncd /etc/vaern/pki\n{written}{moved}"


def run_script(project: Project, host: str, script: str) -> str:
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
