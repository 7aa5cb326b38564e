"""Makes what a terminal would obey, or a reader would not see, visible in a text that others have written.

Text of a host (an event, a name, what a command printed) may hold control characters that clear a screen, colour a
line, set a window's title, or turn the direction of writing. Each is written as Python writes it: `\\x1b`, `\\u202e`.
"""

from __future__ import annotations

import re

# Unicode's categories Cc, Cf, Cs, Zl and Zp, without tab and line feed; and the two that XML never takes.
_SILENT = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\ud800-\udfff\ufeff\ufff9-\ufffb\ufffe\uffff\U000110bd\U000110cd"
    "\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e007f]"
)
_BREAKS = re.compile("[\t\n]")
_BEYOND = 0x10000


def visible(text: str) -> str:
    """The text with every such character written out; lines and tabs stay."""
    return _SILENT.sub(lambda found: _escaped(found[0]), text)


def visible_line(text: str) -> str:
    """The same on one line, so that no text can pass for a line of ours."""
    return _BREAKS.sub(lambda found: _escaped(found[0]), visible(text))


def visible_json(text: str) -> str:
    """A JSON document with these characters as JSON's own escapes: the same document, whoever prints it."""
    return _SILENT.sub(lambda found: _escaped_in_json(found[0]), text)


def _escaped(character: str) -> str:
    return repr(character)[1:-1] if not character.isprintable() else f"\\u{ord(character):04x}"


def _escaped_in_json(character: str) -> str:
    """Outside the first plane as two halves (RFC 8259, 7)."""
    number = ord(character)
    if number < _BEYOND:
        return f"\\u{number:04x}"
    above = number - _BEYOND
    return f"\\u{0xD800 + (above >> 10):04x}\\u{0xDC00 + (above & 0x3FF):04x}"
