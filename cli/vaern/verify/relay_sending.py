"""Where and how a relay sends to the collector, as the settings of its program vaern-delivery say."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RelaySending:
    """The settings of one relay's sending. Asked for one that is not among them, it raises KeyError."""

    settings: Mapping[str, Any]
    """As spool.json has them."""

    @property
    def topics(self) -> frozenset[str]:
        """The topics it writes to: of each sector of its sources its own, or else the municipality's."""
        own = self.settings["topics"]
        return frozenset(own.get(sector, self.settings["topic"]) for sector in self.settings["sectors"])

    @property
    def brokers(self) -> tuple[str, ...]:
        """Where it sends, as `name:port`."""
        return tuple(broker for broker in self.transport("bootstrap.servers").split(",") if broker)

    def transport(self, name: str) -> str:
        """A setting of librdkafka as text; empty when it is left to librdkafka."""
        return str(self.settings["librdkafka"].get(name, ""))
