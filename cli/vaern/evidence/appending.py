"""Adds a record to its chain: complete or not at all, after the last one, and in the place of none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from vaern.errors import EvidenceError
from vaern.evidence import announcing, required, signing
from vaern.evidence.chain import (
    NAME,
    RECORD,
    SIGNATURE,
    evidence_folder,
    head_file,
    head_line,
    read_head,
    read_stored,
    size_and_digest,
)
from vaern.evidence.record import FIRST, File, Record, Run, digest, render
from vaern.runtime.paths import Project
from vaern.runtime.private_file import folder_lock, write_private

DRAFT = ".draft-"
READ_ONLY = 0o400


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that was written."""

    chain: str
    sequence: int
    digest: str
    signed: bool
    folder: Path

    def __str__(self) -> str:
        """The line that a run ends with; whoever notes it can find out later that nothing was cut off."""
        signed = "signed" if self.signed else "unsigned"
        return f"evidence: record {self.sequence} of {self.chain}, {signed}, sha256 {self.digest}"


def require_ready(project: Project, name: str) -> None:
    """Before a run does anything: its record can be signed, if it has to be, and appended. Raises EvidenceError."""
    required.require_key(project, name)
    _after(project, name, evidence_folder(project) / name)


def append(project: Project, name: str, run: Run, files: Mapping[str, str], logs: Sequence[Path] = ()) -> Kept:
    """Add the record of a run, and return it as written.

    Args:
        project: whose state directory has the evidence.
        name: slug of the municipality, or `shared`.
        run: what is known of the run.
        files: name and text of what belongs to the record, such as `findings.json`.
        logs: paths of the run's logs, in the state directory.

    Raises EvidenceError when it cannot be signed, or the head of the chain is damaged or gone.
    """
    folder, key = evidence_folder(project) / name, signing.signing_key()
    with folder_lock(folder):
        _remove_drafts(folder)
        sequence, previous = _after(project, name, folder)
        unfinished = announcing.abandoned(folder)
        draft = Path(tempfile.mkdtemp(prefix=DRAFT, dir=folder))
        try:
            record = Record(
                chain=name,
                sequence=sequence,
                previous=previous,
                signed=key is not None,
                run=run.model_copy(update={"unfinished": tuple(unfinished.values())}),
                files=tuple(
                    _write(draft / one, text.encode(errors="backslashreplace")) for one, text in sorted(files.items())
                ),
                logs=tuple(_log(project, path) for path in logs),
            )
            content = render(record)
            _write(draft / RECORD, content)
            if key is not None:
                _write(draft / SIGNATURE, signing.sign(content, key))
            _sync(draft)
            place = folder / f"{sequence:06}-{digest(content)[:12]}"
            draft.rename(place)
        except BaseException:
            shutil.rmtree(draft, ignore_errors=True)
            raise
        _sync(folder)
        write_private(head_file(project, name), head_line(name, place.name, digest(content)).encode("ascii"))
        _sync(folder.parent)
        for path in unfinished:
            path.unlink()
    return Kept(name, sequence, digest(content), record.signed, place)


def _after(project: Project, name: str, folder: Path) -> tuple[int, str]:
    """Number of the next record, and the digest that it follows.

    The head says which record was the last one. If that is gone or was altered, the next one still follows what was
    written, so that the gap stays to be seen; nor does a folder that somebody has put there change the number. One
    record may be after the head: its run was killed before it could write the head.
    """
    head, wrong = read_head(project, name)
    names = sorted(path.name for path in folder.glob("*") if NAME.fullmatch(path.name))
    if wrong or (head is None and len(names) > 1):
        path = head_file(project, name)
        raise EvidenceError(
            f"{path} {f'is damaged: {wrong}' if wrong else 'is gone, and there are records'}",
            fix=f"restore it from a copy, or keep it and {folder} elsewhere; then the next run begins a new chain",
        )
    sequence, last = (head.sequence, head.digest) if head else (0, FIRST)
    for one in names:
        found = read_stored(folder / one) if one.startswith(f"{sequence + 1:06}-") else None
        if found and found.record and (found.record.sequence, found.record.previous) == (sequence + 1, last):
            return sequence + 2, found.digest
    return sequence + 1, last


def _write(path: Path, content: bytes) -> File:
    with path.open("xb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())
    path.chmod(READ_ONLY)
    return File(name=path.name, bytes=len(content), sha256=digest(content))


def _log(project: Project, path: Path) -> File:
    size, found = size_and_digest(path)
    return File(name=str(path.relative_to(project.state)), bytes=size, sha256=found)


def _remove_drafts(folder: Path) -> None:
    """What a killed run left; the lock is held, so nobody writes one now."""
    for draft in folder.glob(f"{DRAFT}*"):
        shutil.rmtree(draft, ignore_errors=True)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
