"""Reads events of one municipality from the archive, for its staff and for access requests (GDPR article 15).

Before it reads, the collector records who asks for what; afterwards it lists what it returned in a manifest. What
arrives is compared with that manifest, and an exported file is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from vaern.archive.civil_numbers import holds_number
from vaern.errors import UnreachableError, UsageError
from vaern.model.declaration import Municipality
from vaern.model.deployment import Deployment
from vaern.model.vocabulary import CprHandling, Target
from vaern.runtime import ssh
from vaern.runtime.bounded_output import Kept
from vaern.runtime.host_answers import load
from vaern.runtime.paths import Project
from vaern.runtime.private_file import write_private
from vaern_programs.shared.answers import EXPORTED, Exported, Manifest
from vaern_programs.shared.broken_lines import mended
from vaern_programs.shared.reports import ALARM_SOURCE, UnfitError

COMMAND = "vaern-archive-export"
AGO = re.compile(r"([1-9][0-9]{0,4})([mhd])")
SEARCH_BYTES = 64 << 20
"""A thousand of the largest events; `--limit` and a shorter period ask for less."""
UNITS = {"m": "minutes", "h": "hours", "d": "days"}


@dataclass(frozen=True, slots=True)
class Request:
    """One query and who makes it. `since` and `until` are about the time a relay received an event."""

    asked_by: str
    case: str = ""
    texts: tuple[str, ...] = ()
    source: str = ""
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 0
    """Highest number of events, newest first; 0 for all of them, oldest first."""


def moment(text: str, now: datetime) -> datetime:
    """Parse a time such as 2026-11-24, 2026-11-24T09:30, or 90m, 24h, 7d before `now`. Without a zone it is UTC.

    Raises UsageError.
    """
    if ago := AGO.fullmatch(text):
        return now - timedelta(**{UNITS[ago[2]]: int(ago[1])})
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"`{text}` is not a time", fix="write 2026-11-24, 2026-11-24T09:30, or how long ago: 90m, 24h or 7d"
        ) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def query_of(municipality: Municipality, request: Request, purpose: str, *, compressed: bool = False) -> dict[str, Any]:
    """The query as the collector reads it. Raises UsageError for a query that cannot match anything."""
    if request.since and request.until and request.since >= request.until:
        raise UsageError("the period ends before it begins", fix="give an earlier start or a later end")
    if request.source and request.source not in _sources(municipality):
        raise UsageError(
            f"{municipality.name} has no source `{request.source}`",
            fix=f"write one of {', '.join(_sources(municipality))}",
        )
    if any(is_taken_out(municipality, text) for text in request.texts):
        token = "run `vaern-cpr-token` on its relay and search for the token"  # noqa: S105 - a pseudonym, no secret
        hashed = municipality.privacy.cpr is CprHandling.HASH
        raise UsageError(
            "civil registration numbers are not in the archive: they are taken out at the site",
            fix=token if hashed else "search for a name, a user or an address instead",
        )
    query = {
        "code": municipality.code,
        "asked_by": request.asked_by,
        "purpose": purpose,
        "case": request.case,
        "texts": list(request.texts),
        "source": request.source,
        "since": request.since.timestamp() if request.since else None,
        "until": request.until.timestamp() if request.until else None,
        "limit": request.limit,
        "newest_first": bool(request.limit),
        "zstd": compressed,
    }
    return {key: value for key, value in query.items() if value}


def is_taken_out(municipality: Municipality, text: str) -> bool:
    """Whether a text holds a civil registration number, and the municipality's sites take those out."""
    return municipality.privacy.cpr is not CprHandling.KEEP and holds_number(text)


def _sources(municipality: Municipality) -> list[str]:
    taps = [f"tap-{tap.name}" for tap in municipality.taps]
    return [source.name for source in municipality.log_sources] + taps + [ALARM_SOURCE]


def search(
    project: Project, deployment: Deployment, municipality: Municipality, request: Request
) -> tuple[list[dict[str, Any]], Manifest]:
    """The newest events that match, and the manifest. Raises UsageError, UnreachableError."""
    found = Kept(SEARCH_BYTES)
    manifest = _run_query(project, deployment, query_of(municipality, request, "search"), found)
    return [_event(line) for line in found.content.splitlines()], manifest


