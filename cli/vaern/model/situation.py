"""What is known about the connection of one municipality at one moment: the input of the verdict.

Each part is measured, or unknown for a reason, or was not asked for. A part that is left out cannot be written down.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeAlias, TypeVar

from vaern.model.finding import Finding, Proof, Text

Result = TypeVar("Result")


class PartName(StrEnum):
    """The parts of a situation, in the order in which they are told."""

    CONTROLS = "controls"
    PROOFS = "proofs"
    ALARMS = "alarms"
    LEDGER = "ledger"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Measured(Generic[Result]):
    """A part that was looked at. `time` is when, UTC, RFC 3339."""

    time: str
    result: Result


@dataclass(frozen=True, slots=True)
class Unknown:
    """A part that should have been measured and could not be; `reason` is a clause without a full stop."""

    reason: Text


@dataclass(frozen=True, slots=True)
class NotAsked:
    """A part that nobody wanted to know this time."""


Part: TypeAlias = Measured[Result] | Unknown | NotAsked


@dataclass(frozen=True, slots=True)
class Controls:
    """The findings of a verification. `named` are the controls that alone were asked for; empty for all of them."""

    findings: tuple[Finding, ...]
    named: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Proofs:
    """The last proof of each source and tap. `untried` are those declared of which there is none."""

    proofs: tuple[Proof, ...]
    untried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OpenAlarms:
    """The text of each open alarm. `outdated` says why there may be others; None when the service is at work."""

    texts: tuple[Text, ...]
    outdated: Text | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Events of the ledger, summed. `gone` were in the archive and have disappeared from it."""

    sent: int
    under_way: int = 0
    missing: int = 0
    given_up: int = 0
    gone: int = 0
    unstated: tuple[str, ...] = ()
    """Relays that have not said what they have sent lately."""
    day: str = ""
    """The only day that was counted, ISO 8601; empty for all of them."""
    unlisted: int = 0
    """Events and rows of statements that the collector left out, as there were too many."""
    refused: int = 0
    """Statements that are none, so that nobody knows what they state."""


@dataclass(frozen=True, slots=True, order=True)
class Validity:
    """How long the certificate of a host, or of the authority, is valid; UTC, RFC 3339."""

    host: str
    begins: str
    ends: str


@dataclass(frozen=True, slots=True)
class Certificates:
    """The certificates of the hosts. `unread` are hosts whose certificate is not recorded or cannot be read."""

    valid: tuple[Validity, ...]
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Situation:
    """Everything the verdict on one municipality is computed from."""

    name: str
    """Name of the municipality as registered."""
    time: str
    """When it is judged, UTC, RFC 3339."""
    controls: Part[Controls] = field(default_factory=NotAsked)
    proofs: Part[Proofs] = field(default_factory=NotAsked)
    alarms: Part[OpenAlarms] = field(default_factory=NotAsked)
    ledger: Part[Balance] = field(default_factory=NotAsked)
    certificates: Part[Certificates] = field(default_factory=NotAsked)
