"""Verification: every control of the baseline on every host it applies to, host against declaration.

The checks are ordinary pytest functions in `tests/compliance/`, so that municipal IT can read and run them
without vaern's command. This package gathers what they look at, and turns their results into findings.
"""

from __future__ import annotations

from vaern.verify.running import verify

__all__ = ["verify"]
