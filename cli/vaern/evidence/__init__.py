"""Evidence: the record of each run, in one chain for each municipality in which no record can be changed unnoticed.

record      what is known of a run, and its exact bytes
chain       the folders of a chain, and the last record that is known
announcing  notes that a run has begun, so that one that is killed is in the next record
appending   adds a record: complete or not at all, in the place of none
checking    whether records fit together, and which is the first that does not
signing     with which key records are signed, and who may
required    from which record on a chain has to be signed
reading     records that fit, for those who rely on them
comparing   what differs between two records
presenting  records as lines and rows
"""

from __future__ import annotations

from vaern.evidence.announcing import announced
from vaern.evidence.appending import Kept, append, require_ready
from vaern.evidence.chain import names, read_chain
from vaern.evidence.checking import Checked, Fault
from vaern.evidence.comparing import compare_findings, compare_runs
from vaern.evidence.presenting import line, lines, outside, row, summary
from vaern.evidence.reading import Reading, does_not_fit, read, read_number, verify
from vaern.evidence.record import FINDINGS, Approval, Operator, Record, Run, Source, render, short

__all__ = [
    "FINDINGS",
    "Approval",
    "Checked",
    "Fault",
    "Kept",
    "Operator",
    "Reading",
    "Record",
    "Run",
    "Source",
    "announced",
    "append",
    "compare_findings",
    "compare_runs",
    "does_not_fit",
    "line",
    "lines",
    "names",
    "outside",
    "read",
    "read_chain",
    "read_number",
    "render",
    "require_ready",
    "row",
    "short",
    "summary",
    "verify",
]
