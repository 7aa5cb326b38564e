"""One declaration file as read: its values, and where in the file each of them stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from vaern.errors import Problem

MAX_PROBLEMS = 100
"""Further problems are counted but not listed."""
Key = tuple[str | int, ...]
Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"]


def shown(path: Path) -> str:
    """The path as messages show it: relative to the working folder when it is below that."""
    absolute, here = path.absolute(), Path.cwd()
    return str(absolute.relative_to(here) if absolute.is_relative_to(here) else absolute)


@dataclass(slots=True)
class Document:
    """One file as read: `values` for the model, `lines` and `texts` for messages, and the faults so far."""

    file: str
    values: Value = None
    lines: dict[Key, int] = field(default_factory=dict)
    texts: dict[Key, str] = field(default_factory=dict)
    """What is written at a key, for scalars."""
    problems: list[Problem] = field(default_factory=list)

    def line(self, key: Key) -> int:
        """Line of that key, or of the nearest one above it that is in the file."""
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines.get(key, 1)

    def problem(self, key: Key, found: str, fix: str, line: int | None = None) -> Problem:
        """A fault at that key; every visible part of it is limited in length."""
        return Problem(self.file, line or self.line(key), written(key), found, fix)

    def refuse(self, key: Key, found: str, fix: str, line: int | None = None) -> None:
        """Record a fault and continue; beyond ten times the number listed, faults are not counted either."""
        if len(self.problems) < 10 * MAX_PROBLEMS:
            self.problems.append(self.problem(key, found, fix, line))


def written(key: Key) -> str:
    """A key path as people write it: `hosts[0].address`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in key)
    return clipped(text.removeprefix("."), 80)


def clipped(text: str, length: int = 40) -> str:
    """Text from a file made safe to print: one line, no control characters, bounded."""
    one_line = "".join(c if c.isprintable() else "?" for c in text[: length + 1])
    return one_line if len(one_line) <= length else one_line[: length - 3] + "..."


def bounded(problems: list[Problem]) -> list[Problem]:
    """The first of them in file order; when there are more, the last one says how many."""
    ordered = sorted(problems)
    if len(ordered) <= MAX_PROBLEMS:
        return ordered
    last = ordered[MAX_PROBLEMS - 1]
    more = f"{len(ordered) - MAX_PROBLEMS} more faults after this one"
    return [*ordered[: MAX_PROBLEMS - 1], Problem(last.file, last.line, last.key, f"{last.found}; {more}", last.fix)]
