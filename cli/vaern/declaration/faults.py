"""What is wrong in a declaration, and where. A fault names the key to change; its line is found later."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vaern.model.declaration import Municipality

if TYPE_CHECKING:
    from vaern.declaration.document import Key


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a key and what to write instead. A warning does not stop anything."""

    key: Key
    found: str
    fix: str
    warning: bool = False


Rule = Callable[[Municipality], Iterator[Fault]]


def repeated(values: Iterable[object]) -> Iterator[tuple[int, int]]:
    """Pairs of positions: of a repeated value, and of its first occurrence."""
    seen: dict[object, int] = {}
    for position, value in enumerate(values):
        first = seen.setdefault(value, position)
        if first != position:
            yield position, first


def one_of(names: Iterable[str]) -> str:
    """The fix for a name that is not declared."""
    return f"write one of {', '.join(names) or '(none is declared)'}, or declare it"
