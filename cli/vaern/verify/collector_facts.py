"""Facts of a collector: the broker, the archiver and the Event Hubs proxy."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from vaern.verify import parsing
from vaern.verify.sections import Sections
from vaern_programs.shared.answers import JUDGED_SOURCES, JudgedSources


class CollectorFacts(Sections):
    """What receives and keeps events."""

    @cached_property
    def broker(self) -> dict[str, Any]:
        """Topics, access and quotas as the running broker answers."""
        found: dict[str, Any] = self._json("broker")
        return found

    @cached_property
    def server_properties(self) -> dict[str, str]:
        """Settings of the broker."""
        return parsing.pairs(line for line in self._lines("server_properties") if not line.startswith("#"))

    @cached_property
    def collector_settings(self) -> dict[str, Any]:
        """Settings of the archiver."""
        found: dict[str, Any] = self._json("collector_settings")
        return found

    @cached_property
    def judged_sources(self) -> JudgedSources | None:
        """How the alarm service has judged each source; None where it says nothing."""
        text = self.section("judged_sources").text
        return JUDGED_SOURCES.parse(text) if text.strip() else None

    @cached_property
    def revoked_list(self) -> str:
        """SHA-256 of the list of revoked certificates on the host, as hex; empty without one."""
        return self.section("revoked").text.partition(" ")[0]

    @cached_property
    def proxy_destinations(self) -> dict[str, str]:
        """On a hub with the Event Hubs proxy: map overlay address to the namespace its connections go to."""
        found: dict[str, str] = self._json("event_hubs_proxy")["destinations"]
        return found
