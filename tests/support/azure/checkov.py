"""checkov over templates, and its findings held against the written exceptions (`azure/exceptions.yml`)."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

import vaern_stacks

EXCEPTIONS = Path(vaern_stacks.__file__).parent / "azure" / "exceptions.yml"


@dataclass(frozen=True, order=True)
class Finding:
    """One check one resource fails."""

    check: str
    resource: str
    title: str = ""


@dataclass(frozen=True)
class Allowed:
    """One written exception."""

    check: str
    resource: str
    reason: str

    def covers(self, finding: Finding) -> bool:
        return finding.check == self.check and fnmatchcase(finding.resource, self.resource)


def exceptions() -> list[Allowed]:
    return [Allowed(**one) for one in yaml.safe_load(EXCEPTIONS.read_text(encoding="utf-8"))["exceptions"]]


def scan(checkov: Path, files: Sequence[Path]) -> tuple[list[Finding], dict[str, Any]]:
    """What fails in the templates, and checkov's own summary. Nothing is fetched or sent."""
    words = [str(checkov), "--framework", "arm", "--skip-download", "--output", "json", "--quiet"]
    done = subprocess.run(
        [*words, "--file", *map(str, files)],
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        answer = json.loads(done.stdout)
        failed = answer["results"]["failed_checks"]
    except (ValueError, KeyError, TypeError) as error:
        raise AssertionError(
            f"checkov ended with {done.returncode}: {done.stdout[-500:]} {done.stderr[-500:]}"
        ) from error
    return sorted(Finding(one["check_id"], one["resource"], one["check_name"]) for one in failed), answer["summary"]


def without_reason(found: Iterable[Finding], written: Sequence[Allowed]) -> list[Finding]:
    """Findings no exception covers."""
    return [one for one in found if not any(exception.covers(one) for exception in written)]


def not_needed(found: Sequence[Finding], written: Iterable[Allowed]) -> list[Allowed]:
    """Exceptions that cover no finding."""
    return [exception for exception in written if not any(exception.covers(one) for one in found)]
