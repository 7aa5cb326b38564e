"""Approval: municipal IT signs exactly what will be applied to its network, before anything is applied."""

from __future__ import annotations

from vaern.approval.signing import SIGNERS, manifest, sign, verify

__all__ = ["SIGNERS", "manifest", "sign", "verify"]
