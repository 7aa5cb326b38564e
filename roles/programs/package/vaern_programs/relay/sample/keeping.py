"""The sample of each declared source, beside the spool: read, added to and bounded.

    <spool>/sample/<source>.jsonl    lines, each an object with what `choosing.Line` names
    <spool>/sample/looked.json       {"day": "2026-11-30", "ends": {"<digest of a segment>": <bytes looked at>}}

Only what the spool has, which is masked, is read, never what comes in. A round looks at eight MiB at most; when more
has come since, at pieces of that size in all, spread over it. The folder is made by the role, for the delivery's user
alone.
"""

from __future__ import annotations

import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple

from vaern_programs.relay.cpr import cleaned, masked
from vaern_programs.relay.sample.choosing import Line, bytes_of, chosen, line_of, row
from vaern_programs.relay.spool.index import LONGEST, digest_of, opened
from vaern_programs.shared.files import read_json, replace
from vaern_programs.shared.identity import last_event
from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.reports import EVENT_BYTES

FOLDER, LOOKED = "sample", "looked.json"
OUR_OWN = {"vaern", "relay", "tap"}
"""Kinds of what hosts of ours say: no device's lines."""
NAME = re.compile("[a-z][a-z0-9-]{0,40}")
ROUND_BYTES = 8 * 2**20
PIECE_BYTES = 2**18


class News(NamedTuple):
    """A segment, what it is known by, and from where to where it has not been looked at."""

    path: Path
    digest: str
    start: int
    end: int


def keep(spool: Path, settings: dict[str, Any], today: date) -> None:
    """Take what has come into the spool into the samples, and drop what is too old or no longer declared.

    Args:
        spool: its folder.
        settings: of the reader, which name the sources.
        today: in UTC.

    Does nothing before the role has made the folder. Raises OSError when a sample cannot be written.
    """
    folder = spool / FOLDER
    if not folder.is_dir():
        return
    names = sampled(settings)
    for path in folder.iterdir():
        if path.name != LOOKED and not (path.suffix == ".jsonl" and path.stem in names):
            path.unlink(missing_ok=True)
    looked = read_json(folder / LOOKED, {})
    news = list(_news(spool, looked.get("ends", {}) if isinstance(looked, dict) else {}))
    found = _lines(news, names, hide=settings["cpr"] == "keep")
    again = not isinstance(looked, dict) or looked.get("day") != today.isoformat()
    for name in sorted(names if again else found):
        before = read(folder / f"{name}.jsonl")
        after = chosen([*before, *found.get(name, ())], today, bytes_of(len(names)))
        if after != before:
            replace(folder / f"{name}.jsonl", "".join(map(row, after)))
    replace(folder / LOOKED, json.dumps({"day": today.isoformat(), "ends": {one.digest: one.end for one in news}}))


def sampled(settings: dict[str, Any]) -> set[str]:
    """Names of the sources of which a sample is kept."""
    sources = [one for one in settings["sources"] if one["kind"] not in OUR_OWN]
    return {one["name"] for one in sources if NAME.fullmatch(one["name"])}


def read(path: Path) -> list[Line]:
    """The lines of a file; without those that a power cut has damaged."""
    found = []
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
    except (FileNotFoundError, UnicodeDecodeError):
        return []
    for text in texts:
        try:
            line = Line(**json.loads(text))
        except (ValueError, TypeError):
            continue
        found.append(line._replace(fields=tuple(line.fields)))
    return found


def _news(spool: Path, ends: dict[str, int]) -> Iterator[News]:
    for path in sorted((spool / "segments").glob("*.jsonl")):
        try:
            with os.fdopen(opened(path), "rb") as file:
                digest, size = digest_of(file.readline(LONGEST), file.fileno()), file.seek(0, os.SEEK_END)
        except FileNotFoundError:
            continue  # Closed or removed meanwhile: the next round sees it.
        if digest:
            start = ends.get(digest, 0)
            yield News(path, digest, start if start <= size else 0, size)


def _lines(news: list[News], names: set[str], *, hide: bool) -> dict[str, list[Line]]:
    """Source to the lines that were looked at. `hide`: the site masks nothing, and the sample is masked all the same.

    An event that stands across the end of a segment's news is passed over: there are others.
    """
    found = defaultdict(list)
    for text in _texts(news):
        for raw in text.split(b"\n"):
            try:
                event = loads(last_event(raw), EVENT_BYTES)
                name, line = event["source"], line_of(event)
            except (UnfitError, LookupError, TypeError, ValueError):
                continue
            if name in names and line.message:
                found[name].append(_hidden(line) if hide else line)
    return found


def _hidden(line: Line) -> Line:
    return line._replace(message=cleaned(line.message, masked), host=cleaned(line.host, masked))


def _texts(news: list[News]) -> Iterator[bytes]:
    """Pieces of the segments, as many bytes as a round looks at."""
    pieces = [(one.path, start) for one in news for start in range(one.start, one.end, PIECE_BYTES)]
    ends = {one.path: one.end for one in news}
    most = ROUND_BYTES // PIECE_BYTES
    if len(pieces) > most:
        pieces = [pieces[place * len(pieces) // most] for place in range(most)]
    for path, start in pieces:
        try:
            file = opened(path)
        except FileNotFoundError:
            continue
        try:
            # To the end of the event that the piece ends in, as far as one reaches as a rule.
            yield os.pread(file, min(PIECE_BYTES + 2**16, ends[path] - start), start)
        finally:
            os.close(file)