def export(
    project: Project, deployment: Deployment, municipality: Municipality, request: Request, path: Path
) -> dict[str, Any]:
    """Write all events that match to a new file that only its owner can read, with the manifest beside it.

    Raises UsageError, UnreachableError.
    """
    beside = path.with_name(f"{path.name}.manifest.json")
    for wanted in (path, beside):
        if wanted.exists():
            raise UsageError(f"{wanted} is already there", fix="choose another --output, or move it away")
    query = query_of(municipality, request, "export", compressed=path.suffix == ".zst")
    part = path.with_name(f".{path.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}", fix="choose another --output") from error
    try:
        with os.fdopen(descriptor, "wb") as file:
            given = _run_query(project, deployment, query, file.write)
            file.flush()
            os.fsync(file.fileno())
        manifest = {"file": path.name, "municipality": municipality.name, **given}
        write_private(beside, json.dumps(manifest, ensure_ascii=False, indent=2).encode() + b"\n")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return manifest


def stream(
    project: Project,
    deployment: Deployment,
    municipality: Municipality,
    request: Request,
    sink: Callable[[bytes], object],
) -> dict[str, Any]:
    """Hand all events that are asked for to `sink` as they come, and return the manifest.

    Raises UsageError, UnreachableError; when it does, what was handed over is not whole.
    """
    manifest = _run_query(project, deployment, query_of(municipality, request, "export"), sink)
    return {"municipality": municipality.name, **manifest}


def _run_query(
    project: Project, deployment: Deployment, query: dict[str, Any], sink: Callable[[bytes], object]
) -> Manifest:
    """Pass the result to `sink`, check it against the manifest, and return the manifest."""
    if deployment.target is not Target.LAB:
        raise UsageError(
            "the archive of this deployment is in a storage account, not on a collector",
            fix="search it there, in the account of the municipality (docs/azure.md)",
        )
    digest = hashlib.sha256()

    def take(data: bytes) -> None:
        digest.update(data)
        sink(data)

    collector = deployment.collector.name
    code, error_text = ssh.stream(project, collector, COMMAND, json.dumps(query), take)
    exported = answered(collector, code, error_text)
    if exported["sha256"] != digest.hexdigest():
        raise UnreachableError(
            f"{collector}: the events arrived incomplete or changed", fix="run the same command again"
        )
    return {"query": query, **exported}


def answered(collector: str, code: int, error_text: str) -> Exported:
    """What was exported, by the collector's last line. Raises UsageError when refused, UnreachableError if cut off."""
    try:
        last = load(error_text.strip().splitlines()[-1])
    except (IndexError, ValueError):
        last = None
    if code == 0:
        with suppress(UnfitError):
            return EXPORTED.take(last)
    if isinstance(last, dict) and "error" in last:
        raise UsageError(f"{collector} refused: {last['error']}", fix="see roles/collector/README.md, who may read")
    reason = error_text.strip().splitlines()[-1] if error_text.strip() else f"exit code {code}"
    raise UnreachableError(
        f"the answer of {collector} was cut off: {reason}",
        fix="run `vaern up` if its programs are older than this vaern, then the same command again",
    )


def copies(manifest: Mapping[str, Any]) -> str:
    """Text such as `, 2 copies of them left out, 1 broken line`; empty when there were none."""
    left_out, broken = manifest.get("duplicates", 0), manifest.get("broken", 0)
    texts = [f", {left_out} {'copy' if left_out == 1 else 'copies'} of them left out"] if left_out else []
    if broken:
        texts.append(f", {broken} {'line' if broken == 1 else 'lines'} that no JSON parser reads")
    return "".join(texts)


def _event(line: bytes) -> dict[str, Any]:
    try:
        event = load(line.decode(errors="replace"))
    except ValueError:
        event = None
    if isinstance(event, dict):
        return event
    return (mended(line) or {"message": line.decode(errors="replace")}) | {"broken": True}
