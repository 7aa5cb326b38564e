"""The record of enrolment: each host's public key and certificate, as YAML that people review and every run reads."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaern.errors import ConfigureError
from vaern.model.deployment import Deployment
from vaern.model.naming import generated_name
from vaern.runtime.paths import Project
from vaern.runtime.whole_file import replace_whole
from vaern.runtime.yaml_text import YAMLError, dump, load

HOST = re.compile(r"[a-z][a-z0-9-]{0,62}")
PUBLIC_KEY = re.compile(r"[A-Za-z0-9+/]{43}=")
"""A WireGuard public key."""
CERTIFICATE = re.compile(r"(-----BEGIN CERTIFICATE-----\n[A-Za-z0-9+/=\n]+-----END CERTIFICATE-----\n?)+")
VALUES = {"wireguard_public_key": PUBLIC_KEY, "certificate": CERTIFICATE, "delivery_certificate": CERTIFICATE}
CERTIFICATES = ("certificate", "delivery_certificate")
"""What the certificates of a host are called here: its own, and that of a relay's delivery."""
HEADER = "# Written by enrolment: public keys and certificates, made on the hosts. Nothing in it is secret.\n---\n"


def record_of(project: Project, deployment: Deployment, slug: str) -> Path:
    """Where the public keys of a municipality, or of the hubs (`shared`), are recorded."""
    return project.municipality(slug) / "group_vars" / "all" / generated_name(deployment.target, "keys")


def read_record(record: Path) -> dict[str, dict[str, str]]:
    """Host to its recorded public key and certificate; empty before the first enrolment.

    The approval does not cover the record and Ansible is given its values, so each has to be what it is called: a text
    with a template in it would be run on the control node. Raises ConfigureError for anything else.
    """
    try:
        found = load(record.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (YAMLError, UnicodeDecodeError) as error:
        raise _not_a_record(record, f"this is not YAML: {' '.join(str(error).split())[:120]}") from error
    hosts = found.get("enrolment") if isinstance(found, dict) and set(found) == {"enrolment"} else None
    if not isinstance(hosts, dict):
        raise _not_a_record(record, "only `enrolment:` with hosts below it is kept here")
    for host, entry in hosts.items():
        _require_entry(record, host, entry)
    return hosts


def certificates_of(entry: Mapping[str, str]) -> list[str]:
    """Every certificate (PEM) that is recorded of a host."""
    return [entry[kind] for kind in CERTIFICATES if entry.get(kind)]


def _require_entry(record: Path, host: Any, entry: Any) -> None:
    if not isinstance(host, str) or not HOST.fullmatch(host) or not isinstance(entry, dict):
        raise _not_a_record(record, f"{str(host)[:60]!r} is not a host with its keys")
    for key, value in entry.items():
        shape = VALUES.get(key) if isinstance(key, str) else None
        if shape is None or not isinstance(value, str) or not shape.fullmatch(value):
            raise _not_a_record(record, f"{host}: {str(key)[:40]!r} is {str(value)[:60]!r}, which no enrolment records")


def _not_a_record(record: Path, found: str) -> ConfigureError:
    slug = record.parents[2].name
    fix = f"restore it with `git checkout`, or delete it and run `vaern onboard {slug}`, which records it anew"
    return ConfigureError(f"{record}: {found}", fix=fix)


def write_record(record: Path, variables: Mapping[str, Any]) -> None:
    """Write the record, the same bytes for the same keys; an unchanged record is not touched."""
    # Certificates as blocks, so that a diff shows them line by line.
    text = HEADER + dump(dict(variables), lambda text: "|" if "\n" in text else None, width=200, sort_keys=True)
    if record.exists() and record.read_text(encoding="utf-8") == text:
        return
    replace_whole(record, text.encode(), record.parents[3])
