"""Where and how a relay sends to the collector, from the settings of its program vaern-delivery."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class RelaySending:
    """The settings with which one relay sends. A missing setting raises KeyError."""

    settings: Mapping[str, Any]
    """As spool.json has them."""

    @property
    def topics(self) -> frozenset[str]:
        """The topics it writes to: for each sector of its sources a separate topic, or the municipality's."""
        own = self.settings["topics"]
        return frozenset(own.get(sector, self.settings["topic"]) for sector in self.settings["sectors"])

    @property
    def brokers(self) -> tuple[str, ...]:
        """Where it sends, as `name:port`."""
        return tuple(broker for broker in self.transport("bootstrap.servers").split(",") if broker)

    def transport(self, name: str) -> str:
        """A setting of librdkafka as text; empty when it is not set."""
        return str(self.settings["librdkafka"].get(name, ""))
