"""What enrolment has put on a host before its roles run, for tests of roles: keys and certificates of a test's own."""

from __future__ import annotations

from collections.abc import Mapping

from support.certificates import Authority, Certificate
from support.lab.hosts import Booted

FOLDER = "/etc/vaern/pki"
MAKE = (
    "groupadd -rf vaern-pki; groupadd -rf vaern-delivery; install -d /etc/vaern; "
    f"install -d -m 0751 -g vaern-pki {FOLDER}"
)


def enrolled(
    lab: Booted, host: str, authority: Authority, own: Certificate, delivery: Certificate | None = None
) -> None:
    """Give a host its key, on a relay also that of its delivery, and what is public of the authority."""
    lab.run(host, MAKE)
    files = pair("host", own) | (pair("delivery", delivery) if delivery else {})
    put(lab, host, files | {"ca.crt": authority.certificate, "revoked.crl": authority.revoked()})


def pair(name: str, own: Certificate) -> dict[str, str]:
    """The files of a key and its certificate."""
    return {f"{name}.key": own.key, f"{name}.crt": own.certificate}


def put(lab: Booted, host: str, files: Mapping[str, str]) -> None:
    """Put files in the folder of keys, each at once, readable for the group whose key it is."""
    for name, text in files.items():
        group, path = "vaern-delivery" if name.startswith("delivery") else "vaern-pki", f"{FOLDER}/{name}"
        command = f"umask 027; cat > {path}.new && chgrp {group} {path}.new && mv {path}.new {path}"
        lab.run(
            host,
            command if name.endswith(".key") else f"umask 022; cat > {path}.new && mv {path}.new {path}",
            stdin=text,
        )
