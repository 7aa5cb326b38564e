"""The folders of a chain: where records are, how they are read, and the last one that is known.

    <state>/evidence/favrskov/000012-3f9ac2b41d5e/    record 12, named after its digest too
                                  record.json         the record
                                  record.json.sig     its signature
                                  findings.json       and what else the record names
    <state>/evidence/favrskov.head                    digest and path of the last record, as `sha256sum` writes them

Reading judges nothing: what is there is given as it is, and `checking` says whether it fits.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vaern.evidence.record import Record, digest, parse
from vaern.runtime.paths import Project

RECORD = "record.json"
SIGNATURE = "record.json.sig"
LARGEST_RECORD = 2**20
"""Bytes. Findings are beside the record, so it is far smaller."""
NAME = re.compile(r"(\d{6})-([0-9a-f]{12})")
HEAD = re.compile(r"([0-9a-f]{64})  ([a-z0-9-]+)/((\d{6})-[0-9a-f]{12})/record\.json\n")
OWN = re.compile(r"\.lock|\.draft-.*|\.running-.*")
"""What is in the folder of a chain beside its records."""


@dataclass(frozen=True, slots=True)
class Stored:
    """One folder of a chain as it is on the disk."""

    folder: Path
    sequence: int
    """As the name of the folder says."""
    named: str
    """Beginning of the digest that the name of the folder says."""
    content: bytes | None
    """Bytes of record.json; None when there is none, or none that can be read."""
    record: Record | None
    wrong: str
    """Why there is no record."""
    files: Mapping[str, tuple[int, str]]
    """Size and digest of whatever is in the folder, but for the record and its signature; (-1, "") of what is no file,
    such as a folder or a link."""

    @property
    def digest(self) -> str:
        """Of record.json; empty without one."""
        return digest(self.content) if self.content is not None else ""

    @property
    def signature(self) -> Path:
        """Where the signature is, if there is one."""
        return self.folder / SIGNATURE


@dataclass(frozen=True, slots=True)
class Head:
    """The last record that was written, as the file beside the chain says."""

    sequence: int
    digest: str
    path: str


@dataclass(frozen=True, slots=True)
class Chain:
    """All records of one municipality, in the order of their folders' names."""

    name: str
    folder: Path
    stored: tuple[Stored, ...]
    strange: tuple[Path, ...]
    """What is in the folder and is no record."""
    head: Head | None
    head_wrong: str
    """Why the head cannot be read; empty when it can be, or is not there."""
    skipped: int = 0
    """Records before those in `stored`, which were not read."""


def evidence_folder(project: Project) -> Path:
    """Where all chains are."""
    return project.state / "evidence"


def names(project: Project) -> list[str]:
    """Every chain of which there are records, or a head that says that there were."""
    folder = evidence_folder(project)
    found = {path.name for path in folder.glob("*") if path.is_dir() and not path.name.startswith(".")}
    return sorted(found | {path.stem for path in folder.glob("*.head")})


def head_file(project: Project, name: str) -> Path:
    """Where the head of a chain is."""
    return evidence_folder(project) / f"{name}.head"


def head_line(name: str, folder: str, record_digest: str) -> str:
    """The head as it is written: `sha256sum --check` takes it."""
    return f"{record_digest}  {name}/{folder}/{RECORD}\n"


def read_chain(project: Project, name: str, back_to: Callable[[Record], bool] | None = None) -> Chain:
    """Read every record of a chain; an empty chain when there is none.

    With `back_to`, only the last ones, back to one for which it is true: enough to know that this one was not altered
    since, and independent of how long the chain is.
    """
    folder = evidence_folder(project) / name
    paths = sorted(path for path in folder.glob("*") if not OWN.fullmatch(path.name)) if folder.is_dir() else []
    records = [path for path in paths if NAME.fullmatch(path.name) and _is_folder(path)]
    head, wrong = read_head(project, name)
    strange = tuple(path for path in paths if path not in records)
    stored: list[Stored] = []
    for path in reversed(records):
        stored.insert(0, read_stored(path))
        if back_to and (found := stored[0].record) and back_to(found):
            break
    skipped = stored[0].sequence - 1 if len(stored) < len(records) else 0
    return Chain(name, folder, tuple(stored), strange, head, wrong, skipped)


def read_head(project: Project, name: str) -> tuple[Head | None, str]:
    """The head of a chain, and why it cannot be read."""
    try:
        if not _is_plain(head_file(project, name)):
            return None, "it is no file"
        text = head_file(project, name).read_text(encoding="ascii")
    except FileNotFoundError:
        return None, ""
    except (OSError, UnicodeDecodeError) as error:
        return None, f"it cannot be read ({error})"
    found = HEAD.fullmatch(text)
    if not found or found[2] != name or not found[1].startswith(found[3].partition("-")[2]):
        return None, "it is not the line of digest and path that was written"
    return head_of(found), ""


def head_of(line: re.Match[str]) -> Head:
    """The record that a line of the form HEAD names."""
    return Head(int(line[4]), line[1], f"{line[2]}/{line[3]}/{RECORD}")


def read_stored(folder: Path) -> Stored:
    """Read one folder."""
    number, _, named = folder.name.partition("-")
    content, record, wrong = _read_record(folder / RECORD)
    files = {path.name: size_and_digest(path) for path in folder.iterdir() if path.name not in {RECORD, SIGNATURE}}
    return Stored(folder, int(number), named, content, record, wrong, files)


def _read_record(path: Path) -> tuple[bytes | None, Record | None, str]:
    try:
        if not _is_plain(path) or path.stat().st_size > LARGEST_RECORD:
            return None, None, f"{RECORD} is larger than a record can be, or is no file"
        content = path.read_bytes()
    except OSError as error:
        return None, None, f"{RECORD} cannot be read ({error.strerror})"
    try:
        return content, parse(content), ""
    except ValueError as error:
        return content, None, str(error)


def size_and_digest(path: Path) -> tuple[int, str]:
    """Size and digest of a file; (-1, "") for what is no plain file, or cannot be read."""
    try:
        if not _is_plain(path):
            return -1, ""
        with path.open("rb") as handle:
            return os.fstat(handle.fileno()).st_size, hashlib.file_digest(handle, "sha256").hexdigest()
    except OSError:
        return -1, ""


def _is_folder(path: Path) -> bool:
    """Whether it is a folder, and no link to one."""
    return stat.S_ISDIR(path.lstat().st_mode)


def _is_plain(path: Path) -> bool:
    """Whether it is a file that can be read to its end: a pipe would never end."""
    return stat.S_ISREG(path.lstat().st_mode)
