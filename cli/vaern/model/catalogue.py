"""The source catalogue: which fields each kind of log source must send, and how each vendor is set up and parsed.

Versioned data in `data/catalogue/`: one file for each kind, `generic.yml` for sources without a vendor's entry, and
`samples/` with lines as devices send them and the fields they must give. Field names are those of the Elastic Common
Schema (ECS), dotted. The parsers themselves belong to the relay: `roles/programs/reader/parsers/`.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from vaern.model.vocabulary import Declared, Name, Protocol, SourceKind, Timezone
from vaern.runtime.yaml_text import load

if TYPE_CHECKING:
    from vaern.model.declaration import LogSource

FOLDER = Path(__file__).resolve().parent.parent / "data" / "catalogue"
GENERIC = "generic"
"""The vendor of a source that names none: its lines are kept, and only their time is read."""


class Language(StrEnum):
    """Languages of everything that people read."""

    DA = "da"
    EN = "en"


class Text(Declared):
    """The same text twice."""

    da: Annotated[str, Field(min_length=1)]
    """In Danish."""
    en: Annotated[str, Field(min_length=1)]
    """In English."""

    def in_language(self, language: Language) -> str:
        """The text in that language."""
        return (self.da if language is Language.DA else self.en).strip()


class Setup(Text):
    """What to do at the sender; `{address}` and the like are filled in from the declaration."""

    commands: Annotated[str, Field(min_length=1)]
    """Commands or settings, as the vendor writes them."""


class Demand(Declared):
    """Who asks for the minimum."""

    source: str
    """Page of the national recommendation, or vaern itself when there is none."""
    text: Text
    """What is asked for, in short."""


class Vendor(Declared):
    """One product of a kind."""

    name: Name
    """What a declaration says in `vendor:`."""
    title: str
    """Name as people say it."""
    parser: Name
    """Parser on the relay, or generic."""
    sample: Name | None = None
    """File in `samples/`; only generic has none."""
    transports: Annotated[tuple[Protocol, ...], Field(min_length=1)]
    """How the product can send."""
    lacks: dict[str, Text] = Field(default_factory=dict)
    """Minimum fields that its logs do not have, each with the reason and what to do instead."""
    setup: Setup
    """How to set it up."""


class Kind(Declared):
    """One kind of source."""

    title: Text
    """Name as people say it."""
    demand: Demand
    """Where the minimum comes from."""
    minimum: Annotated[tuple[str, ...], Field(min_length=1)]
    """ECS fields that must arrive."""
    wanted: tuple[str, ...] = ()
    """ECS fields that arrive where the vendor has them."""
    vendors: tuple[Vendor, ...]
    """Known products, then generic."""

    def vendor(self, name: str) -> Vendor:
        """The vendor of that name. Raises KeyError."""
        return {vendor.name: vendor for vendor in self.vendors}[name]


class Line(Declared):
    """One line as a device sends it, and what must come out of it."""

    line: str
    """As sent."""
    masked: str | None = None
    """As transported, when masking replaces something that looks like a civil registration number."""
    ecs: dict[str, str | int]
    """Every ECS field, exactly. YYYY in a time: the line has no year, so the latest possible one is used."""


class Sample(Declared):
    """Lines of one vendor and kind, written after the vendor's documentation."""

    format: str
    """The documentation the lines follow."""
    timezone: Timezone = Timezone.UTC
    """Zone the source is declared with."""
    lines: Annotated[tuple[Line, ...], Field(min_length=1)]
    """At least one; together they hold every minimum field the vendor has."""


@cache
def kind_of(kind: SourceKind) -> Kind:
    """The entry of a kind."""
    values = _read(f"{kind.value}.yml")
    values["vendors"].append(_read(f"{GENERIC}.yml"))
    return Kind.model_validate(values)


@cache
def sample(name: str) -> Sample:
    """The sample of that name. Raises FileNotFoundError."""
    return Sample.model_validate(_read(f"samples/{name}.yml"))


def vendor_of(source: LogSource) -> Vendor:
    """The catalogue's entry for a declared source. Raises KeyError, which no loaded declaration can."""
    return kind_of(source.kind).vendor(source.vendor)


def minimum_of(source: LogSource) -> list[str]:
    """The ECS fields that must arrive of a declared source: those of its kind that its vendor has."""
    return [field for field in kind_of(source.kind).minimum if field not in vendor_of(source).lacks]


def _read(name: str) -> dict[str, Any]:
    values: dict[str, Any] = load((FOLDER / name).read_text(encoding="utf-8"))
    return values
