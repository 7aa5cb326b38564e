"""What verification finds: one control on one host, expected against observed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Result of one control on one host."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    """Not possible here; the reason is in `observed`."""
    UNKNOWN = "unknown"
    """Possible here, and not found out; the reason is in `observed`."""


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One control on one host. `expected` comes from the declaration, `observed` from the host."""

    municipality: str
    control: str
    host: str
    outcome: Outcome
    expected: str
    observed: str
    evidence: str
    """The command or file that was read."""
    time: str
    """UTC, RFC 3339."""


@dataclass(frozen=True, slots=True)
class Text:
    """The same sentence in Danish and English."""

    da: str
    en: str


@dataclass(frozen=True, slots=True)
class Control:
    """One requirement of the baseline, kept as versioned data in `data/controls.yml`."""

    id: str
    title: Text
    reason: Text
    applies_to: tuple[str, ...]
    """Host roles: gateway, relay, sensor, vpn_hub, collector, or all."""
    iso27001: tuple[str, ...]
    cis: tuple[str, ...]
    nis2: tuple[str, ...]
    cfcs: tuple[str, ...]


@dataclass(frozen=True, slots=True, order=True)
class Proof:
    """One canary: an event from a log source, or an alert from a tap, followed to the archive."""

    municipality: str
    subject: str
    """Name of the log source or tap."""
    tag: str
    """The unique text that was sent."""
    seen: bool
    leg: str
    """The last place it was seen: device, relay, sensor, collector or archive."""
    seconds: float
    """From sending to the archive, or until giving up."""
