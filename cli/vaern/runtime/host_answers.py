"""Reads JSON that a host has sent and that has no schema of its own: what `nft`, `ip` or an archived event says.

A host may be in other hands. Its numbers may be infinite, its texts endless and deep; none of that reaches what is
computed from an answer. What programs of vaern answer is read by its schema instead (`vaern_programs.shared.answers`).
"""

from __future__ import annotations

from typing import Any

from vaern_programs.shared.reports import UnfitError, loads

LARGEST = 2**63
"""Every count, size and time of vaern fits in 64 bits."""
ANSWER_BYTES = 64 << 20
"""As much as is read of one host at most."""


def load(text: str) -> Any:
    """The value of a JSON text. Raises ValueError for any other text, also one that is nested too deeply.

    A number that is none (NaN), infinite or larger than any count is refused too.
    """
    return loads(text, ANSWER_BYTES, _whole)


def _whole(text: str) -> int:
    if len(text) > len(str(LARGEST)) or abs(int(text)) > LARGEST:
        raise UnfitError("a number is larger than any count")
    return int(text)
