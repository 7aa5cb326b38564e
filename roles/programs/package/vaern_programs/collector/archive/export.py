"""Exports the events of one municipality that match a query, and records who asked for them.

    vaern-archive-export < query.json > events.jsonl 2> manifest.json
    vaern-archive-export --accesses 0710        whether the record of accesses is whole

The query is {"code", "asked_by", "case", "purpose", "texts", "source", "since", "until", "limit", "newest_first",
"zstd"}; all but code and asked_by may be left out. It is read from standard input, so that a name that is searched for
is left in no list of processes. Events are written as they are in the archive, one a line and each once: copies, which
a relay that repairs may deliver, are left out and counted in `duplicates`; what is written and is no JSON is counted in
`broken`. The manifest is one line on standard error.
Exit code 0 when all of it was written, 2 with {"error"} on standard error when not.
Whoever is in the group vaern-<code> can read the archive of that municipality and of no other.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import zstandard

from vaern_programs.collector.archive.access import NAME, first_break, record
from vaern_programs.collector.archive.query import Query, select
from vaern_programs.shared.answers import Manifest
from vaern_programs.shared.broken_lines import event_of
from vaern_programs.shared.collector_paths import ARCHIVE
from vaern_programs.shared.times import utc
from vaern_programs.shared.view import View

KEYS: dict[str, type | tuple[type, ...]] = {
    "code": str,
    "asked_by": str,
    "case": str,
    "purpose": str,
    "texts": list,
    "source": str,
    "since": (int, float),
    "until": (int, float),
    "limit": int,
    "newest_first": bool,
    "zstd": bool,
}
LONGEST = 16384
"""Bytes of a query."""


class RefusedError(Exception):
    """The query cannot be answered; the text says why."""


class Output:
    """The file that events are written to: counted, digested, and compressed if the query wants that."""

    def __init__(self, file: Any, *, compressed: bool) -> None:
        self.file = file
        self.compressor = zstandard.ZstdCompressor(level=6).compressobj() if compressed else None
        self.events = self.broken = self.bytes = 0
        self.lines = hashlib.sha256()
        self.written = hashlib.sha256()

    def line(self, line: bytes) -> None:
        """One event."""
        self.events += 1
        self.broken += event_of(line) is None
        self.lines.update(line + b"\n")
        self._write(self.compressor.compress(line + b"\n") if self.compressor else line + b"\n")

    def close(self) -> None:
        """What is still held back is written."""
        if self.compressor:
            self._write(self.compressor.flush())
        self.file.flush()

    def _write(self, data: bytes) -> None:
        self.bytes += len(data)
        self.written.update(data)
        self.file.write(data)


def read_query(text: str) -> dict[str, Any]:
    """The query, every key of it known. Raises RefusedError."""
    try:
        request = json.loads(text)
    except (ValueError, RecursionError):
        request = None
    if not isinstance(request, dict) or len(text.encode()) > LONGEST:
        raise RefusedError("the query is not a JSON object of at most 16 KiB")
    for key, value in request.items():
        if value is not None and not (key in KEYS and isinstance(value, KEYS[key])):
            raise RefusedError(f"the query has a wrong value for {key}, or there is no such key")
    if not (
        len(request.get("code") or "") == 4 and request["code"].isdecimal() and (request.get("asked_by") or "").strip()
    ):
        raise RefusedError("the query needs code, four digits, and asked_by")
    if not all(isinstance(one, str) and one for one in request.get("texts") or []):
        raise RefusedError("texts takes texts that are not empty")
    return {key: value for key, value in request.items() if value is not None}


def answer(archive: Path, request: dict[str, Any], file: Any) -> Manifest:
    """Write the events; the manifest. Raises OSError, RefusedError."""
    directory = archive / request["code"]
    if not directory.is_dir():
        raise RefusedError(f"there is no archive of {request['code']} here")
    begun = time.time()
    access = record(directory, {"access": "begun", "query": request})
    output = Output(file, compressed=request.get("zstd", False))
    taken = request.get("limit")
    view = View()
    found = view.of(events(directory, request))
    for line in islice(found, taken):
        output.line(line)
    # One event more than the limit shows that there are more.
    whole = taken is None or next(found, None) is None
    output.close()
    counts = {
        "complete": whole,
        "events": output.events,
        "broken": output.broken,
        "duplicates": view.duplicates,
        "sha256_of_lines": output.lines.hexdigest(),
    }
    done = utc(time.time()).isoformat(timespec="seconds")
    ended = record(directory, {"access": "ended", "begun": access, **counts})
    return {
        "query": request,
        "complete": whole,
        "events": output.events,
        "broken": output.broken,
        "duplicates": view.duplicates,
        "bytes": output.bytes,
        "sha256": output.written.hexdigest(),
        "sha256_of_lines": output.lines.hexdigest(),
        "begun": utc(begun).isoformat(timespec="seconds"),
        "ended": done,
        "access": access,
        "access_ended": ended,
    }


def events(directory: Path, request: dict[str, Any]) -> Iterator[bytes]:
    """The lines that match a query."""
    return select(
        directory,
        Query(
            texts=tuple(request.get("texts", ())),
            source=request.get("source"),
            since=request.get("since"),
            until=request.get("until"),
            newest_first=request.get("newest_first", False),
        ),
    )


def main(arguments: list[str]) -> int:
    """Answer one query, or look through the record of accesses."""
    parser = argparse.ArgumentParser(prog="vaern-archive-export", description="Events of one municipality, recorded")
    parser.add_argument("--accesses", metavar="CODE", help="say whether the record of accesses is whole")
    parser.add_argument("--archive", type=Path, default=ARCHIVE, help="directory of the archive")
    options = parser.parse_args(arguments)
    try:
        if options.accesses:
            lines = (options.archive / options.accesses / NAME).read_bytes().splitlines()
            broken = first_break(lines)
            print(json.dumps({"lines": len(lines), "whole": broken is None, "first_break": broken}))
            return 0 if broken is None else 1
        request = read_query(sys.stdin.read(LONGEST + 1))
        manifest = answer(options.archive, request, sys.stdout.buffer)
    except (OSError, RefusedError) as error:
        print(json.dumps({"error": str(error)}), file=sys.stderr)
        return 2
    print(json.dumps(manifest, ensure_ascii=False), file=sys.stderr)
    return 0
