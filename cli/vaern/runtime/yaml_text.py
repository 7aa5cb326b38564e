"""Reads and writes YAML with libyaml; never builds objects from type tags in a text.

`load` reads a whole document. `events` is for declarations, so that each value keeps its line. `dump` writes generated
files: the same bytes for the same value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import yaml
from yaml import (
    AliasEvent,
    MappingEndEvent,
    MarkedYAMLError,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    YAMLError,
)

__all__ = [
    "AliasEvent",
    "MappingEndEvent",
    "MarkedYAMLError",
    "ScalarEvent",
    "SequenceEndEvent",
    "SequenceStartEvent",
    "StreamEndEvent",
    "YAMLError",
    "dump",
    "events",
    "load",
]


def load(text: str) -> Any:
    """The value of one document. Raises YAMLError."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


def events(text: str) -> Iterator[Any]:
    """The events of a text, each with its place. Raises YAMLError where the text is no YAML."""
    events: Iterator[Any] = yaml.parse(text, Loader=yaml.CSafeLoader)
    return events


def dump(value: Any, style: Callable[[str], str | None], *, width: int, sort_keys: bool = False) -> str:
    """One document, lists indented as yamllint asks, without aliases.

    `style` gives the mark of a text: `"` in quotes, `|` as a block, None as it comes. `width` is in characters.
    """

    class Dumper(yaml.CSafeDumper):
        """Has the style of this call only."""

        def ignore_aliases(self, data: Any) -> bool:
            return True

    def text(dumper: Any, value: str) -> Any:
        return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style(value))

    Dumper.add_representer(str, text)
    written: str = yaml.dump(value, Dumper=Dumper, sort_keys=sort_keys, allow_unicode=True, width=width)
    return written
