"""Reads what is new in the files of alarms, without writing to them: another user does that, at the same time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypedDict

from vaern_programs.shared.answers import AlarmRecord
from vaern_programs.shared.json_text import UnfitError
from vaern_programs.shared.reports import Boot, Count, SequenceNumber
from vaern_programs.shared.schema import Schema

MOST_AT_ONCE = 1000
"""Records that are taken of one file; the rest stays in it until the next time."""


class Numbered(AlarmRecord):
    """A change of an alarm, with the number by which it is known."""

    boot: Boot
    """The life of its file."""
    sequence: SequenceNumber


class Place(TypedDict):
    """Up to where a file has been read: the last record, and where in the file it begins."""

    boot: str
    sequence: int
    offset: Count


class News(NamedTuple):
    """What a file has after a place."""

    records: list[Numbered]
    place: Place


NUMBERED = Schema(Numbered, 65536)
BEGINNING: Place = {"boot": "", "sequence": 0, "offset": 0}


def news(path: Path, place: Place | None) -> News | None:
    """The records after a place; without one, those of alarms that are open, since what is over is no news.

    None while the file is being rewritten by the alarm service: it is read the next time. Raises OSError.
    """
    if path.with_suffix(".kept").exists():
        return None
    try:
        found = _open_now(path) if place is None else _after(path, place)
    except FileNotFoundError:
        return News([], place or BEGINNING)
    return None if path.with_suffix(".kept").exists() else found


def _open_now(path: Path) -> News:
    opened: dict[tuple[str, str], Numbered] = {}
    last = BEGINNING
    for offset, record in _lines(path, 0):
        last = _place_of(record, offset)
        key = (record["kind"], record["subject"])
        opened.pop(key, None)
        if record["state"] == "raised":
            opened[key] = record
    return News(list(opened.values()), last)


def _after(path: Path, place: Place) -> News:
    """The place is looked for where it was; a file that was rewritten or made anew is read from its beginning."""
    lines = _lines(path, place["offset"])
    first = next(lines, None)
    if first is None or not _is_at(first[1], place):
        lines = _lines(path, 0)
    found: list[Numbered] = []
    for offset, record in lines:
        if record["boot"] == place["boot"] and record["sequence"] <= place["sequence"]:
            continue
        found.append(record)
        place = _place_of(record, offset)
        if len(found) == MOST_AT_ONCE:
            break
    return News(found, place)


def _lines(path: Path, offset: int) -> Iterator[tuple[int, Numbered]]:
    """Where each complete record begins, and the record; what is none is left out."""
    with path.open("rb") as file:
        file.seek(offset)
        for line in file:
            begins, offset = offset, offset + len(line)
            if not line.endswith(b"\n"):
                return
            try:
                record = NUMBERED.parse(line)
            except UnfitError:
                continue
            if record["municipality"] == path.stem:
                yield begins, record


def _is_at(record: Numbered, place: Place) -> bool:
    return (record["boot"], record["sequence"]) == (place["boot"], place["sequence"])


def _place_of(record: Numbered, offset: int) -> Place:
    return {"boot": record["boot"], "sequence": record["sequence"], "offset": offset}
