"""Which event a line holds: the same event has the same relay, boot (start of the relay), source and sequence number.

The regular expression finds the fields in the order the relay's template writes them (0.9 s of one core a million
events); a line in another order is read as JSON. Quotes inside a message are escaped, so no message can look like the
beginning of an event.
"""

from __future__ import annotations

import re

from vaern_programs.shared.json_text import UnfitError, loads
from vaern_programs.shared.reports import BOOT_NAME, EVENT_BYTES, RELAY_NAME, SOURCE_NAME

TIME = "[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.+Z-]{8,29}"
IDENTITY = re.compile(
    rf'\{{"time":"[^"]*","received":"({TIME})","municipality":"[0-9]{{4}}","relay":"({RELAY_NAME})",'
    rf'"boot":"({BOOT_NAME})","sequence":([0-9]{{1,18}}),"site":"[^"]*","source":"({SOURCE_NAME})"'.encode()
)
NAMES = {name: re.compile(pattern) for name, pattern in (
    ("received", TIME), ("relay", RELAY_NAME), ("boot", BOOT_NAME), ("source", SOURCE_NAME),
)}  # fmt: skip
BEGINNING = b'{"time":"'
Identity = tuple[bytes, bytes, bytes, int, bytes]
"""Time, relay, boot, sequence number and source."""


def last_event(line: bytes) -> bytes:
    """The event that a line ends with: where a disk was full, what follows an event that was cut off is in its line.

    A quotation mark in a message is escaped, so nothing inside an event looks like its beginning.
    """
    return line[max(0, line.rfind(BEGINNING)) :]


def identity_of(line: bytes) -> Identity | None:
    """That of one line in whatever order it has the fields; None when it is no event."""
    match = IDENTITY.match(line)
    if match:
        return match[1], match[2], match[3], int(match[4]), match[5]
    try:
        event = loads(line, EVENT_BYTES)
        texts = [event[name] for name in NAMES]
        sequence = event["sequence"]
    except (UnfitError, KeyError, TypeError):
        return None
    whole = all(isinstance(text, str) and NAMES[name].fullmatch(text) for name, text in zip(NAMES, texts, strict=True))
    if not whole or not isinstance(sequence, int) or isinstance(sequence, bool) or not 0 <= sequence < 10**18:
        return None
    received, relay, boot, source = (text.encode() for text in texts)
    return received, relay, boot, sequence, source
