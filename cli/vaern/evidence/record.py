"""The record of one run, and its exact bytes. Pure: a record in, bytes out, and back.

The bytes are what is hashed and signed, so a record is never written a second time. They are JSON on one line with
sorted keys, which a person reads with `jq`.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

SCHEMA = 1
"""Version of a record. Raised when a field changes its meaning; fields may be added without."""
FIRST = "0" * 64
"""What stands for the record before the first one."""
FINDINGS = "findings.json"
"""Name of the document of a run's findings."""
LONGEST_TEXT = 2000
"""Characters of one text; what is longer is cut, and ends with an ellipsis."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True)


class File(_Frozen):
    """A file that belongs to a record. The name of a log is its path in the state directory."""

    name: str
    bytes: int
    sha256: Digest


class Operator(_Frozen):
    """Who ran it, as the machine says: `user` of the process, `as_root_for` when that is root by sudo."""

    user: str
    as_root_for: str
    machine: str


class Source(_Frozen):
    """What ran: the commit of the project, and whether files differed from it. Outside git it is empty, and they do."""

    commit: str
    modified: bool


class Approval(_Frozen):
    """The approval that was in force: digest of the manifest that was signed, who signed it, and who countersigned."""

    manifest: Digest
    signer: str
    countersigner: str = ""


class Unfinished(_Frozen):
    """A run that ended without a record: it was killed or interrupted. Found by the next one."""

    command: tuple[str, ...]
    operator: Operator
    started: str


class Run(_Frozen):
    """What is known of a run when it has ended. Times are UTC, RFC 3339; digests are SHA-256 in hexadecimal."""

    command: tuple[str, ...]
    """The words after `vaern`."""
    deployment: str
    code: str
    """Of the municipality; empty for the shared collectors."""
    operator: Operator
    source: Source
    versions: dict[str, str]
    started: str
    ended: str
    exit_code: int
    outcome: str
    """In words: the verdict's sentence, or the error that ended the run."""
    verdict: str = ""
    """In one word; empty for a run that gives none."""
    whole: bool = False
    """Whether all controls were judged, so that this is the municipality's result."""
    proved: bool = False
    """Whether proofs were made."""
    declarations: dict[str, Digest] = {}
    """Path of each declaration that decided, and its digest."""
    inventory: str = ""
    """Digest of the list of generated files with their digests."""
    approval: Approval | None = None
    """None where none is required and none is there."""
    unfinished: tuple[Unfinished, ...] = ()


class Record(_Frozen):
    """One run in its chain. `previous` is the digest of the record before it."""

    schema_version: int = SCHEMA
    chain: str
    """Slug of the municipality, or `shared`."""
    sequence: int
    previous: Digest
    signed: bool
    """Whether a signature belongs to it. Without one, whoever can write the folder can write another history."""
    run: Run
    files: tuple[File, ...]
    """What is beside the record: findings and such."""
    logs: tuple[File, ...]
    """Logs of the run, which are not kept as long."""

    @property
    def has_findings(self) -> bool:
        """Whether findings are beside it."""
        return any(file.name == FINDINGS for file in self.files)


def render(record: Record) -> bytes:
    """The bytes of a record."""
    document = record.model_dump(mode="json")
    return json.dumps(document, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode() + b"\n"


def parse(content: bytes) -> Record:
    """The record of some bytes. Raises ValueError saying what is wrong."""
    try:
        record = Record.model_validate_json(content, strict=True)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"it is no record: {where or 'the file'}: {first['msg']}") from error
    if record.schema_version != SCHEMA:
        raise ValueError(f"it has schema {record.schema_version}, and this version of vaern reads schema {SCHEMA}")
    return record


def digest(content: bytes) -> str:
    """SHA-256 in hexadecimal, as `sha256sum` prints it."""
    return hashlib.sha256(content).hexdigest()


def short(text: str) -> str:
    """A text of bounded length, of characters that UTF-8 has: a file's name may hold others."""
    text = text.encode(errors="backslashreplace").decode()
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"
