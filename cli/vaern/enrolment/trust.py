"""Which authority the hosts trust: one that is lost is never made anew without somebody who knows it.

An authority is known by the digest of its public key. A new one is made when no host trusts any, or when the operator
has named the one that it replaces (`vaern authority --replace`). Otherwise a lost key would cut off every host of every
municipality, one enrolment at a time, and nobody would have decided it.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from pathlib import Path

from vaern.errors import StateError
from vaern.runtime.private_file import folder_lock, write_private

PREFIX = "SHA256:"
DIGEST = re.compile(f"{PREFIX}[0-9a-f]{{64}}")


def key_digest(certificate: str) -> str:
    """Digest of the public key of a certificate (PEM), as `SHA256:` and 64 hex digits; empty for any other text."""
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    try:
        key = x509.load_pem_x509_certificate(certificate.encode()).public_key()
        whole = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, UnsupportedAlgorithm):
        return ""
    return PREFIX + hashlib.sha256(whole).hexdigest()


def check_trust(trusted: Mapping[str, str], own: str, replaced: frozenset[str]) -> None:
    """Raise StateError when a host trusts an authority that is neither ours nor one that was replaced knowingly.

    `trusted` maps a host to the certificate it trusts (PEM), or to an empty text; `own` is ours, empty before it has
    been made; `replaced` are digests.
    """
    ours = key_digest(own)
    foreign: dict[str, list[str]] = {}
    for host, certificate in trusted.items():
        digest = key_digest(certificate)
        if digest and digest != ours and digest not in replaced:
            foreign.setdefault(digest, []).append(host)
    for digest, hosts in foreign.items():
        have = f"the authority here is {ours}" if ours else "there is no authority here"
        raise StateError(
            f"{', '.join(hosts)} {'trusts' if len(hosts) == 1 else 'trust'} the authority {digest}, and {have}",
            fix="restore the folder `pki` of the state directory from its backup; only when that authority is lost for "
            f"good, `vaern authority --replace {digest}`",
        )


def refuse_lost(folder: Path) -> None:
    """Raise StateError when the authority in `folder` has lost its key: that is written before the certificate."""
    key, certificate = folder / "ca.key", folder / "ca.crt"
    if key.exists() or not certificate.exists():
        return
    digest = key_digest(certificate.read_text(encoding="utf-8", errors="replace"))
    fix = f"restore {folder} from its backup"
    raise StateError(
        f"{key} is lost: the key of the authority {digest}".rstrip(),
        fix=f"{fix}; only when the key is lost for good, `vaern authority --replace {digest}`" if digest else fix,
    )


class Replaced:
    """The authorities that the operator has given up, in the folder `pki` of the state."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / "replaced.json"

    def digests(self) -> frozenset[str]:
        """Those given up so far. Raises StateError when their file cannot be read."""
        try:
            found = json.loads(self._file.read_text(encoding="ascii"))
            if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
                raise ValueError("it is no list of digests")
        except FileNotFoundError:
            return frozenset()
        except (OSError, ValueError, RecursionError) as error:
            raise StateError(
                f"{self._file} cannot be read: {error}",
                fix="restore it from its backup, or remove it and name the lost authorities again",
            ) from error
        return frozenset(found)

    def add(self, digest: str) -> list[Path]:
        """Give up the authority with that digest; what is here of it is put aside, and its new place is returned."""
        with folder_lock(self._folder):
            write_private(self._file, json.dumps(sorted({*self.digests(), digest})).encode())
            certificate = self._folder / "ca.crt"
            here = key_digest(certificate.read_text(encoding="utf-8", errors="replace")) if certificate.exists() else ""
            if here != digest:
                return []
            aside = self._folder / f"replaced-{digest.removeprefix(PREFIX)[:12]}"
            aside.mkdir(mode=0o700, exist_ok=True)
            # The certificate is last: without it nothing says that an authority was here.
            found = [self._folder / name for name in ("revoked.crl", "ca.key", "ca.crt")]
            return [path.rename(aside / path.name) for path in found if path.exists()]
