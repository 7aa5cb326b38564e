"""Which lines of a source are kept as its sample: arithmetic, without a file.

Of each of the last seven days some lines by lot, and beside them two of each shape (which fields were read of them),
so that a line that comes once a week is there too. The lot of an event follows from its start of the relay and its
number: whoever reads a line twice, or in another order, keeps the same ones. Nothing is counted for it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, NamedTuple

DAYS = 7
"""Of which lines are kept by lot."""
SHAPE_DAYS = 28
"""For which a line is kept that shows a shape: no line stays longer."""
OF_A_DAY = 16
OF_A_SHAPE = 2
SHAPES = 64
SOURCE_BYTES = 256 * 1024
ALL_BYTES = 8 * 2**20
"""Of all sources of a relay together."""
SHARE = 8
"""A line that takes more than one in so many of its source's bytes is not kept."""


class Line(NamedTuple):
    """A line of the sample: what a reader needs to read it again, and which fields it gave when it came in."""

    day: str
    """Of reception, UTC."""
    lot: int
    time: str
    """Of its header, RFC 3339; a line without a header has it from who handed it over."""
    host: str
    parser: str
    read: bool
    fields: tuple[str, ...]
    message: str


def line_of(event: dict[str, Any]) -> Line:
    """What is kept of an event as the spool has it. Raises KeyError, TypeError and ValueError for what is none."""
    fields = event["ecs"]
    if not isinstance(fields, dict):
        raise TypeError("its fields are no object")
    number = hashlib.sha256(f"{event['boot']} {event['sequence']}".encode()).digest()
    received = event["received"]
    return Line(
        day=date.fromisoformat(received[:10]).isoformat(),
        lot=int.from_bytes(number[:6], "big"),
        time=str(event["time"]),
        host=str(event["host"]),
        parser=str(event["parser"]),
        read=event["parsed"] is True,
        fields=tuple(sorted(map(str, fields))),
        message=str(event["message"]),
    )


def bytes_of(sources: int) -> int:
    """Bytes that each of so many sources may take, so that all of them keep within their limit."""
    return min(SOURCE_BYTES, ALL_BYTES // max(1, sources))


def chosen(lines: Iterable[Line], today: date, most_bytes: int) -> list[Line]:
    """The sample of a source: the same for the same lines, in whatever order and however often they come.

    Args:
        lines: of one source; what was chosen before, and what has come since.
        today: in UTC. Lines of a later day are those of a clock that was wrong, and are not kept.
        most_bytes: that the sample takes in its file; where that is too little, shapes come before lots.
    """
    first = (today - timedelta(days=SHAPE_DAYS)).isoformat()
    last = (today + timedelta(days=1)).isoformat()
    known = {line for line in lines if first < line.day <= last and len(row(line)) <= most_bytes // SHARE}
    taken, left = [], most_bytes
    for line in _by_importance(known, (today - timedelta(days=DAYS)).isoformat()):
        size = len(row(line))
        if size <= left:
            taken.append(line)
            left -= size
    return sorted(taken)


def row(line: Line) -> str:
    """A line as its file has it, in ASCII."""
    return json.dumps(line._asdict(), separators=(",", ":")) + "\n"


def _by_importance(known: Iterable[Line], since: str) -> list[Line]:
    """One of each shape, the newest shape first; then lots, the newest day first; then the others of the shapes."""
    shapes: dict[tuple[object, ...], list[Line]] = defaultdict(list)
    days: dict[str, list[Line]] = defaultdict(list)
    # Two lines of one lot are told apart by what is in them: a set has them in any order.
    for line in sorted(known, key=lambda line: (line.lot, line)):
        shapes[line.parser, line.read, line.fields].append(line)
        if line.day > since:
            days[line.day].append(line)
    # Of its newest day the lowest lots, so that a file is not written anew for each line of a shape.
    newest = [sorted(of, key=_day, reverse=True)[:OF_A_SHAPE] for of in shapes.values()]
    newest = sorted(newest, key=lambda of: (of[0].day, -of[0].lot, of[0]), reverse=True)[:SHAPES]
    lots = [line for day in sorted(days, reverse=True) for line in days[day][:OF_A_DAY]]
    in_order = [*(of[0] for of in newest), *lots, *(line for of in newest for line in of[1:])]
    return list(dict.fromkeys(in_order))


def _day(line: Line) -> str:
    return line.day
