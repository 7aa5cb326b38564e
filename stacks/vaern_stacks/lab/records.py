"""What a lab is about to make, written down before it is made, so that a kill in the middle leaves no orphan.

One file a thing, in `records/<stack>/<kind>.<name>`; its removal is the last step of removing the thing.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from vaern_stacks.lab.spec import Lab


class Kind(StrEnum):
    """What can be made, in the order it is removed."""

    MIRROR = "mirror"
    HOST = "host"
    SITE = "site"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Record:
    """One thing of one stack."""

    stack: str
    kind: Kind
    name: str


def record(lab: Lab, made: Record) -> None:
    """Write it down; content when it is already."""
    path = _path(lab, made)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()


def forget(lab: Lab, made: Record) -> None:
    """Strike it out."""
    _path(lab, made).unlink(missing_ok=True)
    folder = _path(lab, made).parent
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def recorded(lab: Lab, stack: str = "*") -> list[Record]:
    """Everything written down, of one stack or of all, in the order of removal."""
    found = []
    for path in (lab.path / "records").glob(f"{stack}/*"):
        kind, _, name = path.name.partition(".")
        found.append(Record(path.parent.name, Kind(kind), name))
    return sorted(found, key=lambda made: (list(Kind).index(made.kind), made.stack, made.name))


def _path(lab: Lab, made: Record) -> Path:
    return lab.path / "records" / made.stack / f"{made.kind}.{made.name}"
