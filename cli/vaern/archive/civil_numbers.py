"""Whether a text that is searched for holds a civil registration number (CPR), which sites take out of what they send.

What a site spares by its shape (docs/decisions/0052) is in the archive and can be searched for: hashes, GUIDs and
security identifiers hold ten digits in a row by chance.
"""

from __future__ import annotations

import re

from vaern_programs.shared.births import is_birth

_NUMBER = re.compile(r"(?<![0-9])(?=([0-9]{2})([0-9]{2})([0-9]{2})[- ]?([0-9])[0-9]{3}(?![0-9]))")
_PART = "-(?:0|[1-9][0-9]{0,9})"
_HASH = "|".join(f"[0-9a-fA-F]{{{digits}}}" for digits in (128, 96, 64, 56, 40, 32))
_IDENTIFIER = re.compile(
    rf"""(?<![0-9A-Za-z])(?:
      {_HASH}
      | [0-9a-fA-F]{{8}}(?:-[0-9a-fA-F]{{4}}){{3}}-[0-9a-fA-F]{{12}}
      | [Ss]-1-(?:5-21(?:{_PART}){{3,4}} | (?:5-83-1|12-1)(?:{_PART}){{4,5}} | 5-8[02](?:{_PART}){{5,6}}
                 | 15-2(?:{_PART}){{7,8}}) (?!-[0-9])
    )(?![0-9A-Za-z])""",
    re.VERBOSE,
)
"""MD5, SHA-1, SHA-224, SHA-256, SHA-384 and SHA-512 by their length; GUIDs; accounts of Windows and Entra ID."""


def holds_number(text: str) -> bool:
    """Whether it holds the digits of one, with a hyphen, a space or nothing between, outside any identifier."""
    outside = _IDENTIFIER.sub("x", text)
    return any(is_birth(*map(int, found.groups())) for found in _NUMBER.finditer(outside))
