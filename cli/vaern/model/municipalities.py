"""The 98 Danish municipalities: code, name, region code and a rounded population, from `data/municipalities.csv`.

Codes and names are those of the national register. The population is approximate and only a starting value in a new
declaration; the declaration's own value is the one used. The file is read on first use.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from vaern.model.vocabulary import Size

_DATA = Path(__file__).resolve().parent.parent / "data" / "municipalities.csv"
_ASCII = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"})
SMALL_BELOW = 25_000
"""Inhabitants under which the small profile is the starting value."""
LARGE_FROM = 100_000
"""Inhabitants from which the large profile is the starting value."""


@dataclass(frozen=True, slots=True)
class Known:
    """One municipality as registered."""

    code: str
    name: str
    region: str
    population: int
    """Approximate, rounded."""

    @property
    def slug(self) -> str:
        """Name of its folder."""
        return slug_of(self.name)

    @property
    def size(self) -> Size:
        """Profile to start from."""
        if self.population < SMALL_BELOW:
            return Size.SMALL
        return Size.MEDIUM if self.population < LARGE_FROM else Size.LARGE


def slug_of(name: str) -> str:
    """The name in ASCII, for folders and host names: `Høje-Taastrup` gives `hoeje-taastrup`."""
    letters = name.lower().translate(_ASCII)
    return "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in letters).split())


@cache
def all_known() -> tuple[Known, ...]:
    """Every municipality, sorted by code."""
    with _DATA.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return tuple(Known(row["code"], row["name"], row["region"], int(row["population"])) for row in rows)


@cache
def _index(attribute: str) -> dict[str, Known]:
    return {getattr(known, attribute): known for known in all_known()}


def by_code(code: str) -> Known | None:
    """The municipality with that four-digit code, if there is one."""
    return _index("code").get(code)


def by_name(name: str) -> Known | None:
    """The municipality registered under exactly that name, if there is one."""
    return _index("name").get(name)


def by_slug(slug: str) -> Known | None:
    """The municipality with that folder name, if there is one."""
    return _index("slug").get(slug)


def nearest_slugs(word: str) -> list[str]:
    """Up to three folder names that look like what was written, for "did you mean"."""
    import difflib

    return difflib.get_close_matches(slug_of(word), _index("slug"), n=3, cutoff=0.6)
