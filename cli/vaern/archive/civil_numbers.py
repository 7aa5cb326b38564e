"""Whether a text holds a civil registration number (CPR), which sites take out of what they send, and it without any.

What a site spares by its shape (docs/decisions/0052) is in the archive and can be searched for: hashes, GUIDs and
security identifiers hold ten digits in a row by chance.
"""

from __future__ import annotations

import json
import re
from typing import Any

from vaern_programs.shared.births import is_birth

_NUMBER = re.compile(r"(?<![0-9])([0-9]{2})([0-9]{2})([0-9]{2})[- ]?([0-9])[0-9]{3}(?![0-9])")
"""Two of them never share a digit, so that one may be taken out after the other."""
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
    return any(_is_number(found) for found in _NUMBER.finditer(outside))


def masked(text: str) -> str:
    """The text with `[CPR]`, as sites write it, in the place of each number outside any identifier."""
    done, at = "", 0
    for spared in _IDENTIFIER.finditer(text):
        done += _without_numbers(text[at : spared.start()]) + spared[0]
        at = spared.end()
    return done + _without_numbers(text[at:])


def masked_document(text: str) -> str:
    """A document of JSON with every text in it masked, however its digits are escaped; any other text masked.

    Where it holds no number it is the same, byte for byte.
    """
    try:
        values = json.loads(text)
        made = _masked_values(values)
        return masked(text) if made == values else json.dumps(made, ensure_ascii=False, indent=2) + "\n"
    except (ValueError, RecursionError):
        return masked(text)


def _masked_values(value: Any) -> Any:
    if isinstance(value, dict):
        return {masked(key): _masked_values(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_masked_values(inner) for inner in value]
    if isinstance(value, str):
        return masked(value)
    return "[CPR]" if isinstance(value, int | float) and holds_number(str(value)) else value


def _without_numbers(text: str) -> str:
    return _NUMBER.sub(lambda found: "[CPR]" if _is_number(found) else found[0], text)


def _is_number(found: re.Match[str]) -> bool:
    return is_birth(*map(int, found.groups()))
