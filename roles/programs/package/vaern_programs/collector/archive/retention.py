"""Deletes files whose retention is over, and keeps a record of each.

    <archive>/<code>/deleted.jsonl

A file with a number of days in its name is kept for that long, any other for the retention of the municipality. Days
are counted from the day on which the file was begun.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
import time
from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from vaern_programs.collector.archive.segments import as_day, blocks, code_of, days, segment_of
from vaern_programs.shared.times import utc


def of_sources(settings: Mapping[str, Any], topic: str) -> dict[bytes, int]:
    """Days of the sources that have a retention of their own, of the municipality a topic belongs to."""
    for tenant in settings["tenants"]:
        if tenant["code"] == code_of(topic):
            return {one["source"].encode(): one["days"] for one in tenant.get("retention_by_source", [])}
    return {}


def delete_expired(settings: Mapping[str, Any], tenant: Mapping[str, Any], seconds: float) -> int:
    """Delete and record files of a municipality past their retention; how many. Raises OSError.

    It takes about `seconds` at most; the rest is due the next time. A municipality that is gone, of which no retention
    is declared, keeps its archive.
    """
    if "retention_days" not in tenant:
        return 0
    today, limit = utc(time.time()).date(), time.monotonic() + seconds
    directory = Path(settings["archive"]["directory"]) / tenant["code"]
    deleted = 0
    for path, kept in due(directory, today, tenant["retention_days"]):
        if time.monotonic() > limit:
            break
        delete(directory, path, kept)
        deleted += 1
    return deleted


def due(directory: Path, today: date, retention_days: int) -> Iterator[tuple[Path, int]]:
    """The files of a municipality whose time is over, oldest first, with their retention in days."""
    for name in reversed(days(directory)):
        day = as_day(name)
        for path in sorted((directory / name).iterdir()):
            segment = segment_of(path.name)
            kept = segment.days if segment and segment.days is not None else retention_days
            if day and day < today - timedelta(days=kept):
                yield path, kept


def delete(directory: Path, path: Path, kept: int) -> None:
    """Delete a file, and its day with the last one; the record is on disk before the file is gone. Raises OSError."""
    record = {
        "time": utc(time.time()).isoformat(timespec="seconds"),
        "file": str(path.relative_to(directory)),
        "reason": f"older than {kept} days",
        **contents(path),
    }
    with (directory / "deleted.jsonl").open("a", encoding="utf-8") as log:
        log.write(json.dumps(record) + "\n")
        log.flush()
        os.fsync(log.fileno())
    path.unlink()
    if not any(path.parent.iterdir()):
        path.parent.rmdir()


def contents(path: Path) -> dict[str, Any]:
    """What a file held: events, bytes, digest, and between which times it was written."""
    size = path.stat().st_size
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        found = []
        if size:
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
                found = list(blocks(view))
    times = [utc(block.written).isoformat(timespec="seconds") for block in (*found[:1], *found[-1:])]
    events = sum(block.lines for block in found)
    return {"events": events, "bytes": size, "sha256": digest, "written": times}
