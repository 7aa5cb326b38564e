"""The record of enrolment: each host's public key and certificate, as YAML that Ansible reads and people review."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEADER = "# Written by enrolment: public keys and certificates, made on the hosts. Nothing in it is secret.\n---\n"


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
