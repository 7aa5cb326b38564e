"""Whether the records of a chain fit together, and if not, which is the first that does not.

A record fits when its bytes are those that its folder is named after, it follows the record before it, its files are
those it names, and its signature is one of somebody who may sign. Pure, but for the signatures, which `signer` judges.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vaern.evidence.chain import SIGNATURE, Chain, Head, Stored, size_and_digest
from vaern.evidence.record import FIRST, Record
from vaern.model.naming import UNSIGNED
from vaern.model.progress import counted

Signer = Callable[[Stored, Record], str]
"""Gives who signed a record, or the empty text when nobody did who may."""


@dataclass(frozen=True, slots=True)
class Fault:
    """The first record that does not fit. Without a record of its own, `sequence` is that of the one that lacks."""

    sequence: int
    path: Path
    what: str
    unsigned: bool = False
    """Whether all that is wrong is that it had to be signed."""

    def __str__(self) -> str:
        return f"record {self.sequence} does not fit: {self.what}"


@dataclass(frozen=True, slots=True)
class Checked:
    """What was found of one chain. `signers` are in the order in which they first signed."""

    chain: str
    records: int
    signed: int
    signers: tuple[str, ...]
    last: str
    """Digest of the last record; empty without any."""
    notes: tuple[str, ...]
    """What is no fault, and has to be known."""
    fault: Fault | None

    def __str__(self) -> str:
        """In a sentence; what is unsigned is called so."""
        if self.fault:
            return f"{self.chain}: {self.fault}"
        if not self.records:
            return f"{self.chain}: no run has left a record yet"
        parts = [f"{self.chain}: {counted(self.records, 'record')}, nothing was altered"]
        if self.signed:
            parts.append(f"{self.signed} signed by {', '.join(self.signers)}")
        if self.signed < self.records:
            parts.append(f"{self.records - self.signed} unsigned: whoever can write the folder can have made them anew")
        return "; ".join([*parts, f"the last one is {self.last}", *self.notes])


class _DoesNotFitError(Exception):
    """Carries the fault to `check`."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(str(fault))
        self.fault = fault


def _misfit(stored: Stored, what: str, path: Path | None = None) -> _DoesNotFitError:
    return _DoesNotFitError(Fault(stored.sequence, path or stored.folder, what))


def _unsigned(stored: Stored, what: str) -> _DoesNotFitError:
    return _DoesNotFitError(Fault(stored.sequence, stored.folder, what, unsigned=True))


def check(chain: Chain, signer: Signer, logs: Path, *, kept: str = "", unsigned: Head | None = None) -> Checked:
    """Judge a chain.

    Args:
        chain: what is on the disk.
        signer: judges signatures.
        logs: the folder that the names of logs are relative to.
        kept: digest of a record that was noted elsewhere, and has to be in the chain.
        unsigned: the last record that need not be signed, with those before it; None where none has to be.
    """
    signers: dict[str, int] = {}
    notes: list[str] = []
    fault = None
    try:
        _records_fit(chain, signer, signers, unsigned)
        fault = _logs_fit(chain, logs, notes) or _nothing_is_cut_off(chain, kept, notes) or _nothing_strange(chain)
    except _DoesNotFitError as error:
        fault = error.fault
    last = chain.stored[-1].digest if chain.stored else ""
    total = sum(signers.values())
    return Checked(chain.name, chain.skipped + len(chain.stored), total, tuple(signers), last, tuple(notes), fault)


def _records_fit(chain: Chain, signer: Signer, signers: dict[str, int], unsigned: Head | None) -> None:
    """Each record by itself and after the one before it. Raises _DoesNotFitError."""
    before: Stored | None = None
    for position, stored in enumerate(chain.stored, start=chain.skipped + 1):
        _number_fits(chain, stored, position)
        record = _bytes_fit(stored)
        if record.chain != chain.name or record.sequence != stored.sequence:
            raise _misfit(stored, f"it is record {record.sequence} of {record.chain}")
        follows_unread = before is None and chain.skipped > 0
        if not follows_unread and record.previous != (before.digest if before else FIRST):
            raise _out_of_order(chain, stored, record, before)
        if not record.signed and unsigned is not None:
            _may_be_unsigned(chain, stored, unsigned)
        _signature_fits(stored, record, signer, signers)
        _files_fit(stored, record)
        before = stored


def _number_fits(chain: Chain, stored: Stored, position: int) -> None:
    if stored.sequence > position:
        missing = f"it is missing; the next one that is there is {stored.folder.name}"
        raise _DoesNotFitError(Fault(position, chain.folder, missing))
    if stored.sequence < position:
        raise _misfit(stored, f"another folder has the same number: {stored.folder.name} is one too many")


