"""What a message tells of the device that wrote it: its kind and vendor, its host, its clock."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple
from zoneinfo import ZoneInfo

from vaern_programs.shared.device_names import names_a_device

FORMATS: tuple[tuple[str, str, re.Pattern[str]], ...] = tuple(
    (kind, vendor, re.compile(pattern))
    for kind, vendor, pattern in (
        ("vpn", "fortinet-fortigate", r'\bdevid="?F\w+.*\btype="?event"? .*\bsubtype="?vpn"?'),
        ("firewall", "fortinet-fortigate", r'\bdevname=.*\b(?:logid|log_id)="?\d'),
        ("vpn", "paloalto-globalprotect", r",\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,\d+,GLOBALPROTECT,"),
        ("firewall", "paloalto-panos", r",\d{4}/\d\d/\d\d \d\d:\d\d:\d\d,\d+,(?:TRAFFIC|THREAT|SYSTEM|CONFIG),"),
        ("firewall", "cisco-asa", r"%(?:ASA|FTD)-(?:\w+-)?\d-\d{6}"),
        ("firewall", "juniper-srx", r"\bRT_(?:FLOW|IDP|SCREEN)\b"),
        ("firewall", "pfsense", r"\bfilterlog(?:\[\d+\])?:? "),
        ("router", "cisco-ios", r"%[A-Z][A-Z0-9_]+(?:-[A-Z0-9_]+)*-[0-7]-[A-Z0-9_]+ ?:"),
        ("router", "mikrotik", r"\b(?:firewall|system|dhcp),(?:info|warning|error)\b"),
        ("dhcp", "isc-dhcpd", r"\bdhcpd(?:\[\d+\])?: "),
        ("dns", "bind", r"\bnamed(?:\[\d+\])?: "),
        ("dns", "unbound", r"\bunbound(?:\[\d+\])?: "),
        ("proxy", "squid", r"\bsquid(?:-\d+)?\)?\[\d+\]: "),
        ("mail", "postfix", r"\bpostfix/\w+\[\d+\]: "),
        ("application", "cef", r"\bCEF:\d\|"),
        ("linux", "rsyslog", r"\b(?:sshd|sudo|systemd|CRON|su)(?:\[\d+\])?: "),
    )
)
"""The first that is found in a message; the names are those of the catalogue."""
_ISO = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,]\d+)?(Z|[+-]\d\d:?\d\d)?")
_BSD = re.compile(r"([A-Z][a-z]{2}) +(\d{1,2})(?: \d{4})? (\d\d):(\d\d):(\d\d)")
_HEAD = re.compile(r"^(?:<\d{1,3}>)?(?:1 )?")
_HOST = re.compile(r"(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)? ([A-Za-z0-9](?:[A-Za-z0-9._:-]{0,61}[A-Za-z0-9])?) ")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DANISH = ZoneInfo("Europe/Copenhagen")
SEARCHED = 2048
"""Characters of a message that are looked at."""


class Clock(NamedTuple):
    """How a device writes its time: in UTC, in Danish time, or with an offset; and how many seconds it is ahead."""

    zone: str
    ahead: float


def kind_and_vendor(message: str) -> tuple[str, str]:
    """As the catalogue names them; `linux` and `generic` where nothing is recognised."""
    start = message[:SEARCHED]
    return next(((kind, vendor) for kind, vendor, form in FORMATS if form.search(start)), ("linux", "generic"))


def host(message: str) -> str:
    """The host of the header; nothing when what stands there names no device."""
    found = _time(message)
    named = _HOST.match(message, found.end()) if found else None
    return named[1] if named and names_a_device(named[1]) else ""


def clock(message: str, received: datetime) -> Clock | None:
    """The clock of the sender, against the time of reception (in UTC); None when the message says no time.

    A time without a zone is taken for UTC or Danish time, whichever is nearer.
    """
    found = _time(message)
    if found is None:
        return None
    try:
        said = _read(found, received)
    except ValueError:
        return None
    if said.tzinfo is not None:
        offset = said.utcoffset() or timedelta()
        zone = "UTC" if not offset else "offset"
        return Clock(zone, round((said - received).total_seconds(), 1))
    tried = {"UTC": said.replace(tzinfo=timezone.utc), "Europe/Copenhagen": said.replace(tzinfo=DANISH)}  # noqa: UP017
    ahead = {zone: round((each - received).total_seconds(), 1) for zone, each in tried.items()}
    nearest = min(ahead, key=lambda zone: abs(ahead[zone]))
    return Clock(nearest, ahead[nearest])


def _time(message: str) -> re.Match[str] | None:
    head = _HEAD.match(message)
    at = head.end() if head else 0
    return _ISO.match(message, at) or _BSD.match(message, at)


def _read(found: re.Match[str], received: datetime) -> datetime:
    """With its zone if it names one. Raises ValueError when it is no time."""
    if found.re is _ISO:
        offset = (found[2] or "").replace("Z", "+00:00")
        colon = offset if ":" in offset or not offset else f"{offset[:3]}:{offset[3:]}"
        return datetime.fromisoformat(found[1] + colon)
    month, day, hour, minute, second = found.groups()
    said = datetime(received.year, MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))  # noqa: DTZ001
    # At New Year the year of the sender may be the one before or behind.
    days = (said - received.replace(tzinfo=None)).days
    return said.replace(year=received.year - round(days / 365.25))
