"""RELP (Reliable Event Logging Protocol), the part that hands one message to a relay and hears that it was taken.

A frame is `NUMBER COMMAND LENGTH DATA` and a line feed; an answer has the number of what it answers, the command `rsp`
and data that begin with 200 when all is well. rsyslog's own client can do this only as a daemon of its own.
"""

from __future__ import annotations

from typing import Protocol

LONGEST_ANSWER = 4096
"""Bytes of data. A relay answers with its version and commands, some 100 bytes."""
OFFER = b"relp_version=0\nrelp_software=vaern-watch\ncommands=syslog"


class Stream(Protocol):
    """What a session goes over, both ways. Each method raises OSError."""

    def read(self, count: int, /) -> bytes:
        """So many bytes; fewer only at the end."""

    def write(self, data: bytes, /) -> int:
        """All of it, sooner or later."""

    def flush(self) -> None:
        """Send what has been written."""


def deliver(message: bytes, to: Stream) -> None:
    """Open a session, hand the message over and close. Raises OSError when the relay does not acknowledge it."""
    for number, command, data in ((1, b"open", OFFER), (2, b"syslog", message)):
        to.write(frame(number, command, data))
        to.flush()
        acknowledged(to, number)
    # The answer to this one changes nothing: the message is the relay's.
    to.write(frame(3, b"close", b""))
    to.flush()


def frame(number: int, command: bytes, data: bytes) -> bytes:
    """One frame."""
    head = b"%d %s %d" % (number, command, len(data))
    return head + (b" " + data if data else b"") + b"\n"


def acknowledged(answers: Stream, number: int) -> None:
    """Read the answer to that frame. Raises OSError when it is another one, a refusal, or no answer at all."""
    head = [_word(answers) for _ in range(3)]
    try:
        answered, command, length = int(head[0]), head[1], int(head[2])
    except ValueError:
        raise OSError(f"the relay does not speak RELP: {b' '.join(head)!r}") from None
    if (answered, command) != (number, b"rsp") or not 0 < length <= LONGEST_ANSWER:
        raise OSError(f"the relay answered {b' '.join(head)!r} to frame {number}")
    # One more byte: the line feed.
    data = answers.read(length + 1)
    if not data.startswith(b"200"):
        raise OSError(f"the relay refused: {data[:200]!r}")


def _word(answers: Stream) -> bytes:
    """What is before the next space, at most nine bytes."""
    word = b""
    while len(word) < 9 and (byte := answers.read(1)) not in {b"", b" ", b"\n"}:
        word += byte
    return word