def _bytes_fit(stored: Stored) -> Record:
    if stored.content is None:
        raise _misfit(stored, stored.wrong)
    if not stored.digest.startswith(stored.named):
        raise _misfit(
            stored,
            f"its bytes are not those that were written: they have the digest {stored.digest[:12]}..., "
            f"and its folder is named after {stored.named}...",
        )
    if stored.record is None:
        raise _misfit(stored, stored.wrong)
    return stored.record


def _out_of_order(chain: Chain, stored: Stored, record: Record, before: Stored | None) -> _DoesNotFitError:
    """Which of the two is wrong: the one that what comes after knows by its digest is right."""
    if before is None:
        return _misfit(stored, "it is the first one, and names another before it")
    known = {one.record.previous for one in chain.stored if one.record} | {chain.head.digest if chain.head else ""}
    if stored.digest in known and before.digest not in known:
        return _misfit(before, f"record {stored.sequence} follows another one, {record.previous[:12]}...")
    return _misfit(stored, f"it follows {record.previous[:12]}..., and the record before it is {before.digest[:12]}...")


def _may_be_unsigned(chain: Chain, stored: Stored, last: Head) -> None:
    """A record without a signature, where records are signed, is one of those that the repository names."""
    if stored.sequence > last.sequence:
        raise _unsigned(stored, "it is not signed, and records have to be")
    if not any((one.sequence, one.digest) == (last.sequence, last.digest) for one in chain.stored):
        raise _unsigned(
            stored, f"it is not signed, and record {last.sequence} is not {last.digest[:12]}..., as {UNSIGNED} says"
        )


def _signature_fits(stored: Stored, record: Record, signer: Signer, signers: dict[str, int]) -> None:
    if not record.signed:
        if os.path.lexists(stored.signature):
            raise _misfit(stored, f"it was not signed, and {SIGNATURE} is there", stored.signature)
        if signers:
            raise _misfit(stored, "it is not signed, and those before it are")
        return
    if not stored.signature.is_file():
        raise _misfit(stored, f"it was signed, and {SIGNATURE} is gone", stored.signature)
    who = signer(stored, record)
    if not who:
        raise _misfit(stored, "its signature is not valid, or of nobody who may sign", stored.signature)
    signers[who] = signers.get(who, 0) + 1


def _files_fit(stored: Stored, record: Record) -> None:
    named = {file.name: (file.bytes, file.sha256) for file in record.files}
    for name in sorted({*named, *stored.files}):
        path = stored.folder / name
        if name not in stored.files:
            raise _misfit(stored, f"{name} is gone", path)
        if name not in named:
            raise _misfit(stored, f"{name} was not there when it was written", path)
        if named[name] != stored.files[name]:
            raise _misfit(stored, f"{name} is not as it was written", path)


def _logs_fit(chain: Chain, logs: Path, notes: list[str]) -> Fault | None:
    """Logs that are there have to be as they were; they are not kept as long as records."""
    gone = 0
    for stored in chain.stored:
        for log in stored.record.logs if stored.record else ():
            path = logs / log.name
            if not path.is_file():
                gone += 1
            elif size_and_digest(path) != (log.bytes, log.sha256):
                return Fault(stored.sequence, path, "a log of the run is not as it was written")
    if gone:
        notes.append(f"{gone} log{'s' if gone > 1 else ''} of its runs {'are' if gone > 1 else 'is'} no longer kept")
    return None


def _nothing_is_cut_off(chain: Chain, kept: str, notes: list[str]) -> Fault | None:
    """The last record is the one that the head knows, and the one that was noted elsewhere is there."""
    count = chain.skipped + len(chain.stored)
    digests = {stored.sequence: stored.digest for stored in chain.stored}
    if chain.head_wrong:
        return Fault(count, chain.folder.with_name(f"{chain.name}.head"), f"of its head, {chain.head_wrong}")
    if chain.head is None and count > 1:
        return Fault(count, chain.folder.with_name(f"{chain.name}.head"), "the file that names the last one is gone")
    if chain.head and chain.head.sequence > count:
        return Fault(count + 1, chain.folder, f"it is missing; the last one that was written is {chain.head.path}")
    if chain.head and digests.get(chain.head.sequence, chain.head.digest) != chain.head.digest:
        at = chain.stored[chain.head.sequence - 1 - chain.skipped]
        return Fault(at.sequence, at.folder, f"the one that was written is {chain.head.path}")
    if kept and kept not in digests.values():
        return Fault(count + 1, chain.folder, f"none has the digest {kept}: records were cut off or replaced")
    known = chain.head.sequence if chain.head else 0
    if known < count:
        notes.append(f"the head does not know record {known + 1} yet: its run was ended while it was written")
    return None


def _nothing_strange(chain: Chain) -> Fault | None:
    for path in chain.strange:
        return Fault(len(chain.stored), path, f"{path.name} is beside it, and is no record")
    return None
