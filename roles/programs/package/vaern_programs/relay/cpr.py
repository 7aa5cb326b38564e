"""Civil registration numbers (CPR) in text: which digits are one, and what is put in their place.

A number is six digits that are a date of birth, perhaps a separator, and four digits; not inside a longer run of
digits. The seventh digit tells the century, so that 29 February is judged by its own year. In a replacement number, for
somebody who has none, the day is 60 higher. The check digit is not looked at: numbers without it have been issued since
2007. What stands between the two groups may be a hyphen or a space in any of the ways that logs write them; see
docs/cpr.md for what is found and what is not. Seconds since 1970 that are marked as such are left, and so
are the microseconds of a time of day.
Source of the rules: https://www.cpr.dk/spoergsmaal-og-svar/personnummer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from pathlib import Path

from vaern_programs.shared.births import is_birth

KEY = Path("/etc/vaern/log_shipper/cpr.key")
KEY_BYTES = 32
TOKEN_BYTES = 8
"""64 bits: among all numbers of a country of six million, two share a token with a chance of one in a million."""
LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
"""A token has no digits, so nothing in it can be taken for a number."""

_DASH = (
    r"(?:[-\u00ad\u0096\u0097\u2010-\u2015\u2043\u2212\ufe58\ufe63\uff0d]"
    r"|%(?:25)?2[Dd]|%(?:25)?[Cc]2%(?:25)?[Aa][Dd]|%(?:25)?[Ee]2%(?:25)?80%(?:25)?9[0-5]|%(?:25)?[Ee]2%(?:25)?88%(?:25)?92"
    r"|\\{1,4}u(?:002[Dd]|00[Aa][Dd]|201[0-5]|2212)"
    r"|&(?:#45|#x2[Dd]|#173|#82(?:0[89]|1[0-3])|shy|ndash|mdash|minus);)"
)
_SPACE = (
    r"(?:[ +\u00a0\u2000-\u200b\u202f\u205f\u2060\u3000\ufeff]"
    r"|%(?:25)?20|%(?:25)?[Cc]2%(?:25)?[Aa]0|\\{1,4}u00(?:20|[Aa]0)|&(?:#32|#x20|#160|#x[Aa]0|nbsp);)"
)
_ESCAPED = "|".join(
    rf"(?<={escape}\d\d)"
    for escape in (r"#[0-7]{3}", r"%[0-9A-Fa-f]{2}", r"%25[0-9A-Fa-f]{2}", r"\\u[0-9A-Fa-f]{4}", r"\\x[0-9A-Fa-f]{2}")
)
"""Digits of an escaped character before a number belong to no run of digits; rsyslog itself writes # and octal."""
NUMBER = re.compile(
    rf"(\d\d)(?:(?<!\d\d\d)|{_ESCAPED})(\d\d)(\d\d)(?:{_SPACE}?{_DASH}{_SPACE}?|{_SPACE})?(\d)(\d\d\d)(?!\d)"
)
_TIMES = range(1_800_000_000, 2_200_000_000)
"""Seconds since 1970 from January 2027 to September 2039; those that read as a date begin with 18 to 21 and a month."""
_QUOTES = r"[\\\"']{0,4}"
_TIME_KEY = re.compile(
    rf"(?<![A-Za-z])(?:(?:(?:event|epoch|unix)[_-]?time|time[_-]?stamp|ts|epoch){_QUOTES}\s?[=:]\s?{_QUOTES}"
    rf"|time=|[\"']time{_QUOTES}\s?:\s?{_QUOTES}|epoch |audit\()$",
    re.IGNORECASE,
)
"""What names a time, just before it. A bare `time:` does not: it is Danish for an appointment."""
_KEY_LENGTH = 24
_CLOCK_LENGTH = len("04:10:00.")
_TIME_REST = re.compile(r"\.(?:\d{6}|\d{9}|\d{3} {1,8}\d+ \d{1,3}(?:\.\d{1,3}){3})(?!\d)", re.ASCII)
"""Micro- or nanoseconds; or milliseconds as a proxy writes them, before a duration and an address. Milliseconds alone
are no proof: a scanned page may be called 1805405123.001."""
_CLOCK = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.", re.ASCII)
_MICROSECONDS = re.compile(r"\d{6}(?: ?[+-](?:0\d|1[0-4])(?:00|15|30|45)| (?:19|20)\d\d)", re.ASCII)
"""Before a zone, as Suricata writes 04:10:00.880462+0000, or the year, as Apache does."""


def is_time(text: str, start: int, end: int) -> bool:
    """Whether what reads as a number is a time: it could be, and what stands beside it says so.

    Seconds since 1970, or the microseconds of a time of day with what follows them.
    """
    if _MICROSECONDS.fullmatch(text, start, end):
        return start >= _CLOCK_LENGTH and _CLOCK.fullmatch(text, start - _CLOCK_LENGTH, start) is not None
    digits = text[start:end]
    if not (len(digits) == 10 and digits.isascii() and digits.isdecimal() and int(digits) in _TIMES):
        return False
    return bool(_TIME_KEY.search(text, max(0, start - _KEY_LENGTH), start) or _TIME_REST.match(text, end))


def cleaned(text: str, replacement: Callable[[str], str]) -> str:
    """The text with every number replaced by `replacement` of its ten digits, written as ASCII."""
    parts, kept, match = [], 0, NUMBER.search(text)
    while match:
        day, month, year, seventh, last = map(int, match.groups())
        if is_birth(day, month, year, seventh) and not is_time(text, *match.span()):
            parts += [text[kept : match.start()], replacement(f"{day:02}{month:02}{year:02}{seventh}{last:03}")]
            kept = match.end()
        # What is no date may still hold the beginning of a number: %2520 before one reads as a day and a month.
        match = NUMBER.search(text, max(kept, match.start() + 1))
    return "".join([*parts, text[kept:]])


def masked(_digits: str) -> str:
    """The same for every number."""
    return "[CPR]"


def pseudonyms(key: bytes) -> Callable[[str], str]:
    """A replacement that is the same for the same number under the same key, and says nothing without the key.

    `[CPR:<4 letters that name the key>.<16 letters, 64 bits of HMAC-SHA-256>]`.
    """
    name = key_name(key)

    def token(digits: str) -> str:
        code = hmac.digest(key, digits.encode("ascii"), "sha256")[:TOKEN_BYTES]
        return f"[CPR:{name}.{code.hex().translate(LETTERS)}]"

    return token


def key_name(key: bytes) -> str:
    """Four letters that tell keys apart and give nothing of them away."""
    return hashlib.sha256(b"vaern cpr key\0" + key).hexdigest()[:4].translate(LETTERS)


def read_key(path: Path = KEY) -> bytes:
    """The key of this relay. Raises OSError, or ValueError when it is not 64 hexadecimal digits."""
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path} holds {len(key)} bytes instead of {KEY_BYTES}")
    return key
