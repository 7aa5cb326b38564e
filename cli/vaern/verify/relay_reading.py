"""How a relay reads events and what it writes on them, from the settings of what its rsyslog loads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

OWN = "relay"
"""Kind of what a relay says of itself: no source that is declared."""


@dataclass(frozen=True, slots=True)
class RelayReading:
    """The settings with which one relay reads. A missing setting raises KeyError."""

    settings: Mapping[str, Any]
    """As reader.json has them."""

    @property
    def municipality(self) -> str:
        """The code that is on every event."""
        return str(self.settings["municipality"])

    @property
    def labels(self) -> dict[str, tuple[str, str]]:
        """Kind and sector each of its sources is labelled with."""
        sources = self.settings["sources"]
        return {one["name"]: (one["kind"], one["sector"]) for one in sources if one["kind"] != OWN}

    @property
    def origins(self) -> dict[str, str]:
        """Map `protocol network host program` to the source that it decides on; `-` for any host or program."""
        return {
            f"{of['input']} {network} {of.get('host', '-')} {of.get('program', '-')}": one["name"]
            for one in self.settings["sources"]
            if (of := one.get("from"))
            for network in of["networks"]
        }
