"""Records for those who rely on them: nothing is given of a chain in which something does not fit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from vaern.errors import EvidenceError, UsageError
from vaern.evidence import required, signing
from vaern.evidence.chain import Chain, Stored, head_file, read_chain
from vaern.evidence.checking import Checked, Fault, check
from vaern.evidence.record import FINDINGS, Record
from vaern.model.naming import SHARED
from vaern.runtime.paths import Project


@dataclass(frozen=True, slots=True)
class Reading:
    """One record that fits, with its digest and the folder of its files."""

    record: Record
    digest: str
    folder: Path

    @property
    def findings(self) -> Path:
        """The document of its findings, whether or not the record has one."""
        return self.folder / FINDINGS


def verify(project: Project, name: str, *, signers: Path | None = None, kept: str = "") -> Checked:
    """Judge a whole chain with every signature. `signers` replaces the file in the repository.

    `kept` is the digest of a record that was noted elsewhere. Raises EvidenceError when the signers are not known.
    """
    judge = signing.signer(signers or signing.signers_file(project))
    unsigned = required.may_be_unsigned(project, name, signers)
    return check(read_chain(project, name), judge, project.state, kept=kept, unsigned=unsigned)


def read(
    project: Project, name: str, wanted: Callable[[Record], bool] = lambda _: True, *, whole: bool = True
) -> Reading | None:
    """The last record for which `wanted` is true; None without one. Raises EvidenceError when something does not fit.

    All digests are looked at, and the signature of this record, which by them covers all before it. When not `whole`,
    only this record and those after it are.
    """
    chain = read_chain(project, name, None if whole else wanted)
    chosen = next((one for one in reversed(chain.stored) if one.record and wanted(one.record)), None)
    require_fit(project, chain, chosen)
    if chosen is None or chosen.record is None:
        return None
    return Reading(chosen.record, chosen.digest, chosen.folder)


def read_number(project: Project, name: str, sequence: int) -> Reading:
    """Record number `sequence`. Raises UsageError when there is none, EvidenceError when something does not fit."""
    found = read(project, name, lambda record: record.sequence == sequence)
    if found is None:
        raise UsageError(f"{name} has no record {sequence}", fix=f"`vaern evidence list {name}` lists those it has")
    return found


def require_fit(project: Project, chain: Chain, chosen: Stored | None) -> None:
    """Raise EvidenceError, naming the first record that does not fit."""
    judge = signing.signer(signing.signers_file(project))

    def judge_one(stored: Stored, record: Record) -> str:
        return judge(stored, record) if stored is chosen else "not asked"

    unsigned = required.may_be_unsigned(project, chain.name)
    fault = check(chain, judge_one, project.state, unsigned=unsigned).fault
    if fault:
        raise does_not_fit(project, chain.name, fault)


def does_not_fit(project: Project, name: str, fault: Fault) -> EvidenceError:
    """The error that names a fault: what, where, and what to do."""
    again = "vaern up" if name == SHARED else f"vaern verify {name}"
    what = f"{fault.path}: in the evidence of {name}, {fault}"
    if fault.unsigned:
        return EvidenceError(what, fix=required.begun_unsigned(project, name))
    folder = read_chain(project, name).folder
    return EvidenceError(
        what,
        fix=f"restore it from a copy. Without one, move {folder} and {head_file(project, name).name} beside it away "
        f"for whoever looks into it, and run `{again}`, which begins a new chain",
    )
