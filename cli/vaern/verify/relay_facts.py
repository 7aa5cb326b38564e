"""Facts of a relay: what it accepts, keeps and sends."""

from __future__ import annotations

import re
from functools import cached_property

from vaern.errors import VaernError
from vaern.runtime.host_answers import load
from vaern.verify.delivery import Delivery, delivery
from vaern.verify.relay_configuration import RelayConfiguration
from vaern.verify.relay_reading import RelayReading
from vaern.verify.relay_sending import RelaySending
from vaern.verify.sections import Sections


class RelayFacts(Sections):
    """What takes events in and sends them on."""

    @cached_property
    def relay(self) -> RelayConfiguration:
        """The effective configuration of the relay's rsyslog, without comments."""
        lines = (line for line in self._lines("relay") if not line.lstrip().startswith("#"))
        return RelayConfiguration("\n".join(lines))

    @cached_property
    def sending(self) -> RelaySending:
        """The settings of the relay's program that sends to the collector."""
        return RelaySending(self._json("relay_sending"))

    @cached_property
    def reading(self) -> RelayReading:
        """The settings of what the relay reads events with."""
        return RelayReading(self._json("relay_reading"))

    @property
    def delivery(self) -> Delivery:
        """Whether the collector accepts what the relay sends."""
        return delivery(self._lines("relay_delivery"), self.now)

    @property
    def spool_limit(self) -> int:
        """Largest size of the relay's spool in bytes: closed segments, the open one and the batch that fills it."""
        room = re.search(r"^room=(\d+)$", self.section("relay_rotation").text, re.MULTILINE)
        segments = self.relay.segment_limits
        if room is None or not segments:
            raise VaernError(f"{self.host}: the relay's spool has no limit")
        return int(room.group(1)) + 2 * sum(segments)

    @cached_property
    def relay_senders(self) -> dict[str, str]:
        """Map `protocol address` to the name of the source that is accepted from there; and what the reader decides.

        Of sources that are looked up, `protocol name`.
        """
        table = self._json("relay_sources")["table"]
        by_address = {row["index"]: row["value"].removeprefix("source_") for row in table}
        return by_address | self.named_senders | self.reading.origins

    @property
    def named_senders(self) -> dict[str, str]:
        """The sources that the relay looks up; a relay without one has no such file."""
        text = self.section("relay_names").text
        named = load(text) if text.strip() else []
        return {f"{one['input']} {one['name']}": one["source"] for one in named}
