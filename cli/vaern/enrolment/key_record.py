"""The record of enrolment: each host's public key and certificate, as YAML that Ansible reads and people review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vaern.model.deployment import Deployment
from vaern.model.naming import generated_name
from vaern.runtime.paths import Project
from vaern.runtime.yaml_text import dump, load

HEADER = "# Written by enrolment: public keys and certificates, made on the hosts. Nothing in it is secret.\n---\n"


def record_of(project: Project, deployment: Deployment, slug: str) -> Path:
    """Where the public keys of a municipality, or of the hubs (`shared`), are recorded."""
    return project.municipality(slug) / "group_vars" / "all" / generated_name(deployment.target, "keys")


def read_record(record: Path) -> dict[str, dict[str, str]]:
    """Host to its recorded public key and certificate; empty before the first enrolment."""
    try:
        found = load(record.read_text(encoding="utf-8")) or {}
    except FileNotFoundError:
        return {}
    hosts: dict[str, dict[str, str]] = found.get("enrolment", {})
    return hosts


def write_record(record: Path, variables: Mapping[str, Any]) -> None:
    """Write the record, the same bytes for the same keys; an unchanged record is not touched."""
    # Certificates as blocks, so that a diff shows them line by line.
    text = HEADER + dump(dict(variables), lambda text: "|" if "\n" in text else None, width=200, sort_keys=True)
    if record.exists() and record.read_text(encoding="utf-8") == text:
        return
    record.parent.mkdir(parents=True, exist_ok=True)
    temporary = record.with_name(f".{record.name}.new")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(record)
