"""What one line of the archive says of how its source is read. Pure; a relay may have written anything."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.observed import LINE_CHARACTERS
from vaern_programs.shared.times import unix

LONGEST = 2**20
WITHHELD = (b'"message":"<13>', b'[withheld: could not be read]"')
CUT = (b" ", b'[cut: longer than 64 KiB]"')
"""As the reader on the relay writes them; the second half is rare in a line, and so is found fast. A quotation mark in
a message is escaped, so they stand where a message begins or ends."""
FORMS = (
    ("RFC 5424", re.compile(r"<\d{1,3}>1 ")),
    ("RFC 3164", re.compile(r"<\d{1,3}>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d ")),
    ("a time of ISO 8601", re.compile(r"<\d{1,3}>\d{4}-\d\d-\d\dT")),
    ("a priority and no time", re.compile(r"<\d{1,3}>")),
)
"""Forms of a header, the first that fits."""
NO_HEADER = "no header"
VERSIONS = (
    re.compile(r"(?:CEF|LEEF):\d(?:\.\d)?\|[^|]{0,60}\|[^|]{0,60}\|([^|]{1,40})\|"),
    re.compile(r'(?:^|[\s,;|])(?:os_?|sw_?|dev_?)?version="?([0-9][\w.-]{0,30})', re.IGNORECASE),
)
HEAD_CHARACTERS = 1024
"""Of a message, in which a version is looked for."""
DIGIT = re.compile(r"\d")


class Line(NamedTuple):
    """One line."""

    read: bool
    """Whether the reader found the fields of the vendor's format."""
    clock_off: float | None
    """The sender's time less the time of reception, seconds; None for a line that says none."""
    fields: frozenset[str]
    header: str
    """The form of its header."""
    version: str
    """What it says about the version of its sender; empty for nothing."""
    excerpt: str
    """The beginning of one that was not read, with every digit masked and nothing that a terminal acts on."""


def line_of(text: bytes) -> Line | None:
    """What a line of the archive says; None for one that is no event of a source."""
    try:
        event = loads(text, LONGEST)
    except UnfitError:
        return None
    if not isinstance(event, dict) or not isinstance(event.get("message"), str):
        return None
    found = event.get("ecs")
    fields: dict[str, Any] = found if isinstance(found, dict) else {}
    message: str = event["message"]
    is_read = event.get("parsed") is True
    return Line(
        is_read,
        _clock_off(event, fields),
        frozenset(name for name, value in fields.items() if value not in ("", None)),
        next((name for name, form in FORMS if form.match(message)), NO_HEADER),
        _version(message),
        "" if is_read else masked(message),
    )


def masked(message: str) -> str:
    """The beginning of a message for people: its form, and no number of anybody's."""
    shown = "".join(letter if letter.isprintable() else "?" for letter in message[:LINE_CHARACTERS])
    return DIGIT.sub("#", shown)


def _version(message: str) -> str:
    head = message[:HEAD_CHARACTERS]
    found = next((match for one in VERSIONS if (match := one.search(head))), None)
    return "".join(letter for letter in found[1] if letter.isprintable()) if found else ""


def _clock_off(event: Mapping[str, Any], fields: Mapping[str, Any]) -> float | None:
    said, received = fields.get("@timestamp"), event.get("received")
    # A line without a time has that of its reception, to the last digit.
    if not isinstance(said, str) or not isinstance(received, str) or said == received:
        return None
    off = unix(said) - unix(received)
    return off if off == off else None  # noqa: PLR0124 - not a number is the only thing that is not itself
