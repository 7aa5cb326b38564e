"""Approval: municipal IT signs what decides about its network, before anything is applied.

manifest   the text that is signed: digests and values of everything that decides, serial and expiry
contents   what it covers
signing    SSH signatures, made and checked
roots      what no change of the repository can alter: pinned signers, and what was applied last
making     prepares, signs and countersigns
checking   compares what would be applied with what was signed
"""

from __future__ import annotations

from vaern.approval.checking import Approval, check
from vaern.approval.contents import contents
from vaern.approval.making import ROLLBACK_DAYS, VALID_DAYS, approve, countersign, prepared, write_manifest
from vaern.approval.manifest import Contents, Manifest
from vaern.approval.roots import Roots

__all__ = [
    "ROLLBACK_DAYS",
    "VALID_DAYS",
    "Approval",
    "Contents",
    "Manifest",
    "Roots",
    "approve",
    "check",
    "contents",
    "countersign",
    "prepared",
    "write_manifest",
]
