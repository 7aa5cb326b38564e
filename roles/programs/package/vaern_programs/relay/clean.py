"""Makes an event fit to leave the site: valid UTF-8, and civil registration numbers taken out.

    clean mask|hash|keep

rsyslog runs it (mmexternal) for those events only that may need it. One event a line in, one line of JSON out.
"""

from __future__ import annotations

import codecs
import json
import os
import sys
from collections.abc import Callable, Iterator

from vaern_programs.relay.cpr import cleaned, replacement_of

AT_ONCE = 1 << 20


def one_byte(error: UnicodeError) -> tuple[str, int]:
    """What is not UTF-8 is read as Latin-1, as older Danish equipment sends it; no byte is lost."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("latin-1"), error.end


def lines(descriptor: int) -> Iterator[bytes]:
    """Lines without their ends. Read without a buffer in front: rsyslog waits for each answer."""
    rest = b""
    while data := os.read(descriptor, AT_ONCE):
        *whole, rest = (rest + data).split(b"\n")
        yield from whole
    if rest:
        yield rest


def answer(line: bytes, replacement: Callable[[str], str] | None) -> bytes:
    """The line that tells rsyslog which message to carry."""
    message = line.decode("utf-8", "latin-1-byte")
    if replacement:
        message = cleaned(message, replacement)
    return b'{"$!":{"message":' + json.dumps(message, ensure_ascii=False).encode("utf-8", "replace") + b"}}\n"


def main(arguments: list[str]) -> int:
    """Answer every line until rsyslog closes the pipe. Without its key it answers nothing, and the event stays."""
    (mode,) = arguments
    codecs.register_error("latin-1-byte", one_byte)
    try:
        replacement = replacement_of(mode)
    except (OSError, ValueError) as error:
        print(f"clean: {error}", file=sys.stderr)
        return 1
    for line in lines(0):
        data = memoryview(answer(line, replacement))
        while data:
            data = data[os.write(1, data) :]
    return 0
