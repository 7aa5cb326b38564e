"""Looks at lines of each declared source as they are archived, for the alarm service.

Every line is counted, by the header of its block. Of each source four lines a look are read, fifty looks a window, and
what they said is kept for 200 lines: so a busy source costs no more than a quiet one, and a source that is not declared
nothing. What the reader withheld or cut is searched for as text in every block, and so is counted exactly.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vaern_programs.collector.archive.observed_line import CUT, WITHHELD
from vaern_programs.collector.archive.observed_source import ObservedSource, some_of
from vaern_programs.collector.archive.partition import SOURCE
from vaern_programs.collector.archive.reading import Message
from vaern_programs.shared.blocks import Opened
from vaern_programs.shared.collector_paths import REPORTS
from vaern_programs.shared.files import replace
from vaern_programs.shared.observed import name_of, window_seconds

REPORTS_A_WINDOW = 30
MARKS = (WITHHELD, CUT)
MOST_MARKS = 1000
"""Withheld or cut lines of one block that are counted."""


class Observations:
    """What was seen of the sources of one municipality."""

    def __init__(self, code: str, settings: Mapping[str, Any], now: float) -> None:
        """`settings` are the collector's; `now` is Unix time, when counting begins."""
        self.path, self.began = REPORTS / name_of(code), now
        self.code, self.written = code, 0.0
        self.sources: dict[bytes, ObservedSource] = {}
        self.declare(settings)

    def declare(self, settings: Mapping[str, Any]) -> None:
        """Look at these sources from now on, and forget all others."""
        self.window = window_seconds(settings)
        tenant: Mapping[str, Any] = next((one for one in settings.get("tenants", []) if one["code"] == self.code), {})
        declared = {one["name"].encode(): one.get("minimum") or [] for one in tenant.get("sources", [])}
        self.sources = {
            name: self.sources.get(name) or ObservedSource(self.window, minimum) for name, minimum in declared.items()
        }
        for name, minimum in declared.items():
            self.sources[name].declare(self.window, minimum)

    def take(self, batch: Sequence[Message]) -> None:
        """Events, one a record."""
        lines: dict[bytes, list[bytes]] = {}
        for message in batch:
            source, value = message.key(), message.value()
            if source in self.sources and value is not None:
                lines.setdefault(source, []).append(value)
        for source, those in lines.items():
            now = batch[-1].timestamp()[1] / 1000
            one = self.sources[source]
            one.count(len(those), now)
            if one.is_due(now):
                one.look(those, now)
            for value in those:
                for mark in MARKS:
                    if next(iter(sources_with(value, mark)), None) == source:
                        one.mark(mark is WITHHELD, mark is CUT, now)

    def take_block(self, message: Message, block: Opened) -> None:
        """Lines of one block, which are those that its header says."""
        now = message.timestamp()[1] / 1000
        due: dict[bytes, int] = {}
        for row in block.said["sources"]:
            source = row[0].encode()
            if (one := self.sources.get(source)) is not None:
                one.count(row[4], now)
                if one.is_due(now):
                    due[source] = one.wanted
        for source, lines in spread(block.text, due).items():
            self.sources[source].look(lines, now)
        for mark in MARKS:
            for source in sources_with(block.text, mark):
                if (one := self.sources.get(source)) is not None:
                    one.mark(mark is WITHHELD, mark is CUT, now)

    def write(self) -> None:
        """Replace the file when it is time to. Raises OSError."""
        now = time.time()
        if abs(now - self.written) < max(1.0, self.window / REPORTS_A_WINDOW):
            return
        self.written = now
        replace(self.path, json.dumps(self.report(now)), durable=False)

    def report(self, now: float) -> dict[str, Any]:
        """What the file says; `now` is Unix time."""
        return {
            "began": self.began,
            "time": now,
            "sources": {name.decode(): one.report(now) for name, one in self.sources.items()},
        }


def spread(text: bytes, wanted: Mapping[bytes, int]) -> dict[bytes, Sequence[bytes]]:
    """So many lines at most of each of those sources, spread over a text."""
    if not wanted:
        return {}
    found: dict[bytes, list[bytes]] = {}
    for line in text.splitlines():
        match = SOURCE.search(line)
        if match and match[1] in wanted:
            found.setdefault(match[1], []).append(line)
    return {source: some_of(lines, wanted[source]) for source, lines in found.items()}


def sources_with(text: bytes, mark: tuple[bytes, bytes]) -> Iterable[bytes]:
    """The source of each line that holds the two halves of a mark, for as many as are counted."""
    first, second = mark
    place = text.find(second)
    for _ in range(MOST_MARKS):
        if place < 0:
            return
        if text.endswith(first, 0, place):
            begins = text.rfind(b"\n", 0, place) + 1
            match = SOURCE.search(text, begins, place)
            if match:
                yield match[1]
        place = text.find(second, place + 1)
