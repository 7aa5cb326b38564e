"""The manifest: one text that names everything that decides what is applied to a municipality, and what is signed.

It is made so that `sha256sum --check` and `ssh-keygen -Y` are all that is needed to check and sign it: a line of digest
and path for each file, and lines that begin with `#`, which sha256sum leaves out, for what people read and for what
stands in no file of theirs.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from vaern.errors import ApprovalError

TITLE = "# vaern manifest 1: everything that decides what is applied, for one signature"
DIGEST = re.compile(r"[0-9a-f]{64}")
SEGMENT = r"(?!\.{1,2}(?:/|$))[\w.@+=-]+"
PATH = re.compile(rf"{SEGMENT}(?:/{SEGMENT})*", re.ASCII)
"""A path that sha256sum reads as it is written, below the project."""
FACT = re.compile(r"# (?P<name>[a-z]+ \S+): (?P<value>.+)")
SETTING = re.compile(r"# (?P<name>[a-z-]+): (?P<value>.+)")
MOST_BYTES = 4 * 2**20
CHANGES_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Contents:
    """What decides. `facts` maps a declared or received value's name to its JSON, `files` a path to its SHA-256."""

    facts: Mapping[str, str]
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Predecessor:
    """The manifest in force before, to which a rollback may return until and including a day, without a signature."""

    digest: str
    until: date


@dataclass(frozen=True, slots=True)
class Manifest:
    """One manifest. `serial` rises by one with each; after the day `expires` nothing more is applied by it."""

    municipality: str
    serial: int
    expires: date
    contents: Contents
    predecessor: Predecessor | None = None

    @property
    def text(self) -> str:
        """What is signed: the same text for the same manifest."""
        before = self.predecessor
        return "".join(
            [
                f"{TITLE}\n",
                f"# municipality: {self.municipality}\n",
                f"# serial: {self.serial}\n",
                f"# expires: {self.expires.isoformat()}\n",
                *([f"# rollback: {before.digest} until {before.until.isoformat()}\n"] if before else []),
                *(f"# {name}: {value}\n" for name, value in self.contents.facts.items()),
                *(f"{digest}  {path}\n" for path, digest in sorted(self.contents.files.items())),
            ]
        )

    @property
    def digest(self) -> str:
        """SHA-256 of the text, 64 hexadecimal digits: the identity of an approval."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def parse(text: str, where: str) -> Manifest:
    """The manifest that a text is, or ApprovalError naming `where` and the first line that does not belong in one.

    The text of the result is the given text: nothing in it is left unread.
    """
    settings: dict[str, str] = {}
    facts: dict[str, str] = {}
    files: dict[str, str] = {}
    lines = text.split("\n")
    for number, line in enumerate(lines[1:-1], start=2):
        if fact := FACT.fullmatch(line):
            facts[fact["name"]] = fact["value"]
        elif setting := SETTING.fullmatch(line):
            settings[setting["name"]] = setting["value"]
        elif DIGEST.fullmatch(line[:64]) and line[64:66] == "  " and PATH.fullmatch(line[66:]):
            files[line[66:]] = line[:64]
        else:
            raise _no_manifest(where, number)
    try:
        found = Manifest(
            settings["municipality"],
            int(settings["serial"]),
            date.fromisoformat(settings["expires"]),
            Contents(facts, files),
            _predecessor(settings.get("rollback")),
        )
    except (KeyError, ValueError) as error:
        raise _no_manifest(where, 1) from error
    if found.text != text:
        raise _no_manifest(where, next(_differing(found.text, text), 1))
    return found


def changes(signed: Contents, now: Contents) -> list[str]:
    """What differs between what was signed and what would be applied now, in words, declared values first."""
    found = []
    for name in sorted({*signed.facts, *now.facts}):
        before, after = signed.facts.get(name), now.facts.get(name)
        if before != after:
            found.append(f"{name}: {_shown(before)} -> {_shown(after)}")
    for path in sorted({*signed.files, *now.files}):
        if path not in now.files:
            found.append(f"{path} was removed")
        elif path not in signed.files:
            found.append(f"{path} was added")
        elif signed.files[path] != now.files[path]:
            found.append(f"{path} was changed")
    return found


def in_words(found: list[str]) -> str:
    """Changes as lines of a message, the first of them when there are many."""
    shown = found[:CHANGES_SHOWN]
    if more := len(found) - len(shown):
        shown.append(f"and {more} more")
    return "".join(f"\n  {line}" for line in shown)


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if len(value) <= 80 else f"{value[:77]}..."


def _predecessor(value: str | None) -> Predecessor | None:
    if value is None:
        return None
    digest, until, day = value.split(" ")
    if until != "until" or not DIGEST.fullmatch(digest):
        raise ValueError(value)
    return Predecessor(digest, date.fromisoformat(day))


def _differing(one: str, other: str) -> Iterator[int]:
    pairs = zip(one.split("\n"), other.split("\n"), strict=False)
    return (number for number, (a, b) in enumerate(pairs, start=1) if a != b)


def _no_manifest(where: str, line: int) -> ApprovalError:
    return ApprovalError(
        f"{where}:{line}: this is not a line of a manifest that vaern writes",
        fix="make it anew with `vaern approve MUNICIPALITY --prepare`, and have it signed",
    )
