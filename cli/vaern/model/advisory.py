"""What a SOC sends a municipality: a warning with indicators, or a request; and the answer. Our own small format.

docs/warnings.md describes it for whoever writes one, with its counterpart in STIX 2.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from vaern.model.vocabulary import UNPRINTED, Declared, Name

IDENTIFIER = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$"
AdvisoryId = Annotated[str, StringConstraints(pattern=IDENTIFIER)]
"""By which the SOC knows it, such as SOC-2026-0042."""
Line = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=rf"^[^{UNPRINTED}]+$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=rf"^[^{UNPRINTED}]+$")]
Value = Annotated[str, StringConstraints(min_length=3, max_length=400, pattern=rf"^[^{UNPRINTED}]+$")]
Time = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z$")]
MOST_INDICATORS = 50


class AdvisoryKind(StrEnum):
    """What it asks for."""

    WARNING = "warning"
    """Look whether these indicators are in your archive, and what stands in the text."""
    REQUEST = "request"
    """Do something, such as sending more of a source."""


class IndicatorType(StrEnum):
    """What an indicator is."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
    DOMAIN = "domain"
    URL = "url"
    EMAIL = "email"
    SHA256 = "sha256"
    TEXT = "text"
    """Any other text as it stands in a log, such as the name of a file."""


class Indicator(Declared):
    """Something that is looked for in the events of a municipality."""

    type: IndicatorType
    """What it is."""
    value: Value
    """As it stands in a log."""


class Advisory(Declared):
    """A warning or a request of a SOC."""

    version: Literal[1]
    """Of this format."""
    id: AdvisoryId
    """By which the SOC knows it; the answer names it."""
    sender: Line
    """Who warns or asks."""
    sent: Time
    """When, in UTC: 2026-11-24T08:00:00Z."""
    kind: AdvisoryKind
    """warning or request."""
    title: Line
    """What it is about, in one line."""
    text: Text
    """What is known, or asked for, and what to do."""
    indicators: Annotated[tuple[Indicator, ...], Field(max_length=MOST_INDICATORS)] = ()
    """What is looked for."""
    source: Name | None = None
    """The log source a request is about."""
    days: Annotated[int, Field(ge=1, le=400)] = 30
    """How many days back is looked."""


_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_SHAPES: dict[IndicatorType, re.Pattern[str]] = {
    IndicatorType.DOMAIN: re.compile(rf"(?i){_LABEL}(\.{_LABEL})+"),
    IndicatorType.URL: re.compile(r"(?i)[a-z][a-z0-9+.-]*://\S+"),
    IndicatorType.EMAIL: re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    IndicatorType.SHA256: re.compile(r"(?i)[0-9a-f]{64}"),
}
_PARSED: dict[IndicatorType, Callable[[str], object]] = {
    IndicatorType.IPV4: IPv4Address,
    IndicatorType.IPV6: IPv6Address,
}
_WANTED = {
    IndicatorType.IPV4: "an address such as 198.51.100.77",
    IndicatorType.IPV6: "an address such as 2001:db8::77",
    IndicatorType.DOMAIN: "a name such as evil.example",
    IndicatorType.URL: "an address such as https://evil.example/a",
    IndicatorType.EMAIL: "a mail address such as a@evil.example",
    IndicatorType.SHA256: "64 hexadecimal digits",
}


def wanted(indicator: Indicator) -> str:
    """What to write in place of a value that is not of its type; empty when it is."""
    shape = _SHAPES.get(indicator.type)
    if shape is not None and not shape.fullmatch(indicator.value):
        return _WANTED[indicator.type]
    if parse := _PARSED.get(indicator.type):
        try:
            parse(indicator.value)
        except ValueError:
            return _WANTED[indicator.type]
    return ""


def spellings(indicator: Indicator) -> tuple[str, ...]:
    """What is searched for: a hash as it was sent is seldom in the letters of the log, where Sysmon has capitals."""
    value = indicator.value
    return (value.lower(), value.upper()) if indicator.type is IndicatorType.SHA256 else (value,)


def holds(indicator: Indicator, text: str) -> bool:
    """Whether an indicator stands in a text by itself: 198.51.100.7 is not in 198.51.100.77.

    Case is looked at in free text only. An address may be followed by a dot and a port, as tcpdump and BSD write it.
    """
    flags = 0 if indicator.type is IndicatorType.TEXT else re.IGNORECASE
    before, after = _AROUND[indicator.type]
    return re.search(before + re.escape(indicator.value) + after, text, flags) is not None


_AROUND: dict[IndicatorType, tuple[str, str]] = {
    IndicatorType.IPV4: (r"(?<![0-9])(?<![0-9]\.)", r"(?![0-9])(?!\.[0-9]{6})(?!\.[0-9]{1,5}\.[0-9])"),
    IndicatorType.IPV6: (r"(?<![0-9a-f:])", r"(?![0-9a-f:])"),
    IndicatorType.DOMAIN: (r"(?<![a-z0-9_-])", r"(?![a-z0-9_-])(?!\.[a-z0-9])"),
    IndicatorType.EMAIL: (r"(?<![a-z0-9._+-])", r"(?![a-z0-9_-])(?!\.[a-z0-9])"),
    IndicatorType.SHA256: (r"(?<![0-9a-f])", r"(?![0-9a-f])"),
    IndicatorType.URL: ("", ""),
    IndicatorType.TEXT: ("", ""),
}
"""What must not stand before and after; a domain also stands in the names below it."""
