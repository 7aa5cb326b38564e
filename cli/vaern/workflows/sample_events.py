"""Whether the reader makes of the catalogue's samples what they promise."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from vaern.model.catalogue import Line, kind_of, sample
from vaern.model.vocabulary import SourceKind
from vaern.runtime import reader
from vaern.runtime.paths import Project

AHEAD = timedelta(days=30)
"""A time without a year is the last one that is not further ahead than this."""


@dataclass(frozen=True, slots=True)
class Difference:
    """A value of an event that is not the one of the sample; None where there is none."""

    sample: str
    line: int
    """Number of the line within its sample, from 1."""
    name: str
    expected: Any
    found: Any

    def __str__(self) -> str:
        return f"{self.sample} line {self.line}: {self.name} is {self.found!r}, the sample says {self.expected!r}"


def samples() -> dict[str, str]:
    """Name of each sample to its parser."""
    vendors = [vendor for kind in SourceKind for vendor in kind_of(kind).vendors]
    return {vendor.sample: vendor.parser for vendor in vendors if vendor.sample}


def differences(project: Project) -> tuple[int, list[Difference]]:
    """How many lines the samples have, and where their events differ. Raises as `reader.run` does."""
    lines = [
        (name, parser, number, each, sample(name).timezone)
        for name, parser in samples().items()
        for number, each in enumerate(sample(name).lines, start=1)
    ]
    now = datetime.now(UTC)
    requests = [
        {"parser": parser, "timezone": zone, "line": each.line, "received": now.isoformat(), "cpr": "mask"}
        for _, parser, _, each, zone in lines
    ]
    found: list[Difference] = []
    for (name, _, number, each, _), event in zip(lines, reader.answers(project, requests), strict=True):
        values = promised(each, now)
        seen = {**event["ecs"], "parsed": event["parsed"], "message": event["message"]}
        found += [
            Difference(name, number, key, values.get(key), seen.get(key))
            for key in sorted(values.keys() | seen.keys())
            if values.get(key) != seen.get(key)
        ]
    return len(lines), found


def promised(line: Line, now: datetime) -> dict[str, Any]:
    """Fields, `parsed` and `message` of the event of a line."""
    fields = {key: with_year(value, now) for key, value in line.ecs.items()}
    return {**fields, "parsed": True, "message": line.masked or line.line}


def with_year(expected: str | int, now: datetime) -> str | int:
    """A value of a sample with the year that YYYY stands for."""
    if not isinstance(expected, str) or not expected.startswith("YYYY"):
        return expected
    this = datetime.fromisoformat(f"{now.year}{expected[4:]}")
    return f"{now.year - (this > now + AHEAD)}{expected[4:]}"
